import { beforeAll, describe, expect, it } from 'vitest';
import { parse, parseDocument } from 'yaml';
import * as fc from 'fast-check';
import { readExistingProject } from '../../../src/core/project/existing.ts';
import { addToProjectFile } from '../../../src/core/project/project-file.ts';
import type { ProjectFile, RenderedProject } from '../../../src/core/project/types.ts';
import type { Translation } from '../../../src/core/translate/types.ts';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';
import { model, OPTIONS, translation } from './builders.ts';
import { fileOf, loadSales, render, sumUp, totals } from './warehouse.ts';

beforeAll(loadParser);

const PROJECT = `# our project
name: 'shop'   # keep
version: "2.0"
profile: shop_prod
model-paths: [ "transform/models" ]
macro-paths: ["transform/macros"]
test-paths: ['transform/tests']

models:
  shop:
    marts:
      +schema: dw     # the warehouse

vars:
    # people's own
    start: '2020-01-01'
`;

const FILES: readonly ProjectFile[] = [
  { path: 'dbt_project.yml', text: PROJECT },
  {
    path: 'transform/models/marts/totals.sql',
    text: "{{ config(alias='grand_totals') }}\nselect 1",
  },
  {
    path: 'transform/models/staging/_sources.yaml',
    text: 'sources:\n  - name: raw\n    schema: stg\n    tables:\n      - name: raw_orders\n        identifier: orders\n',
  },
  { path: 'transform/models/staging/_stg.yaml', text: 'models:\n  - name: stg\n' },
  {
    path: 'transform/macros/schema.sql',
    text: '{% macro generate_schema_name(custom_schema_name, node) %}{{ custom_schema_name or target.schema }}{% endmacro %}',
  },
  { path: 'README.md', text: '# hello' },
];

function renderInto(
  files: readonly ProjectFile[],
  translations: readonly Translation[],
): RenderedProject {
  return render({ translations, options: { ...OPTIONS, existing: readExistingProject(files) } });
}

/** The files of a project with those of a rendering over them. */
function merged(files: readonly ProjectFile[], project: RenderedProject): readonly ProjectFile[] {
  const written = new Map(project.files.map(({ path, text }) => [path, text]));
  return [...files.filter(({ path }) => !written.has(path)), ...project.files];
}

