/** Models as dbt builds them on PostgreSQL: rows change, tables stay. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Table } from '../../../src/core/catalog/types.ts';
import type { TranslatedModel } from '../../../src/core/translate/types.ts';
import { model, query, translation } from '../../core/project/builders.ts';
import { failures, openHarness, renderFor } from './harness.ts';
import type { Harness, TestDatabase } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness.close());

const DIM = `
  create schema stg;
  create schema dw;
  create table stg.customers (name text, amount numeric, since interval);
  insert into stg.customers values ('anna', 1, '1 day'), ('bob', 2.50, null);
  create table dw.dim (
    id integer generated always as identity primary key,
    name text not null unique,
    amount numeric(10,2),
    ratio numeric,
    since interval,
    double_amount numeric generated always as (amount * 2) stored
  );
  create index dim_since on dw.dim (since);
  create table dw.fact (dim_id integer references dw.dim (id), quantity integer);
  insert into dw.dim (name, amount, ratio, since) values
    ('anna', 1, 1.0, '24 hours'), ('carl', 9, 1, '1 hour'), ('gone', 1, 1, '1 hour');
  insert into dw.fact values (1, 10);
  create view dw.dim_view as select name, double_amount from dw.dim;
  create role bi_reader_${process.pid};
  grant select on dw.dim to bi_reader_${process.pid};
`;

async function tableOf(database: TestDatabase, name: string): Promise<Table> {
  const found = (await database.catalog()).tables.find(
    (each) => `${each.name.schema}.${each.name.name}` === name,
  );
  if (found === undefined) throw new Error(`no table ${name}`);
  return found;
}

/** Builds one model for a table; gives the project's folder. */
async function projectFor(
  database: TestDatabase,
  tableName: string,
  final: string,
  more: Partial<TranslatedModel> = {},
): Promise<string> {
  const of = await tableOf(database, tableName);
  const project = await renderFor(database, [translation('dw.load()', [model(of, final, more)])]);
  return harness.folder(project.files);
}

