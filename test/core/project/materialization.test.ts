import { beforeAll, describe, expect, it } from 'vitest';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';
import { catalog, model, name, query, translation, view } from './builders.ts';
import { fileOf, loadSales, orders, render, sales, totals } from './warehouse.ts';

beforeAll(loadParser);

describe('materialization', () => {
  const incremental = (strategy: 'append' | 'merge', version = '16.4', identity = false) => {
    const target = identity
      ? {
          ...sales,
          columns: sales.columns.map((each, at) => ({
            ...each,
            identity: at === 0 ? ('always' as const) : null,
          })),
        }
      : sales;
    const translated = translation('dw.inc()', [
      model(target, 'SELECT * FROM ‹former dw.sales› s', {
        incremental: {
          strategy,
          uniqueKey: strategy === 'merge' ? ['id'] : [],
          query: query('SELECT 1 AS id, 2 AS amount'),
        },
      }),
    ]);
    const project = render({
      catalog: catalog({ version, tables: [target] }),
      translations: [translated],
    });
    return /incremental_strategy='(\w+)'/u.exec(fileOf(project, 'models/dw/sales.sql'))?.[1];
  };

  it('takes dbt’s own strategies where they can write every column', () => {
    expect(incremental('append')).toBe('append');
    expect(incremental('merge')).toBe('merge');
  });

  it('takes ours for identity columns, and for servers without MERGE', () => {
    expect(incremental('append', '16.4', true)).toBe('append_rows');
    expect(incremental('merge', '16.4', true)).toBe('merge_rows');
    expect(incremental('merge', '14.11')).toBe('merge_rows');
  });

  it('is a table of dbt’s own where the procedure made the table', () => {
    const made = translation('dw.make()', [
      {
        ...model(sales, 'SELECT 1 AS id'),
        table: name('dw.made'),
        columns: [{ name: 'id', type: null, baseType: null, surrogate: false, unprovable: null }],
      },
    ]);
    const project = render({ translations: [made] });
    expect(fileOf(project, 'models/dw/made.sql')).toContain("materialized='table'");
    expect(fileOf(project, 'models/dw/made.yml')).not.toContain('contract');
    expect(project.problems.map(({ code }) => code)).toEqual(['no-contract']);
  });
});

describe('views', () => {
  const open = view(
    'dw.open_sales',
    { id: 'integer' },
    'SELECT sales.id FROM dw.sales WHERE sales.amount > 0',
  );
  const withView = catalog({ tables: [orders, sales, totals], views: [open] });
  const reader = translation('dw.sum_up()', [
    model(totals, 'SELECT count(*) AS total FROM ‹current dw.open_sales›'),
  ]);

  it('come along as models, after the tables that they show', () => {
    const project = render({ catalog: withView, translations: [loadSales, reader] });
    expect(project.models.map((each) => [each.name, each.role])).toEqual([
      ['sales', 'final'],
      ['open_sales', 'view'],
      ['totals', 'final'],
    ]);
    expect(fileOf(project, 'models/dw/open_sales.sql')).toContain("FROM {{ ref('sales') }} WHERE");
    expect(fileOf(project, 'models/dw/totals.sql')).toContain("FROM {{ ref('open_sales') }}");
  });

  it('are written into a reader that comes before the tables change', () => {
    const project = render({ catalog: withView, translations: [reader, loadSales] });
    const text = fileOf(project, 'models/dw/totals.sql');
    expect(text).toContain('open_sales as (\n    SELECT sales.id FROM sales_before as sales WHERE');
    expect(text).toContain('FROM open_sales');
    expect(project.models.map((each) => each.name)).toEqual(['totals', 'sales']);
  });

  it('that are materialized are sources: their rows are as old as their last refresh', () => {
    const stored = catalog({
      tables: [orders, sales, totals],
      views: [{ ...open, materialized: true }],
    });
    const project = render({ catalog: stored, translations: [loadSales, reader] });
    expect(fileOf(project, 'models/dw/totals.sql')).toContain("{{ source('dw', 'open_sales') }}");
  });
});