describe('a project that is there already', () => {
  const withDays = {
    ...sumUp,
    parameters: [{ name: 'start', type: 'date', defaultSql: 'CURRENT_DATE' }],
  };
  const project = renderInto(FILES, [loadSales, withDays]);

  it('gets its models where those of the schema live, in its own style', () => {
    expect(project.files.map(({ path }) => path)).toEqual([
      'dbt_project.yml',
      'transform/macros/sprocket/write_rows.sql',
      'transform/models/marts/_dw__totals.yaml',
      'transform/models/marts/_sales.yaml',
      'transform/models/marts/dw__totals.sql',
      'transform/models/marts/sales.sql',
    ]);
  });

  it('keeps the names of its own models, and its sources', () => {
    expect(project.models.map(({ name }) => name)).toEqual(['sales', 'dw__totals']);
    expect(fileOf(project, 'transform/models/marts/sales.sql')).toContain(
      "{{ source('raw', 'raw_orders') }}",
    );
  });

  it('keeps its variables: one of the same name means something else', () => {
    const text = fileOf(project, 'dbt_project.yml');
    expect(text).toBe(
      PROJECT.replace(
        "start: '2020-01-01'\n",
        "start: '2020-01-01'\n    sum_up__start: CURRENT_DATE\n",
      ),
    );
  });

  it('is not changed by a second rendering of the same', () => {
    const files = merged(FILES, project);
    const again = renderInto(files, [loadSales, withDays]);
    for (const { path, text } of again.files) {
      expect(files.find((file) => file.path === path)?.text, path).toBe(text);
    }
    expect(again.models).toEqual(project.models);
  });

  it('is read where its models build a table that a procedure reads', () => {
    const building = [
      ...FILES,
      {
        path: 'transform/models/marts/our_sales.sql',
        text: "{{ config(alias='sales') }} select 1",
      },
    ];
    const reader = renderInto(building, [sumUp]);
    expect(fileOf(reader, 'transform/models/marts/dw__totals.sql')).toContain(
      "{{ ref('our_sales') }} s",
    );
    const writer = renderInto(building, [loadSales]);
    expect(writer.problems.map(({ code, subject }) => [code, subject])).toEqual([
      ['table-built-twice', 'dw.sales'],
    ]);
  });

  it('may have been given models by another plan', () => {
    const other = renderInto(FILES, [loadSales]);
    const files = merged(FILES, other);
    const more = renderInto(files, [sumUp]);
    expect(fileOf(more, 'transform/models/marts/dw__totals.sql')).toContain("{{ ref('sales') }} s");
    expect(more.files.map(({ path }) => path)).not.toContain('transform/models/marts/sales.sql');
    // Another procedure that writes the same table gets another name, and a person hears of it.
    const clash = renderInto(files, [translation('dw.other()', loadSales.models)]);
    expect(clash.models.map(({ name }) => name)).toEqual(['dw__sales']);
  });

  it('gets new tables of a schema into the source that it has for it', () => {
    const files = [
      ...FILES,
      {
        path: 'transform/models/dw/_dw__sources.yaml',
        text: 'sources:\n  - {name: dw, tables: [{name: other}]}\n',
      },
    ];
    const sources = renderInto(files, [sumUp]).files.filter(({ path }) => path.includes('sources'));
    expect(sources.map(({ path }) => path)).toEqual(['transform/models/marts/_dw__sources.yaml']);
    expect(parse(sources[0]?.text ?? '')).toMatchObject({
      sources: [{ name: 'dw', tables: [{ name: 'sales' }] }],
    });
  });

  it.each([
    ['nothing', '', [], true],
    [
      'one that puts the target in front',
      '{% macro generate_schema_name(custom_schema_name, node) %}{{ target.schema }}_{{ custom_schema_name }}{% endmacro %}',
      ['schema-macro'],
      false,
    ],
    [
      'one that takes it as it is',
      '{%- macro generate_schema_name(custom_schema_name, node) -%}{{ custom_schema_name | trim }}{%- endmacro -%}',
      [],
      false,
    ],
  ])('has for schemas %s', (_, macro, problems, adds) => {
    const files = FILES.map((file) =>
      file.path.endsWith('schema.sql') ? { ...file, text: macro } : file,
    );
    const rendered = renderInto(files, [loadSales]);
    expect(rendered.problems.map(({ code }) => code)).toEqual(problems);
    expect(rendered.files.some(({ path }) => path.endsWith('generate_schema_name.sql'))).toBe(adds);
  });

  it('may have a macro of our name', () => {
    const files = [
      ...FILES,
      { path: 'transform/macros/x.sql', text: '{% macro sprocket_write_rows(a) %}{% endmacro %}' },
    ];
    expect(renderInto(files, [loadSales]).problems.map(({ code }) => code)).toEqual([
      'macro-clash',
    ]);
  });

  it('keeps its selectors', () => {
    const text =
      '# ours\nselectors:\n- name: nightly  # keep\n  definition: {method: tag, value: nightly}\n\n# end\n';
    const calls = translation('dw.run()', [], { outcome: 'calls', calls: ['dw.load_sales()'] });
    const rendered = renderInto([...FILES, { path: 'selectors.yml', text }], [loadSales, calls]);
    const written = fileOf(rendered, 'selectors.yml');
    expect(written.startsWith(text.slice(0, text.indexOf('\n\n# end')))).toBe(true);
    expect(written.endsWith('\n# end\n')).toBe(true);
    expect(parse(written)).toMatchObject({ selectors: [{ name: 'nightly' }, { name: 'run' }] });
  });

  it('must be one', () => {
    expect(() => readExistingProject([{ path: 'README.md', text: '' }])).toThrow(
      /no dbt_project\.yml/u,
    );
    expect(() =>
      readExistingProject([{ path: 'dbt_project.yml', text: 'model-paths: 1' }]),
    ).toThrow();
  });
});