describe('a table that is made again from its former rows', () => {
  const rebuild = `
    SELECT d.id, d.name, c.amount, cast(1.00 as numeric) AS ratio, c.since, cast(null as numeric) AS double_amount
    FROM ‹former dw.dim› d JOIN ‹current stg.customers› c ON c.name = d.name
    UNION ALL
    SELECT cast((SELECT coalesce(max(id), 0) FROM ‹former dw.dim› m) + row_number() OVER (ORDER BY c.name) AS integer),
      c.name, c.amount, 1, c.since, null
    FROM ‹current stg.customers› c
    WHERE NOT EXISTS (SELECT 1 FROM ‹former dw.dim› d WHERE d.name = c.name)`;
  let database: TestDatabase;
  let folder: string;
  const identity = () =>
    database.rows(`select oid, relacl::text from pg_class where oid = 'dw.dim'::regclass`);

  beforeAll(async () => {
    database = await harness.database(DIM);
    folder = await projectFor(database, 'dw.dim', rebuild);
  });
  afterAll(() =>
    database.run(`drop owned by bi_reader_${process.pid}; drop role bi_reader_${process.pid}`),
  );

  it('keeps its identity, grants, indexes, views, foreign keys, and changes only rows that differ', async () => {
    const before = await identity();
    const result = await harness.build(database, folder);
    expect(failures(result)).toEqual([]);
    expect(result.warnings).toEqual([]);
    expect(await identity()).toEqual(before);
    expect(
      await database.rows(
        'select id, name, amount, ratio, since, double_amount from dw.dim order by id',
      ),
    ).toEqual([
      // Equal to what was there, but not the same: 1.0 became 1.00, 24 hours became one day.
      ['1', 'anna', '1.00', '1.00', '1 day', '2.00'],
      ['4', 'bob', '2.50', '1', null, '5.00'],
    ]);
    expect(await database.rows('select count(*) from dw.dim_view')).toEqual([['2']]);
    expect(
      await database.rows(`select indexname from pg_indexes where tablename = 'dim' order by 1`),
    ).toEqual([['dim_name_key'], ['dim_pkey'], ['dim_since']]);
    const foreignKeys = `select count(*) from pg_constraint where contype = 'f' and confrelid = 'dw.dim'::regclass`;
    expect(await database.rows(foreignKeys)).toEqual([['1']]);
  });

  it('touches no row in a second run on the same input', async () => {
    const versions = 'select ctid, xmin, id from dw.dim order by id';
    const before = await database.rows(versions);
    const result = await harness.build(database, folder);
    expect(failures(result)).toEqual([]);
    // The first run gave bob a ratio of 1, which the model makes 1.00: one more change is right.
    const after = await harness.build(database, folder).then(() => database.rows(versions));
    expect(after).toHaveLength(before.length);
    expect(await harness.build(database, folder).then(() => database.rows(versions))).toEqual(
      after,
    );
  });

  it('hands out keys that later inserts do not collide with', async () => {
    await database.run(`insert into dw.dim (name) values ('by hand')`);
    expect(await database.rows(`select id from dw.dim where name = 'by hand'`)).toEqual([['5']]);
  });

  it('is not made anew by --full-refresh, which would lose its history', async () => {
    const before = await identity();
    const result = await harness.build(database, folder, { fullRefresh: true });
    expect(failures(result)).toEqual([]);
    expect(await identity()).toEqual(before);
    expect(await database.rows('select min(id) from dw.dim')).toEqual([['1']]);
  });

  it('is made with its own DDL where it does not exist', async () => {
    const empty = await harness.database(
      `create schema stg; create table stg.customers as select 'anna'::text as name, 1.005 as amount, interval '1 day' as since`,
    );
    const result = await harness.build(empty, folder);
    expect(failures(result)).toEqual([]);
    expect(await empty.rows('select id, name, amount, ratio from dw.dim')).toEqual([
      ['1', 'anna', '1.01', '1'],
    ]);
    const made = await tableOf(empty, 'dw.dim');
    expect(
      made.columns.map(
        ({ name, type, nullable }) => `${name} ${type}${nullable ? '' : ' not null'}`,
      ),
    ).toEqual([
      'id integer not null',
      'name text not null',
      'amount numeric(10,2)',
      'ratio numeric',
      'since interval',
      'double_amount numeric',
    ]);
    expect(made.columns[0]?.identity).toBe('by default');
    expect(made.keys.map(({ kind, columns }) => [kind, columns])).toEqual(
      expect.arrayContaining([
        ['primary', ['id']],
        ['unique', ['name']],
      ]),
    );
    await empty.run(`insert into dw.dim (name) values ('next')`);
    expect(await empty.rows(`select id from dw.dim where name = 'next'`)).toEqual([['2']]);
    // And the second run goes on from there.
    expect(failures(await harness.build(empty, folder))).toEqual([]);
    expect(await empty.rows('select name from dw.dim order by id')).toEqual([['anna']]);
  });
});

describe('values that the procedure could not have inserted stop the model', () => {
  const ddl = `
    create schema dw;
    create table dw.t (id integer primary key, name varchar(3) not null, amount numeric check (amount > 0));
    insert into dw.t values (1, 'old', 1);`;

  it.each([
    [
      'too long',
      `SELECT 1 AS id, 'long'::varchar AS name, 1::numeric AS amount`,
      /value too long/u,
    ],
    ['null', `SELECT 1 AS id, null::varchar AS name, 1::numeric AS amount`, /violates not-null/u],
    [
      'against the check',
      `SELECT 1 AS id, 'a'::varchar AS name, -1::numeric AS amount`,
      /violates check/u,
    ],
    [
      'a key twice',
      `SELECT 1 AS id, 'a'::varchar AS name, 1::numeric AS amount UNION ALL SELECT 1, 'b', 1`,
      /could not create unique index|violates unique/u,
    ],
    [
      'of another type',
      `SELECT 1.5::numeric AS id, 'a'::varchar AS name, 1::numeric AS amount`,
      /contract/u,
    ],
  ])('%s', async (_, final, message) => {
    for (const prepare of ['', 'drop table dw.t']) {
      const database = await harness.database(ddl);
      const folder = await projectFor(database, 'dw.t', final);
      await database.run(prepare);
      const result = await harness.build(database, folder, { resources: ['model'] });
      expect(result.ok).toBe(false);
      expect(result.nodes.map(({ message: said }) => said).join()).toMatch(message);
      if (prepare === '') expect(await database.rows('select name from dw.t')).toEqual([['old']]);
    }
  });
});

