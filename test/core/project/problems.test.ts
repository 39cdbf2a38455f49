import { beforeAll, expect, it } from 'vitest';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';
import { catalog, model, name, table, translation } from './builders.ts';
import { loadSales, render, sales, totals } from './warehouse.ts';

beforeAll(loadParser);

const codes = (tables: readonly ReturnType<typeof table>[]) =>
  render({
    catalog: catalog({ tables }),
    translations: tables.map((each, index) =>
      translation(`dw.p${index}()`, [model(each, 'SELECT 1 AS id')]),
    ),
  }).problems.map(({ code, subject }) => [code, subject]);

it('names that dbt can’t handle are told', () => {
  expect(codes([table("dw.o'brien", { id: 'integer' })])).toEqual([
    ['unsupported-name', "dw.o'brien"],
  ]);
  expect(codes([table('dw.a"b', { id: 'integer' })])).toEqual([['unsupported-name', 'dw.a"b']]);
  expect(codes([table('dw.T', { id: 'integer' }), table('dw.t', { id: 'integer' })])).toEqual([
    ['case-clash', 'dw.T'],
    ['case-clash', 'dw.t'],
  ]);
});

it('foreign tables can’t be written', () => {
  expect(codes([table('dw.far', { id: 'integer' }, { kind: 'foreign' })])).toEqual([
    ['foreign-table', 'dw.far'],
  ]);
});

it('domains are not created', () => {
  const domain = {
    name: name('dw.email'),
    kind: 'domain' as const,
    labels: [],
    baseType: 'text',
    fields: [],
  };
  const project = render({
    catalog: catalog({ tables: [table('dw.t', { mail: 'dw.email' })], types: [domain] }),
    translations: [
      translation('dw.p()', [model(table('dw.t', { mail: 'dw.email' }), 'SELECT 1 AS mail')]),
    ],
  });
  expect(project.problems.map(({ code }) => code)).toEqual(['domain-type']);
});

it('a function that reads a table between its writers sees the wrong state', () => {
  const reader = translation('dw.sum_up()', [
    model(totals, 'SELECT dw.total_of_sales() AS total', { buildAfter: [sales.name] }),
  ]);
  const again = translation('dw.clean()', [model(sales, 'SELECT * FROM ‹former dw.sales› s')]);
  const codesOf = (order: readonly (typeof reader)[]) =>
    render({ translations: order }).problems.map(({ code }) => code);
  expect(codesOf([loadSales, reader, again])).toEqual(['function-reads-step']);
  expect(codesOf([loadSales, again, reader])).toEqual([]);
});