describe('dbt_project.yml', () => {
  const keys = {
    variables: [
      { name: 'days', value: '30', routine: 'r', parameter: 'days' },
      { name: 'none', value: null, routine: 'r', parameter: 'none' },
    ],
    onRunStart: ['{{ ours() }}'],
  };

  it.each([
    ['name: x'],
    ['name: x\nvars: {}\non-run-start: "{{ g() }}"\n'],
    ['name: x\nvars:\n  a: |\n    text\n\n\n# tail'],
    ['name: x\nvars: {a: 1}\non-run-start: ["{{ g() }}"]\n'],
    ['name: x\nvars:\n  shop:\n    days: 7\non-run-start:\n- a   # why\n- b\nmodels: {}\n'],
    ['name: x\nvars:\non-run-start:\n'],
    ['name: x\r\nvars:\r\n  a: 1\r\n'],
  ])('keeps what is there and adds what is missing: %j', (text) => {
    const file = { path: 'dbt_project.yml', text };
    const added = addToProjectFile(file, keys);
    const content: unknown = parse(added?.text ?? '');
    expect(content).toMatchObject({ name: 'x', vars: { days: '30' } });
    expect(JSON.stringify(content)).toContain('{{ ours() }}');
    expect(JSON.stringify(content)).not.toContain('none');
    // Every line that was there is there still, in its order, where no flow style had to give way.
    if (!/[{[]/u.test(text.replace('models: {}', '').replace('"{{ g() }}"', ''))) {
      const lines = (added?.text ?? '').split(/\r?\n/u);
      let at = -1;
      for (const line of text
        .split(/\r?\n/u)
        .filter((each) => each !== '' && !each.startsWith('on-run-start: "'))) {
        at = lines.indexOf(line, at + 1);
        expect(at, line).toBeGreaterThanOrEqual(0);
      }
    }
    expect(addToProjectFile({ path: file.path, text: added?.text ?? '' }, keys)).toBeNull();
  });

  it('loses no value and no comment of any file', () => {
    const scalar = fc.oneof(
      fc.stringMatching(/^[a-z][a-z ]{0,6}[a-z]$/u),
      fc.integer().map(String),
    );
    const block = fc.dictionary(fc.stringMatching(/^[a-c]{1,3}$/u), scalar, {
      minKeys: 1,
      maxKeys: 3,
    });
    fc.assert(
      fc.property(block, fc.integer({ min: 1, max: 6 }), fc.boolean(), (vars, indent, first) => {
        const varLines = Object.entries(vars).map(
          ([name, value]) => `${' '.repeat(indent)}${name}: ${value} # about ${name}`,
        );
        const rest = ['name: x # the name', 'models:', '  x: {}'];
        const lines = first ? ['vars:', ...varLines, ...rest] : [...rest, 'vars:', ...varLines];
        const text = `${lines.join('\n')}\n`;
        const before: unknown = parseDocument(text).toJS();
        const after = addToProjectFile({ path: 'p', text }, keys)?.text ?? '';
        expect(parse(after)).toMatchObject(before as object);
        for (const line of lines) expect(after.split('\n')).toContain(line);
      }),
    );
  });
});

it('a model of a table with a parameter of the same value shares the variable', () => {
  const files = FILES.map((file) =>
    file.path === 'dbt_project.yml'
      ? { ...file, text: file.text.replace("'2020-01-01'", 'CURRENT_DATE') }
      : file,
  );
  const project = renderInto(files, [
    translation('dw.sum_up()', [model(totals, 'SELECT ‹parameter start date› AS total')], {
      parameters: [{ name: 'start', type: 'date', defaultSql: 'CURRENT_DATE' }],
    }),
  ]);
  expect(project.files.some(({ path }) => path === 'dbt_project.yml')).toBe(false);
});
