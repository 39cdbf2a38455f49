/** Models added to a project that people wrote: both build, each in its own schema. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readExistingProject } from '../../../src/core/project/existing.ts';
import { model, translation } from '../../core/project/builders.ts';
import { failures, openHarness, renderFor } from './harness.ts';
import type { Harness } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness.close());

it('models of both kinds find their schemas', async () => {
  const database = await harness.database(`
    create schema stg; create schema dw;
    create table stg.orders (id integer, amount numeric(10,2)); insert into stg.orders values (1, 5);
    create table dw.sales (id integer primary key, amount numeric(10,2));`);
  const files = [
    {
      path: 'dbt_project.yml',
      text: "name: shop\nversion: '1.0.0'\nprofile: shop\nmodels:\n  shop:\n    marts:\n      +schema: marts\n",
    },
    {
      path: 'models/marts/report.sql',
      text: "select count(*) as n from {{ source('stg', 'orders') }}",
    },
    {
      path: 'models/marts/_sources.yml',
      text: 'sources:\n  - name: stg\n    tables:\n      - name: orders\n',
    },
  ];
  const { tables } = await database.catalog();
  const sales = tables.find((table) => table.name.name === 'sales');
  if (sales === undefined) throw new Error('no table');
  const project = await renderFor(
    database,
    [translation('dw.load()', [model(sales, 'SELECT o.id, o.amount FROM ‹current stg.orders› o')])],
    { existing: readExistingProject(files) },
  );
  expect(project.problems).toEqual([]);
  const folder = await harness.folder([...files, ...project.files]);
  const result = await harness.build(database, folder);
  expect(failures(result)).toEqual([]);
  expect(result.warnings).toEqual([]);
  expect(await database.rows('select id from dw.sales')).toEqual([['1']]);
  expect(await database.rows('select n from public_marts.report')).toEqual([['1']]);
});
