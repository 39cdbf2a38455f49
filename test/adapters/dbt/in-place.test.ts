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

it('values that the procedure could not have inserted stop the model', async () => {
  const wrong = {
    too_long: [`SELECT 1 AS id, 'long'::varchar AS name, 1::numeric AS amount`, /value too long/u],
    null_name: [
      `SELECT 1 AS id, null::varchar AS name, 1::numeric AS amount`,
      /violates not-null/u,
    ],
    checked: [`SELECT 1 AS id, 'a'::varchar AS name, -1::numeric AS amount`, /violates check/u],
    twice: [
      `SELECT 1 AS id, 'a'::varchar AS name, 1::numeric AS amount UNION ALL SELECT 1, 'b', 1`,
      /could not create unique index|violates unique/u,
    ],
    other_type: [
      `SELECT 1.5::numeric AS id, 'a'::varchar AS name, 1::numeric AS amount`,
      /contract/u,
    ],
  } as const;
  const names = Object.keys(wrong);
  const database = await harness.database(
    `create schema dw; ${names
      .map(
        (name) => `
          create table dw.${name} (id integer primary key, name varchar(3) not null, amount numeric check (amount > 0));
          insert into dw.${name} values (1, 'old', 1);`,
      )
      .join('')}`,
  );
  const translations = await Promise.all(
    Object.entries(wrong).map(async ([name, [final]]) =>
      translation(`dw.load_${name}()`, [model(await tableOf(database, `dw.${name}`), final)]),
    ),
  );
  const folder = await harness.folder((await renderFor(database, translations)).files);
  const expectFailures = async () => {
    const result = await harness.build(database, folder, { resources: ['model'] });
    for (const [name, [, message]] of Object.entries(wrong)) {
      expect(result.nodes.find((node) => node.name === name)?.message, name).toMatch(message);
    }
  };
  await expectFailures();
  for (const name of names)
    expect(await database.rows(`select name from dw.${name}`)).toEqual([['old']]);
  // And where dbt makes the tables.
  await database.run(names.map((name) => `drop table dw.${name};`).join(''));
  await expectFailures();
});

describe('rows without a key', () => {
  it('are replaced as a multiset, and none is lost where the model fails', async () => {
    const database = await harness.database(`
      create schema dw; create schema stg;
      create table stg.n (x integer); insert into stg.n values (1), (1), (2);
      create table dw.t (x integer check (x > 0)) partition by range (x);
      create table dw.t_low partition of dw.t for values from (minvalue) to (2);
      create table dw.t_high partition of dw.t default;
      insert into dw.t values (7), (1);
      create view dw.v as select x from dw.t;`);
    const folder = await projectFor(database, 'dw.t', 'SELECT x FROM ‹current stg.n›');
    expect(failures(await harness.build(database, folder))).toEqual([]);
    expect(await database.rows('select x from dw.v order by x')).toEqual([['1'], ['1'], ['2']]);
    expect(await database.rows('select x from dw.t_low')).toEqual([['1'], ['1']]);
    await database.run('insert into stg.n values (-1)');
    expect((await harness.build(database, folder)).ok).toBe(false);
    expect(await database.rows('select x from dw.v order by x')).toEqual([['1'], ['1'], ['2']]);
  });
});

it('keys from a sequence of their own are not handed out twice', async () => {
  const database = await harness.database(`
    create schema dw; create sequence dw.keys;
    create table dw.t (id integer primary key default nextval('dw.keys'), v text);`);
  const folder = await projectFor(
    database,
    'dw.t',
    'SELECT coalesce(max(t.id), 0) + 10 AS id, null::text AS v FROM ‹former dw.t› t',
    {
      columns: [
        { name: 'id', type: 'integer', baseType: 'integer', surrogate: true, unprovable: null },
        { name: 'v', type: 'text', baseType: 'text', surrogate: false, unprovable: null },
      ],
    },
  );
  expect(failures(await harness.build(database, folder))).toEqual([]);
  await database.run(`insert into dw.t (v) values ('by hand')`);
  expect(await database.rows('select id from dw.t order by id')).toEqual([['10'], ['11']]);
  // Where dbt makes the table, nobody has made the sequence.
  await database.run('drop schema dw cascade');
  expect(failures(await harness.build(database, folder))).toEqual([]);
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
    // Nothing has counted them before: what reads the table next is planned by this.
    const known = `select reltuples from pg_class where oid = 'dw.ranks'::regclass`;
    expect(await database.rows(known)).toEqual([['3']]);
  });
});