describe('rows without a key', () => {
  it('are replaced as a multiset, and none is lost where the model fails', async () => {
    const database = await harness.database(`
      create schema dw; create schema stg;
      create table stg.n (x integer); insert into stg.n values (1), (1), (2);
      create table dw.t (x integer check (x > 0)); insert into dw.t values (7), (1);
      create view dw.v as select x from dw.t;`);
    const folder = await projectFor(database, 'dw.t', 'SELECT x FROM ‹current stg.n›');
    expect(failures(await harness.build(database, folder))).toEqual([]);
    expect(await database.rows('select x from dw.v order by x')).toEqual([['1'], ['1'], ['2']]);
    await database.run('insert into stg.n values (-1)');
    expect((await harness.build(database, folder)).ok).toBe(false);
    expect(await database.rows('select x from dw.v order by x')).toEqual([['1'], ['1'], ['2']]);
  });
});

describe('a second unique key', () => {
  it('does not stand in the way where rows exchange its values', async () => {
    const database = await harness.database(`
      create schema dw;
      create table dw.ranks (id integer primary key, rank integer unique, name text);
      insert into dw.ranks values (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c');`);
    const folder = await projectFor(
      database,
      'dw.ranks',
      'SELECT r.id, 4 - r.rank AS rank, r.name FROM ‹former dw.ranks› r',
    );
    expect(failures(await harness.build(database, folder))).toEqual([]);
    expect(await database.rows('select id, rank from dw.ranks order by id')).toEqual([
      ['1', '3'],
      ['2', '2'],
      ['3', '1'],
    ]);
  });
});

describe('incremental forms', () => {
  const rows = `
    create schema dw; create schema stg;
    create table stg.n (id integer, v text); insert into stg.n values (1, 'one'), (2, 'two');`;
  const append = {
    incremental: {
      strategy: 'append' as const,
      uniqueKey: [],
      query: query(
        'SELECT n.id, n.v FROM ‹current stg.n› n WHERE NOT EXISTS (SELECT 1 FROM ‹former dw.t› t WHERE t.id = n.id)',
      ),
    },
  };
  const merge = {
    incremental: {
      strategy: 'merge' as const,
      uniqueKey: ['id'],
      query: query('SELECT n.id, n.v FROM ‹current stg.n› n'),
    },
  };
  const forms: readonly (readonly [string, Partial<TranslatedModel>, string, string])[] = [
    ['append', append, 'id integer primary key', 'one'],
    ['append_rows', append, 'id integer generated always as identity primary key', 'one'],
    ['merge', merge, 'id integer primary key', 'uno'],
    ['merge_rows', merge, 'id integer generated always as identity primary key', 'uno'],
  ];

  it.each(forms)('%s: on the first run, and on later ones', async (strategy, more, id, changed) => {
    const database = await harness.database(`${rows} create table dw.t (${id}, v text);`);
    const folder = await projectFor(
      database,
      'dw.t',
      'SELECT t.id, t.v FROM ‹former dw.t› t',
      more,
    );
    const content = 'select id, v from dw.t order by id';
    await database.run('drop table dw.t');
    for (const expected of [
      ['one', 'two'],
      [changed, 'two', 'three'],
    ]) {
      const result = await harness.build(database, folder);
      expect(failures(result)).toEqual([]);
      expect(await database.rows(content)).toEqual(expected.map((v, at) => [String(at + 1), v]));
      await database.run(
        `update stg.n set v = 'uno' where id = 1; delete from stg.n where id = 3; insert into stg.n values (3, 'three')`,
      );
    }
    expect(await database.rows(`select obj_description('dw.t'::regclass)`)).toEqual([[null]]);
    // The table as the procedure knew it, with whatever identity it had.
    await database.run(
      `drop table dw.t; create table dw.t (${id}, v text); insert into dw.t overriding system value values (1, 'old'), (9, 'kept');`,
    );
    const result = await harness.build(database, folder, { resources: ['model'] });
    expect(failures(result)).toEqual([]);
    expect(
      await database.rows('select distinct id, v from dw.t where id in (1, 9) order by id'),
    ).toEqual([
      ['1', strategy.startsWith('merge') ? 'uno' : 'old'],
      ['9', 'kept'],
    ]);
  });
});
