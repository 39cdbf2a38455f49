/** The scope of a small warehouse on a real server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCatalog } from '../../../src/adapters/postgres/catalog.ts';
import { openSandbox } from '../../../src/adapters/sandbox/open.ts';
import { qualified } from '../../../src/core/catalog/names.ts';
import type { Catalog } from '../../../src/core/catalog/types.ts';
import { planDraft } from '../../../src/core/graph/plan-draft.ts';
import { drawScope } from '../../../src/core/graph/scope.ts';
import type { Scope, ScopeRow } from '../../../src/core/graph/scope.ts';
import { scheduleRun } from '../../../src/core/lifecycle/schedule.ts';
import { renderDraft } from '../../../src/core/plan/draft.ts';
import { parsePlan } from '../../../src/core/plan/parse.ts';
import { loadParser } from '../../../src/core/translate/postgres/parser.ts';
import type { Sandbox } from '../../../src/ports/sandbox.ts';

const ODD = '"Odd ""schema"""."load | `all`"';
const SQL = `
  CREATE SCHEMA stg; CREATE SCHEMA dw; CREATE SCHEMA "Odd ""schema""";
  CREATE TABLE stg.orders (id integer PRIMARY KEY, customer integer, amount numeric);
  CREATE TABLE stg.raw (line text);
  CREATE TABLE stg.settings (name text NOT NULL UNIQUE, value text);
  CREATE TABLE dw.fact (id integer PRIMARY KEY, customer integer, amount numeric);
  CREATE TABLE dw.agg (customer integer, total numeric);
  CREATE TABLE dw.both (n integer); CREATE TABLE dw.log (message text, at timestamp);
  CREATE TABLE dw.left (n integer); CREATE TABLE dw.right (n integer);
  CREATE TABLE "Odd ""schema"""."a.b" ("select" integer);
  CREATE FUNCTION dw.rounded(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT round($1, 2)';
  CREATE FUNCTION dw.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
  CREATE PROCEDURE dw.say(what text) LANGUAGE sql AS 'INSERT INTO dw.log VALUES (what, now())';
  CREATE PROCEDURE dw.aggregate() LANGUAGE plpgsql AS $$ BEGIN
    CALL dw.say('begin');
    TRUNCATE dw.agg;
    INSERT INTO dw.agg SELECT customer, dw.rounded(sum(amount)) FROM dw.fact GROUP BY customer; END $$;
  CREATE PROCEDURE dw.load_fact() LANGUAGE sql AS $$
    TRUNCATE dw.fact; INSERT INTO dw.fact SELECT id, customer, amount FROM stg.orders; $$;
  CREATE PROCEDURE dw.one() LANGUAGE sql AS 'INSERT INTO dw.both SELECT 1 FROM stg.raw';
  CREATE PROCEDURE dw.two() LANGUAGE sql AS 'INSERT INTO dw.both SELECT count(*) FROM stg.settings';
  CREATE PROCEDURE dw.a_left() LANGUAGE sql AS 'TRUNCATE dw.left; INSERT INTO dw.left SELECT n FROM dw.right';
  CREATE PROCEDURE dw.a_right() LANGUAGE sql AS 'TRUNCATE dw.right; INSERT INTO dw.right SELECT n FROM dw.left';
  CREATE PROCEDURE dw.export() LANGUAGE plpgsql AS $$ BEGIN COPY dw.agg TO '/tmp/x'; END $$;
  CREATE PROCEDURE dw.nightly() LANGUAGE plpgsql AS $$ BEGIN CALL dw.load_fact(); CALL dw.aggregate(); END $$;
  CREATE PROCEDURE ${ODD}(integer) LANGUAGE sql AS
    'TRUNCATE "Odd ""schema"""."a.b"; INSERT INTO "Odd ""schema"""."a.b" SELECT $1';
`;

let sandbox: Sandbox;
let catalog: Catalog;
let scope: Scope;

beforeAll(async () => {
  await loadParser();
  sandbox = await openSandbox(process.env['DATABASE_URL'] ?? null);
  await sandbox.create('scope');
  const session = await sandbox.connect('scope');
  await session.query(SQL);
  catalog = await readCatalog(session);
  await session.close();
  scope = drawScope(catalog);
});

afterAll(() => sandbox.close());

function row(id: string): ScopeRow {
  const found = scope.rows.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no row ${id}`);
  return found;
}

const settings = {
  name: 'small',
  source: { dialect: 'postgres', urlVariable: 'SOURCE_DATABASE_URL' },
  target: { dialect: 'postgres', urlVariable: 'TARGET_DATABASE_URL', metadataSchema: 'wirekite' },
  sandboxUrlVariable: null,
  production: { repository: null, base: null, project: 'transform' },
  workers: 4,
  maxRows: 1000,
} as const;

test('functions that only compute a value are helpers, all else is a row', () => {
  expect(scope.helpers).toEqual(['dw.rounded(numeric)']);
  expect(scope.rows).toHaveLength(catalog.routines.length - 1);
});

test('rows stand in an order in which they can run', () => {
  const ids = scope.rows.map(({ id }) => id);
  expect(ids.indexOf('dw.load_fact()')).toBeLessThan(ids.indexOf('dw.aggregate()'));
  expect(ids.indexOf('dw.aggregate()')).toBeLessThan(ids.indexOf('dw.nightly()'));
  expect(row('dw.aggregate()').dependsOn).toEqual(['dw.load_fact()']);
});

test('what only gets its arguments from others goes along with them', () => {
  expect(row('dw.say(text)')).toMatchObject({ include: false });
  expect(row('dw.say(text)').reasons[0]).toContain('gets its arguments from dw.aggregate()');
  expect(row('dw.aggregate()')).toMatchObject({ include: true, rating: 'Likely' });
  expect(row('dw.aggregate()').writes.map(qualified)).toEqual(['dw.agg']);
});

test('what can not be translated starts as no, with the reason', () => {
  expect(row('dw.export()')).toMatchObject({ include: false, rating: 'Manual' });
  expect(row('dw.note()')).toMatchObject({ include: false, rating: 'Manual' });
});

test('a cycle is named and left out, so that the rest can run', () => {
  expect(scope.cycles).toEqual([['dw.a_left()', 'dw.a_right()']]);
  expect(row('dw.a_left()')).toMatchObject({ include: false, rating: 'Unlikely' });
  expect(row('dw.a_left()').reasons[0]).toContain('dw.a_left() → dw.a_right() → dw.a_left()');
});

test('two writers without an order are Possible, and say so', () => {
  expect(scope.graph.unordered.map(({ table }) => qualified(table))).toEqual(['dw.both']);
  for (const id of ['dw.one()', 'dw.two()']) {
    expect(row(id)).toMatchObject({ include: true, rating: 'Possible' });
    expect(row(id).reasons[0]).toContain('put the rows in the order in which they run');
  }
});

test('a value that only a person can give', () => {
  const odd = row('Odd "schema".load | `all`(integer)');
  expect(odd.reasons).toEqual(['needs a value for $1 in Arguments']);
});

describe('as a plan', () => {
  test('it reads back without a problem, awkward names too', () => {
    const text = renderDraft(planDraft(scope, catalog, settings, false));
    const { plan, problems } = parsePlan(text);
    expect(problems).toEqual([]);
    expect(plan?.procedures.map(({ id, include, rating }) => [id, include, rating])).toEqual(
      scope.rows.map(({ id, include, rating }) => [id, include, rating]),
    );
    expect(plan?.procedures.find(({ id }) => id === 'dw.nightly()')?.dependsOn.procedures).toEqual([
      'dw.aggregate()',
    ]);
  });

  test('pipelines for tables that are read and that nobody makes, followed where there is a key', () => {
    const { pipelines } = planDraft(scope, catalog, settings, false);
    expect(pipelines.map(({ source, key, mode }) => [qualified(source), key, mode])).toEqual([
      ['stg.orders', ['id'], 'load + changes'],
      ['stg.raw', [], 'load'],
      ['stg.settings', ['name'], 'load + changes'],
    ]);
    expect(planDraft(scope, catalog, settings, true).pipelines).toEqual([]);
  });

  test('procedures wait for the pipelines of what they read, a part or the whole of it too', () => {
    const { plan } = parsePlan(renderDraft(planDraft(scope, catalog, settings, false)));
    if (plan === null) throw new Error('the draft does not read');
    const awaited = (source: Catalog, pipelines = plan.pipelines) =>
      Object.fromEntries(
        scheduleRun({ ...plan, pipelines }, source, []).procedures.map(({ id, pipelines: of }) => [
          id,
          of,
        ]),
      );
    expect(awaited(catalog)).toMatchObject({
      'dw.load_fact()': ['stg.orders'],
      'dw.one()': ['stg.raw'],
      'dw.two()': ['stg.settings'],
      // What it reads is made by another procedure, for which it waits.
      'dw.aggregate()': [],
    });
    const parted = {
      ...catalog,
      tables: catalog.tables.map((table) =>
        table.name.name === 'raw'
          ? { ...table, partitionOf: { schema: 'stg', name: 'orders' } }
          : table,
      ),
    };
    expect(awaited(parted)).toMatchObject({
      'dw.load_fact()': ['stg.orders', 'stg.raw'],
      'dw.one()': ['stg.orders', 'stg.raw'],
    });
    const left = plan.pipelines.map((pipeline) => ({ ...pipeline, include: false }));
    expect(awaited(catalog, left)).toMatchObject({ 'dw.load_fact()': [] });
  });

  test('only the schemas asked for', () => {
    const some = drawScope(catalog, { schemas: new Set(['Odd "schema"']) });
    expect(some.rows.map(({ id }) => id)).toEqual(['Odd "schema".load | `all`(integer)']);
  });
});
