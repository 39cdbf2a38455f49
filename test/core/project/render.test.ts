import { beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';
import { catalog, model, table, translation } from './builders.ts';
import { fileOf, loadSales, render, sumUp } from './warehouse.ts';

beforeAll(loadParser);

it('a procedure that only calls others is a selector', () => {
  const all = translation('dw.run_all()', [], {
    outcome: 'calls',
    calls: ['dw.load_sales()', 'dw.more()'],
  });
  const more = translation('dw.more()', [], { outcome: 'calls', calls: ['dw.sum_up()'] });
  const project = render({ translations: [loadSales, sumUp, more, all] });
  expect(parse(fileOf(project, 'selectors.yml'))).toMatchObject({
    selectors: [
      { name: 'more', definition: { union: [{ method: 'fqn', value: 'totals' }] } },
      {
        name: 'run_all',
        definition: {
          union: [
            { method: 'fqn', value: 'sales' },
            { method: 'fqn', value: 'totals' },
          ],
        },
      },
    ],
  });
});

it('gives the same files for the same input', () => {
  const input = { translations: [loadSales, sumUp] };
  expect(render(input)).toEqual(render(input));
});

it('puts no file outside the project, whatever tables are called', () => {
  const odd = [
    '../../etc.passwd',
    'a"b',
    "it's",
    '表',
    'x'.repeat(63),
    'CON',
    'Sales',
    'sales',
    '{{ x }}',
    '',
  ].map((tableName) => ({
    ...table('dw.x', { id: 'integer' }),
    name: { schema: '../dw', name: tableName },
  }));
  const project = render({
    catalog: catalog({ tables: odd }),
    translations: odd.map((each, index) =>
      translation(`dw.p${index}()`, [model(each, 'SELECT 1 AS id')]),
    ),
  });
  const paths = project.files.map(({ path }) => path);
  expect(new Set(paths.map((path) => path.toLowerCase())).size).toBe(paths.length);
  for (const path of paths) expect(path).toMatch(/^(?:[\w-]+\/)*[\w.-]+$/u);
  expect(paths.some((path) => path.split('/').includes('..'))).toBe(false);
});

it('names lines only of steps that come from the procedure', () => {
  const of = table('dw.x', { id: 'integer' });
  const step = (name: string, line: number) => ({
    name,
    title: `step ${name}`,
    lines: { first: line, last: line },
    columns: null,
    sql: [{ kind: 'text', text: 'SELECT 1 AS id' } as const],
  });
  const query = {
    ctes: [step('view_of_it', 0), step('own', 4)],
    final: [{ kind: 'text', text: 'SELECT id FROM own' } as const],
  };
  const project = render({
    catalog: catalog({ tables: [of] }),
    translations: [translation('dw.p()', [model(of, '', { query })])],
  });
  const { text = '' } = project.files.find(({ path }) => path.endsWith('/x.sql')) ?? {};
  expect(text).toContain('-- step view_of_it\n');
  expect(text).toContain('-- step own (line 4)\n');
});
