import { beforeAll, describe, expect, it } from 'vitest';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';
import { catalog, model, name, query, table, translation } from './builders.ts';
import { fileOf, loadSales, orders, render, sales, sumUp, totals } from './warehouse.ts';

beforeAll(loadParser);

describe('several procedures that write one table', () => {
  const first = loadSales;
  const between = sumUp;
  const second = translation('dw.purge(date)', [
    model(sales, 'SELECT * FROM ‹former dw.sales› s WHERE s.amount > 0'),
  ]);
  const project = render({ translations: [first, between, second] });

  it('are a chain, whose end has the name of the table', () => {
    expect(project.models.map((each) => [each.name, each.role, each.relation.name])).toEqual([
      ['sales__load_sales', 'step', 'sales__load_sales'],
      ['totals', 'final', 'totals'],
      ['sales', 'final', 'sales'],
    ]);
    expect(fileOf(project, 'models/dw/sales.sql')).toContain(
      "FROM {{ ref('sales__load_sales') }} s",
    );
  });

  it('show whoever reads between them the state of that moment', () => {
    expect(fileOf(project, 'models/dw/totals.sql')).toContain(
      "FROM {{ ref('sales__load_sales') }} s",
    );
  });

  it('never take the incremental form, which would see the wrong former rows', () => {
    const append = translation('dw.append()', [
      model(
        sales,
        'SELECT * FROM ‹former dw.sales› s UNION ALL SELECT * FROM ‹current stg.orders› o',
        {
          incremental: {
            strategy: 'append',
            uniqueKey: [],
            query: query('SELECT * FROM ‹current stg.orders› o'),
          },
        },
      ),
    ]);
    const text = fileOf(render({ translations: [first, append] }), 'models/dw/sales.sql');
    expect(text).toContain("incremental_strategy='replace_rows'");
    expect(text).toContain('UNION ALL');
  });

  it('do not take the name of a table that exists', () => {
    const taken = table('dw.sales__load_sales', { id: 'integer' });
    const steps = render({
      catalog: catalog({ tables: [orders, sales, totals, taken] }),
      translations: [first, second],
    });
    expect(steps.models[0]?.relation.name).toMatch(/^sales__load_sales_[0-9a-f]{8}$/u);
  });
});

it('a step that several models of a procedure share is a table of its own', () => {
  const shared = (routine: string, of: string) =>
    translation(routine, [
      {
        ...model(totals, 'SELECT count(*) AS total FROM ‹current stg.orders›'),
        table: name('dw.work'),
        intermediate: true,
      },
      { ...model(totals, 'SELECT total FROM ‹final dw.work› w'), table: name(of) },
    ]);
  const project = render({
    translations: [shared('dw.a()', 'dw.totals'), shared('dw.b()', 'dw.sales')],
  });
  expect(project.models.map((each) => [each.name, each.role])).toEqual([
    ['work__a', 'step'],
    ['totals', 'final'],
    ['work__b', 'step'],
    ['sales', 'final'],
  ]);
  expect(fileOf(project, 'models/dw/sales.sql')).toContain("FROM {{ ref('work__b') }} w");
  expect(fileOf(project, 'models/dw/work__b.sql')).toContain("materialized='table'");
});