it('incremental forms are right on the first run, and on later ones', async () => {
  const always = 'integer generated always as identity';
  const forms = [
    ['append', 'integer'],
    ['append_rows', always],
    ['merge', 'integer'],
    ['merge_rows', always],
  ] as const;
  const create = (id: string, name: string) =>
    `create table dw.t_${name} (id ${id} primary key, v text);`;
  const database = await harness.database(`
    create schema dw; create schema stg;
    create table stg.n (id integer, v text); insert into stg.n values (1, 'one'), (2, 'two');
    ${forms.map(([name, id]) => create(id, name)).join('')}`);
  const translations = await Promise.all(
    forms.map(async ([name]) => {
      const table = `dw.t_${name}`;
      const strategy = name.startsWith('append') ? 'append' : 'merge';
      const rows = 'SELECT n.id, n.v FROM ‹current stg.n› n';
      const added = `${rows} WHERE NOT EXISTS (SELECT 1 FROM ‹former ${table}› t WHERE t.id = n.id)`;
      return translation(`dw.load_${name}()`, [
        model(await tableOf(database, table), `SELECT t.id, t.v FROM ‹former ${table}› t`, {
          incremental: {
            strategy,
            uniqueKey: strategy === 'merge' ? ['id'] : [],
            query: query(strategy === 'append' ? added : rows),
          },
        }),
      ]);
    }),
  );
  const project = await renderFor(database, translations);
  for (const [name] of forms) {
    const text = project.files.find(({ path }) => path === `models/dw/t_${name}.sql`)?.text;
    expect(text).toContain(`incremental_strategy='${name}'`);
  }
  const folder = await harness.folder(project.files);
  const contents = async (where = '') =>
    Object.fromEntries(
      await Promise.all(
        forms.map(async ([name]) => [
          name.replace('_rows', ''),
          await database.rows(`select id, v from dw.t_${name} ${where} order by id`),
        ]),
      ),
    );
  const all = `drop table ${forms.map(([name]) => `dw.t_${name}`).join(', ')};`;

  await database.run(all);
  expect(failures(await harness.build(database, folder))).toEqual([]);
  const first = [
    ['1', 'one'],
    ['2', 'two'],
  ];
  expect(await contents()).toEqual({ append: first, merge: first });
  await database.run(
    `update stg.n set v = 'uno' where id = 1; insert into stg.n values (3, 'three')`,
  );
  expect(failures(await harness.build(database, folder))).toEqual([]);
  expect(await contents()).toEqual({
    append: [
      ['1', 'one'],
      ['2', 'two'],
      ['3', 'three'],
    ],
    merge: [
      ['1', 'uno'],
      ['2', 'two'],
      ['3', 'three'],
    ],
  });

  // The tables as the procedures knew them, identity and all.
  await database.run(
    `${all} ${forms
      .map(
        ([name, id]) =>
          `${create(id, name)} insert into dw.t_${name} overriding system value values (1, 'old'), (9, 'kept');`,
      )
      .join('')}`,
  );
  expect(failures(await harness.build(database, folder))).toEqual([]);
  expect(await contents('where id in (1, 9)')).toEqual({
    append: [
      ['1', 'old'],
      ['9', 'kept'],
    ],
    merge: [
      ['1', 'uno'],
      ['9', 'kept'],
    ],
  });
});
