import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ProjectError } from '../../../src/core/project/types.ts';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';
import { model, name, OPTIONS, translation } from './builders.ts';
import { fileOf, loadSales, render, sales, sumUp, totals } from './warehouse.ts';

beforeAll(loadParser);

describe('reads', () => {
  it('of a table that an earlier procedure builds are refs', () => {
    const project = render({ translations: [loadSales, sumUp] });
    expect(fileOf(project, 'models/dw/totals.sql')).toContain("FROM {{ ref('sales') }} s");
    expect(project.models.map((each) => each.name)).toEqual(['sales', 'totals']);
  });

  it('of a table that a later procedure builds are of its former rows, and that one waits', () => {
    const project = render({ translations: [sumUp, loadSales] });
    const sqlText = fileOf(project, 'models/dw/totals.sql');
    expect(sqlText).toContain("{% if sprocket_table_exists(source('dw', 'sales')) %}");
    expect(sqlText).toContain('FROM sales_before s');
    expect(fileOf(project, 'models/dw/sales.sql')).toContain("-- depends_on: {{ ref('totals') }}");
    expect(project.models.map((each) => each.name)).toEqual(['totals', 'sales']);
  });

  it('of a table whose procedure was skipped are sources', () => {
    const project = render({ translations: [sumUp] });
    expect(fileOf(project, 'models/dw/totals.sql')).toContain("{{ source('dw', 'sales') }} s");
    expect(parse(fileOf(project, 'models/dw/_dw__sources.yml'))).toMatchObject({
      sources: [{ name: 'dw', tables: [{ name: 'sales', description: 'Sales, one row each' }] }],
    });
  });

  it('of a table that a pipeline moves are of its target', () => {
    const moved = new Map([['dw.sales', { schema: 'raw', name: 'sales_2' }]]);
    const options = { ...OPTIONS, moved };
    const project = render({ translations: [sumUp], options });
    expect(fileOf(project, 'models/dw/totals.sql')).toContain("{{ source('raw', 'sales_2') }} s");
    expect(parse(fileOf(project, 'models/raw/_raw__sources.yml'))).toMatchObject({
      sources: [{ name: 'raw', tables: [{ name: 'sales_2', description: 'Sales, one row each' }] }],
    });
    // The text around it knows the table by its name.
    const whole = translation('dw.copy()', [
      model(totals, 'SELECT sales.id FROM ‹current dw.sales›'),
    ]);
    expect(fileOf(render({ translations: [whole], options }), 'models/dw/totals.sql')).toContain(
      "FROM {{ source('raw', 'sales_2') }} as sales",
    );
  });

  it('of its own former rows are guarded for the first run', () => {
    const rebuild = translation('dw.add()', [
      model(sales, 'SELECT id, amount FROM ‹former dw.sales› UNION ALL SELECT 0, 0'),
    ]);
    const text = fileOf(render({ translations: [rebuild] }), 'models/dw/sales.sql');
    expect(text).toContain(
      '{% if is_incremental() %}\n    select * from {{ this }}\n    {% else %}',
    );
    expect(text).toContain('null::numeric(10,2) as amount\n    where false');
    expect(text).toContain('full_refresh=false');
    // The text around it knows the table by its name.
    expect(text).toContain('FROM sales_before as sales UNION ALL');
  });

  it.each(['s WHERE s.id > 0', 'AS "x" WHERE 1 = 1', '-- the sales\n  s', '"S"'])(
    'keep an alias that is there: %s',
    (rest) => {
      const rebuild = translation('dw.add()', [
        model(sales, `SELECT * FROM ‹former dw.sales› ${rest}`),
      ]);
      const text = fileOf(render({ translations: [rebuild] }), 'models/dw/sales.sql');
      expect(text).toContain(`FROM sales_before ${rest.split('\n')[0] ?? ''}`);
    },
  );

  it.each(['WHERE id > 0', 'JOIN x USING (id)', ', x', ') y', '', 'LEFT JOIN x ON true'])(
    'get the name of the table where there is no alias: %s',
    (rest) => {
      const rebuild = translation('dw.add()', [
        model(sales, `SELECT * FROM ‹former dw.sales› ${rest}`),
      ]);
      const text = fileOf(render({ translations: [rebuild] }), 'models/dw/sales.sql');
      expect(text).toContain(`FROM sales_before as sales ${rest}`.trimEnd());
    },
  );

  it('of another table of the same procedure come before or after its change', () => {
    const both = translation('dw.both()', [
      model(sales, 'SELECT * FROM ‹current stg.orders›', { buildAfter: [name('dw.totals')] }),
      model(totals, 'SELECT sum(amount) AS total FROM ‹former dw.sales› s'),
    ]);
    const project = render({ translations: [both] });
    expect(project.models.map((each) => each.name)).toEqual(['totals', 'sales']);
    expect(fileOf(project, 'models/dw/totals.sql')).toContain(
      "select * from {{ source('dw', 'sales') }}",
    );
    expect(fileOf(project, 'models/dw/sales.sql')).toContain("-- depends_on: {{ ref('totals') }}");
  });

  it('that contradict each other are an error that names the circle', () => {
    const circle = translation('dw.circle()', [
      model(sales, 'SELECT 1 AS id, total AS amount FROM ‹final dw.totals› t', {
        buildAfter: [name('dw.totals')],
      }),
      model(totals, 'SELECT sum(amount) AS total FROM ‹final dw.sales› s'),
    ]);
    expect(() => render({ translations: [circle] })).toThrow(ProjectError);
    expect(() => render({ translations: [circle] })).toThrow(/sales \(dw\.sales\) → /u);
  });

  it('of a final state that no model gives are an error', () => {
    const broken = translation('dw.broken()', [model(totals, 'SELECT 1 FROM ‹final dw.sales›')]);
    expect(() => render({ translations: [broken] })).toThrow(
      /dw\.sales is read in its final state/u,
    );
  });
});
