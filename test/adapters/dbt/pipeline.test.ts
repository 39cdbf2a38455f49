/** Several procedures in order, on real dbt: who reads which state, who waits for whom. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RenderedProject } from '../../../src/core/project/types.ts';
import type { Table } from '../../../src/core/catalog/types.ts';
import { check, model, query, translation } from '../../core/project/builders.ts';
import { failures, openHarness, renderFor, ROOT } from './harness.ts';
import type { Harness, TestDatabase } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness.close());

const DDL = `
  create schema stg; create schema dw;
  create table stg.orders (id integer, customer text, amount numeric(10,2), day date);
  insert into stg.orders values (1, 'anna', 10, '2024-01-01'), (2, 'bob', 20, '2024-01-02'), (3, 'anna', -5, '2024-01-02');
  create type dw.size as enum ('small', 'big');
  create function dw.size_of(amount numeric) returns dw.size language sql immutable
    as $$ select case when amount > 15 then 'big' else 'small' end::dw.size $$;
  create function dw.label(amount numeric) returns text language plpgsql immutable
    as $$ begin return '{{ ' || dw.size_of(amount) || ' }}'; end $$;
  create table dw.sales (id integer primary key, customer text, amount numeric(10,2), size dw.size, label text);
  create table dw.before_load (n bigint);
  create table dw.after_load (n bigint, total numeric(12,2));
  create table dw.per_customer (customer text primary key, total numeric(12,2), until date);
  create view dw.positive as select id, customer, amount from dw.sales where amount > 0;
`;

async function tables(database: TestDatabase): Promise<(name: string) => Table> {
  const { tables: found } = await database.catalog();
  return (name) => {
    const table = found.find((each) => each.name.name === name);
    if (table === undefined) throw new Error(`no table ${name}`);
    return table;
  };
}

async function pipeline(database: TestDatabase): Promise<RenderedProject> {
  const of = await tables(database);
  return renderFor(
    database,
    [
      translation('dw.count_before()', [
        model(of('before_load'), 'SELECT count(*) AS n FROM ‹current dw.positive›'),
      ]),
      translation(
        'dw.load_sales()',
        [
          model(of('sales'), '', {
            materialization: 'rebuild',
            query: query(
              'SELECT id, customer, amount, size, label FROM ‹cte kept› UNION ALL SELECT id, customer, amount, dw.size_of(amount) AS size, dw.label(amount) AS label FROM ‹cte new_orders›',
              {
                kept: 'SELECT s.* FROM ‹former dw.sales› s WHERE s.id < 0',
                new_orders: "SELECT * FROM ‹current stg.orders› -- the author's {% comment %}\n",
              },
            ),
          }),
        ],
        {
          tests: [
            check('no_orders', 'SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM ‹current stg.orders› o)'),
          ],
        },
      ),
      translation('dw.count_between()', [
        model(
          of('after_load'),
          'SELECT count(*) AS n, sum(amount) AS total FROM ‹current dw.sales›',
        ),
      ]),
      translation('dw.clean()', [
        model(of('sales'), 'SELECT s.* FROM ‹former dw.sales› s WHERE (s.amount < 0) IS NOT TRUE'),
      ]),
      translation(
        'dw.sum_up(date)',
        [
          model(
            of('per_customer'),
            `SELECT p.customer, sum(p.amount)::numeric(12,2) AS total, ‹parameter until date› AS until
             FROM ‹current dw.positive› p JOIN ‹current stg.orders› o USING (id)
             WHERE o.day <= ‹parameter until date› AND o.day < ‹clock CURRENT_DATE | date› GROUP BY p.customer`,
          ),
        ],
        {
          parameters: [{ name: 'until', type: 'date', defaultSql: 'CURRENT_DATE' }],
          tests: [
            check('negative_total', 'SELECT 1 FROM ‹final dw.per_customer› c WHERE c.total < 0', {
              when: 'after',
            }),
          ],
        },
      ),
      translation('dw.run_all()', [], {
        outcome: 'calls',
        calls: ['dw.load_sales()', 'dw.clean()'],
      }),
    ],
    {
      freshness: [
        {
          table: { schema: 'stg', name: 'orders' },
          loadedAtColumn: 'day',
          warnAfterHours: 24,
          errorAfterHours: null,
        },
      ],
      clock: '2024-01-02 08:00:00+00',
      parameters: { 'dw.sum_up(date)': { until: "DATE '2024-01-31'" } },
    },
  );
}

describe('a pipeline', () => {
  it('builds every state in its turn, from scratch and again', async () => {
    const database = await harness.database(DDL);
    const project = await pipeline(database);
    expect(project.problems).toEqual([]);
    const folder = await harness.folder(project.files);
    expect(
      (
        await harness.runner.parse({
          projectDir: folder,
          connection: database.connection,
          vars: {},
        })
      ).warnings,
    ).toEqual([]);
    // First where nothing of it exists, functions and types neither; then once more.
    await database.run('drop schema dw cascade');
    for (const before of ['0', '2']) {
      const result = await harness.build(database, folder);
      expect(failures(result)).toEqual([]);
      expect(result.warnings).toEqual([]);
      expect(await database.rows('select n from dw.before_load')).toEqual([[before]]);
      expect(await database.rows('select n, total from dw.after_load')).toEqual([['3', '25.00']]);
      expect(await database.rows('select id, size, label from dw.sales order by id')).toEqual([
        ['1', 'small', '{{ small }}'],
        ['2', 'big', '{{ big }}'],
      ]);
      expect(await database.rows('select * from dw.per_customer')).toEqual([
        ['anna', '10.00', '2024-01-31'],
      ]);
    }
  });

  it('stops before its first write where a check fails', async () => {
    const database = await harness.database(`${DDL} insert into dw.sales values (9, 'kept', 1);`);
    const folder = await harness.folder((await pipeline(database)).files);
    await database.run('truncate stg.orders');
    const result = await harness.build(database, folder);
    expect(result.nodes.find(({ name }) => name === 'no_orders')?.status).toBe('fail');
    expect(result.nodes.find(({ name }) => name === 'sales')?.status).toBe('skipped');
    expect(await database.rows('select id from dw.sales')).toEqual([['9']]);
  });

  it('has a selector for what only called others', async () => {
    const database = await harness.database(DDL);
    const folder = await harness.folder((await pipeline(database)).files);
    await harness.runner.parse({ projectDir: folder, connection: database.connection, vars: {} });
    const profile =
      'warehouse: {target: x, outputs: {x: {type: postgres, host: h, user: u, password: p, port: 1, dbname: d, schema: s, threads: 1}}}';
    const profiles = await harness.folder([{ path: 'profiles.yml', text: profile }]);
    const { stdout } = await promisify(execFile)(join(ROOT, '.venv/bin/dbt'), [
      '--quiet',
      '--no-send-anonymous-usage-stats',
      'ls',
      '--selector',
      'run_all',
      '--output',
      'name',
      '--project-dir',
      folder,
      '--profiles-dir',
      profiles,
      '--target-path',
      join(profiles, 'target'),
      '--log-path',
      join(profiles, 'logs'),
    ]);
    expect(stdout).toContain('no_orders');
    expect(
      stdout
        .split('\n')
        .filter((line) => line.startsWith('sales'))
        .toSorted(),
    ).toEqual(['sales', 'sales__load_sales']);
  });

  it('passes sqlfluff with the configuration that comes with it', async () => {
    const database = await harness.database(DDL);
    const folder = await harness.folder((await pipeline(database)).files);
    const { stdout } = await promisify(execFile)(
      join(ROOT, '.venv/bin/sqlfluff'),
      ['lint', 'models', 'tests', '--disable-progress-bar'],
      { cwd: folder },
    );
    expect(stdout).toContain('All Finished');
    expect(stdout).not.toMatch(/FAIL|PRS/u);
  });
});

it('a parameter without a default says what is missing', async () => {
  const database = await harness.database(DDL);
  const of = await tables(database);
  const project = await renderFor(database, [
    translation('dw.x(bigint)', [model(of('before_load'), 'SELECT ‹parameter n bigint› AS n')], {
      parameters: [{ name: 'n', type: 'bigint', defaultSql: null }],
    }),
  ]);
  const folder = await harness.folder(project.files);
  const missing = await harness.build(database, folder, { resources: ['model'] });
  expect(missing.nodes[0]?.message).toContain("The variable 'n' has no value");
  const given = await harness.build(database, folder, {
    resources: ['model'],
    vars: { n: '40 + 2' },
  });
  expect(failures(given)).toEqual([]);
  expect(await database.rows('select n from dw.before_load')).toEqual([['42']]);
});
