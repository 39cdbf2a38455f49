import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';
import { check, model, name, OPTIONS, sql, translation } from './builders.ts';
import { fileOf, loadSales, render, sales, totals } from './warehouse.ts';

beforeAll(loadParser);

describe('checks', () => {
  it('before the first write hold up the models of their procedure', () => {
    const guarded = translation(
      'dw.load_sales()',
      [model(sales, 'SELECT * FROM ‹current stg.orders› o')],
      { tests: [check('no_totals', 'SELECT 1 FROM ‹current dw.totals› t')] },
    );
    const project = render({ translations: [guarded] });
    expect(fileOf(project, 'models/dw/sales.sql')).toContain(
      "-- depends_on: {{ source('dw', 'totals') }}",
    );
    expect(fileOf(project, 'tests/no_totals.sql')).toContain('-- no_totals must not happen');
    expect(project.tests).toEqual([{ routine: 'dw.load_sales()', name: 'no_totals' }]);
  });

  it('on a table that is changed later hold up its model too', () => {
    const checks = translation('dw.check()', [], {
      tests: [check('has_rows', 'SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM ‹current dw.sales› s)')],
    });
    const project = render({ translations: [checks, loadSales] });
    expect(fileOf(project, 'models/dw/sales.sql')).toContain(
      "-- depends_on: {{ source('dw', 'sales') }}",
    );
  });

  it('of what depends on the order of the input only warn', () => {
    const ambiguous = translation('dw.check()', [], {
      tests: [check('ties', 'SELECT 1 FROM ‹current dw.sales› s', { kind: 'ambiguity' })],
    });
    expect(fileOf(render({ translations: [ambiguous] }), 'tests/ties.sql')).toContain(
      "severity='warn'",
    );
  });
});

describe('parameters and the clock', () => {
  const days = (routine: string, defaultSql: string | null) =>
    translation(
      routine,
      [
        {
          ...model(
            totals,
            'SELECT ‹parameter days integer› AS total, ‹clock CURRENT_DATE | date› AS d',
          ),
          table: name(routine.startsWith('dw.a') ? 'dw.totals' : 'dw.sales'),
        },
      ],
      { parameters: [{ name: 'days', type: 'integer', defaultSql }] },
    );

  it('become variables that hold SQL', () => {
    const project = render({ translations: [days('dw.a()', '30')] });
    expect(fileOf(project, 'models/dw/totals.sql')).toContain("cast({{ var('days') }} as integer)");
    expect(parse(fileOf(project, 'dbt_project.yml'))).toMatchObject({ vars: { days: '30' } });
  });

  it('get the procedure in front where two have the same name', () => {
    const project = render({ translations: [days('dw.a()', '30'), days('dw.b()', '7')] });
    expect(parse(fileOf(project, 'dbt_project.yml'))).toMatchObject({
      vars: { a__days: '30', b__days: '7' },
    });
  });

  it('without a default must be given, unless the caller has', () => {
    const without = render({ translations: [days('dw.a()', null)] });
    expect(fileOf(without, 'models/dw/totals.sql')).toContain("sprocket_required_var('days')");
    const given = render({
      translations: [days('dw.a()', null)],
      options: { ...OPTIONS, parameters: { 'dw.a()': { days: '12' } } },
    });
    expect(fileOf(given, 'models/dw/totals.sql')).toContain("{{ var('days') }}");
  });

  it('a branch over parameters is Jinja, with the variables’ names', () => {
    const branch = translation(
      'dw.a()',
      [
        {
          ...model(totals, ''),
          query: {
            ctes: [],
            final: [
              {
                kind: 'branch',
                arms: [
                  { condition: "var('days') == '1'", sql: sql('SELECT 1 AS total') },
                  { condition: 'var("days") == \'2\'', sql: sql('SELECT 2 AS total') },
                  { condition: null, sql: sql('SELECT 3 AS total') },
                ],
              },
            ],
          },
        },
      ],
      { parameters: [{ name: 'days', type: 'integer', defaultSql: '1' }] },
    );
    const project = render({ translations: [branch, days('dw.b()', '1')] });
    expect(fileOf(project, 'models/dw/totals.sql')).toContain(
      "{% if var('a__days') == '1' %}SELECT 1 AS total{% elif var('a__days') == '2' %}SELECT 2 AS total{% else %}SELECT 3 AS total{% endif %}",
    );
  });

  it('the proof’s moment takes the place of the clock', () => {
    const project = render({
      translations: [days('dw.a()', '1')],
      options: { ...OPTIONS, clock: '2024-02-29 23:30:00+00' },
    });
    expect(fileOf(project, 'models/dw/totals.sql')).toContain(
      "cast(timestamp with time zone '2024-02-29 23:30:00+00' as date)",
    );
  });
});
