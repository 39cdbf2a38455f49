/** Names and texts that break what is not careful, and rows of a proof as unit tests. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ModelUnitTest } from '../../../src/core/project/types.ts';
import { model, query, translation } from '../../core/project/builders.ts';
import { failures, openHarness, renderFor } from './harness.ts';
import type { Harness } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await openHarness();
});
afterAll(() => harness.close());

const LONG_ASCII = 'a'.repeat(63);
const LONG_UNICODE = 'ü'.repeat(31);
const TABLES = [
  'Sales',
  'with space',
  'dot.ted',
  '表',
  LONG_ASCII,
  LONG_UNICODE,
  '../up',
  '{{ x }}',
  'select',
];
const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

it('tables and columns may be called anything', async () => {
  const schema = 'Od d {%';
  const database = await harness.database(`
    create schema ${quoted(schema)};
    ${TABLES.map(
      (name) => `create table ${quoted(schema)}.${quoted(name)} (
        "Key ""1""" integer primary key, "amount €" numeric not null default 0 check ("amount €" <> 5), "order" text default '{{ d }}',
        unique ("order", "amount €"));
      comment on table ${quoted(schema)}.${quoted(name)} is 'Says {{ hello }} {% if %} {# x #} "y": z';
      comment on column ${quoted(schema)}.${quoted(name)}."order" is '{{ doc("x") }}';
      insert into ${quoted(schema)}.${quoted(name)} values (1, 1, 'kept');`,
    ).join('\n')}`);
  const { tables } = await database.catalog();
  const translations = tables.map((table, index) =>
    translation(`${schema}.load_${index}()`, [
      model(
        table,
        `SELECT t.* FROM ‹former ${schema}.${table.name.name}› t UNION ALL SELECT 2, 2, '{{ "x" }} {% y %} {#' -- {% a comment %} {# that opens`,
      ),
    ]),
  );
  // A schema with a dot in front would confuse `name`, which this test's builder uses.
  const fixed = translations.map((each, index) => ({
    ...each,
    models: each.models.map((built) => ({
      ...built,
      query: {
        ...built.query,
        final: built.query.final.map((part) =>
          part.kind === 'relation' ? { ...part, table: tables[index]?.name ?? part.table } : part,
        ),
      },
    })),
  }));
  const project = await renderFor(database, fixed);
  const folder = await harness.folder(project.files);
  for (const run of [1, 2]) {
    const result = await harness.build(database, folder);
    if (run === 1) expect(failures(result)).toEqual([]);
    expect(result.warnings).toEqual([]);
    for (const name of TABLES) {
      expect(
        await database.rows(`select * from ${quoted(schema)}.${quoted(name)} order by 1`),
      ).toEqual([
        ['1', '1', 'kept'],
        ['2', '2', '{{ "x" }} {% y %} {#'],
      ]);
    }
    if (run === 1) {
      // The first run on tables that are there; the second makes them from nothing.
      await database.run(`drop schema ${quoted(schema)} cascade; create schema ${quoted(schema)}`);
      const made = await harness.build(database, folder, { resources: ['model'] });
      expect(failures(made)).toEqual([]);
      expect(await database.rows(`select count(*) from ${quoted(schema)}."Sales"`)).toEqual([
        ['1'],
      ]);
      await database.run(
        TABLES.map(
          (name) =>
            `truncate ${quoted(schema)}.${quoted(name)}; insert into ${quoted(schema)}.${quoted(name)} values (1, 1, 'kept')`,
        ).join(';'),
      );
    }
  }
});

it('rows of a proof become unit tests', async () => {
  const database = await harness.database(`
    create schema stg; create schema dw;
    create type dw.tier as enum ('gold', 'none');
    create table stg.orders (customer text, amount numeric(10,2), tags text[], at timestamp with time zone);
    create table dw.customers (customer varchar(20) primary key, total numeric(12,2), tier dw.tier, tags text[], n bigint, since date);
    create table dw.appended (customer varchar(20), amount numeric(10,2));`);
  const { tables } = await database.catalog();
  const of = (name: string) => {
    const found = tables.find((table) => table.name.name === name);
    if (found === undefined) throw new Error(`no table ${name}`);
    return found;
  };
  const sum = translation('dw.sum()', [
    model(
      of('customers'),
      `SELECT coalesce(o.customer, f.customer)::varchar AS customer, sum(o.amount)::numeric(12,2) AS total,
         CASE WHEN sum(o.amount) > 100 THEN 'gold' ELSE 'none' END::dw.tier AS tier, max(o.tags) AS tags, count(*) AS n, min(o.at)::date AS since
       FROM ‹former dw.customers› f FULL JOIN ‹current stg.orders› o ON o.customer = f.customer GROUP BY 1`,
    ),
  ]);
  const append = translation('dw.append()', [
    model(
      of('appended'),
      'SELECT a.* FROM ‹former dw.appended› a UNION ALL SELECT o.customer, o.amount FROM ‹current stg.orders› o',
      {
        incremental: {
          strategy: 'append',
          uniqueKey: [],
          query: query(
            'SELECT o.customer::varchar AS customer, o.amount FROM ‹current stg.orders› o WHERE NOT EXISTS (SELECT 1 FROM ‹former dw.appended› a WHERE a.customer = o.customer)',
          ),
        },
      },
    ),
  ]);
  const orders = (rows: readonly (readonly (string | null)[])[]) => ({
    table: of('orders').name,
    state: 'current' as const,
    columns: ['customer', 'amount', 'tags', 'at'],
    rows,
  });
  const cases: readonly Omit<ModelUnitTest, 'parameters' | 'expectedChanges'>[] = [
    {
      name: 'sum: one customer',
      description: "Rows of round 1; {{ it's }}",
      routine: 'dw.sum()',
      table: of('customers').name,
      given: [
        orders([
          ["o'b {{ x }}", '99.50', '{a,"b c"}', '2024-01-02 03:04:05+00'],
          ["o'b {{ x }}", '1.50', null, null],
        ]),
        {
          table: of('customers').name,
          state: 'former',
          columns: ['customer', 'total', 'tier', 'tags', 'n'],
          rows: [['old', '1.00', 'none', null, '1']],
        },
      ],
      expected: {
        columns: ['customer', 'total', 'tier', 'tags', 'n', 'since'],
        rows: [
          ["o'b {{ x }}", '101.00', 'gold', '{a,"b c"}', '2', '2024-01-02'],
          ['old', null, 'none', null, '1', null],
        ],
      },
    },
    {
      name: 'append: only what is new',
      description: 'Rows of round 2.',
      routine: 'dw.append()',
      table: of('appended').name,
      given: [
        {
          ...orders([
            ['anna', '1.00'],
            ["{{ b'ob }} {% x %}", null],
            ['12:30', '1.00'],
          ]),
          columns: ['customer', 'amount'],
        },
        {
          table: of('appended').name,
          state: 'former',
          columns: ['customer', 'amount'],
          rows: [['anna', '7.00']],
        },
      ],
      expected: {
        columns: ['customer', 'amount'],
        rows: [
          ["{{ b'ob }} {% x %}", null],
          ['12:30', '1.00'],
        ],
      },
    },
    {
      name: 'append: empty',
      description: 'Nothing comes, nothing is added.',
      routine: 'dw.append()',
      table: of('appended').name,
      given: [],
      expected: { columns: ['customer', 'amount'], rows: [] },
    },
  ];
  const unitTests = cases.map((test): ModelUnitTest => ({
    ...test,
    parameters: {},
    expectedChanges: test.expected,
  }));
  const project = await renderFor(database, [sum, append], { unitTests });
  expect(project.problems).toEqual([]);
  const folder = await harness.folder(project.files);
  await database.run('drop table dw.appended');
  const result = await harness.build(database, folder);
  expect(failures(result)).toEqual([]);
  expect(result.warnings).toEqual([]);
  expect(
    result.nodes.filter(({ resource }) => resource === 'unit_test').map(({ status }) => status),
  ).toEqual(['pass', 'pass', 'pass']);

  // A unit test that can't fail would be worth nothing.
  const wrong = unitTests.map((test) => {
    const expected = { rows: [['wrong', null]], columns: test.expected.columns.slice(0, 2) };
    return { ...test, expected, expectedChanges: expected };
  });
  const other = await harness.folder(
    (await renderFor(database, [sum, append], { unitTests: wrong })).files,
  );
  const failed = await harness.build(database, other, { resources: ['unit_test'] });
  const tests = failed.nodes.filter(({ resource }) => resource === 'unit_test');
  expect(tests.map(({ status }) => status)).toEqual(['fail', 'fail', 'fail']);
});
