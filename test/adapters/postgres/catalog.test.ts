import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCatalog } from '../../../src/adapters/postgres/catalog.ts';
import { openSandbox } from '../../../src/adapters/sandbox/open.ts';
import { qualified, routineId } from '../../../src/core/catalog/names.ts';
import type { Catalog, Column, Table } from '../../../src/core/catalog/types.ts';
import type { Sandbox, SqlSession } from '../../../src/ports/sandbox.ts';

const DDL = readFileSync(
  new URL('../../fixtures/postgres/catalog/awkward.sql', import.meta.url),
  'utf8',
);
const ODD = 'My "Odd" Schema';
const ODD_TABLE = "a.b c'd|e`f";

let sandbox: Sandbox;
let session: SqlSession;
let catalog: Catalog;

beforeAll(async () => {
  sandbox = await openSandbox(process.env['DATABASE_URL'] ?? null);
  await sandbox.create('awkward');
  session = await sandbox.connect('awkward');
  await session.query(DDL);
  catalog = await readCatalog(session);
});

afterAll(async () => {
  await session.close();
  await sandbox.close();
});

function table(name: string, schema = 'dw'): Table {
  const found = catalog.tables.find((each) => qualified(each.name) === `${schema}.${name}`);
  if (found === undefined) throw new Error(`no table ${schema}.${name}`);
  return found;
}

function column(name: string): Column {
  const found = table('customer').columns.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no column ${name}`);
  return found;
}

function routine(id: string) {
  const found = catalog.routines.find((each) => routineId(each) === id);
  if (found === undefined) throw new Error(`no routine ${id}`);
  return found;
}

describe('scope', () => {
  test('objects of the system and of extensions are left out', () => {
    expect(catalog.tables.map((each) => qualified(each.name))).toEqual([
      `${ODD}.${ODD_TABLE}`,
      'dw.click',
      'dw.customer',
      'dw.event',
      'dw.event_2024',
      'schema.with.dots.éééééééééééééééééééééééééééééé_63',
    ]);
    expect(catalog.routines.map(routineId)).toEqual([
      `${ODD}.load (all)(integer)`,
      'dw.atomic(integer, bpchar)',
      'dw.plain(integer, dw.mood, text[])',
      'dw.returning(integer)',
      'dw.rows()',
      'dw.touch()',
    ]);
    expect(catalog.searchPath).toEqual(['public']);
  });

  test('only the schemas asked for', async () => {
    const some = await readCatalog(session, { schemas: [ODD] });
    expect(some.tables.map((each) => each.name.name)).toEqual([ODD_TABLE]);
    expect(some.routines.map(routineId)).toEqual([`${ODD}.load (all)(integer)`]);
    expect([some.views, some.sequences, some.types, some.schemaComments]).toEqual([[], [], [], {}]);
  });

  test('a schema that is not there is named', async () => {
    await expect(readCatalog(session, { schemas: ['dw', 'DW'] })).rejects.toMatchObject({
      name: 'CatalogError',
      code: 'unknown-schema',
      message: 'The database has no schema "DW".',
    });
  });

  test('the session is left as it was found', async () => {
    const { rows } = await session.query('SHOW search_path');
    expect(rows).toEqual([['"$user", public']]);
    await session.query('CREATE TEMPORARY TABLE writable (a integer); DROP TABLE writable');
  });
});

describe('columns', () => {
  test.each([
    ['code', 'character(3)', 'bpchar'],
    ['loose', 'bpchar', 'bpchar'],
    ['name', 'character varying(40)', 'character varying'],
    ['email', 'public.citext', 'public.citext'],
    ['total', 'dw.amount', 'dw.amount'],
    ['lengths', 'character varying(5)[]', 'character varying[]'],
    ['at', 'timestamp(3) with time zone', 'timestamp with time zone'],
  ])('%s is %s, without length %s', (name, type, baseType) => {
    expect(column(name)).toMatchObject({ type, baseType });
  });

  test('dropped columns are gone, the others in the order of the table', () => {
    expect(table('customer').columns.map((each) => each.name)).toEqual(
      'id old_id code loose email name feeling total numbered labelled'
        .split(' ')
        .concat('Größe, in "cm"', 'tags', 'lengths', 'doubled', 'at'),
    );
  });

  test('defaults keep their SQL, with names in full', () => {
    expect(column('name').defaultSql).toBe("'it''s'::character varying");
    expect(column('feeling').defaultSql).toBe("'sad'::dw.mood");
    expect(column('code').defaultSql).toBeNull();
  });

  test('sequences: identity, serial, a shared one; not where it is only a part of the value', () => {
    expect(column('id')).toMatchObject({
      identity: 'always',
      defaultSql: null,
      nullable: false,
      sequence: { schema: 'dw', name: 'customer_id_seq' },
    });
    expect(column('old_id')).toMatchObject({
      identity: null,
      defaultSql: "nextval('dw.customer_old_id_seq'::regclass)",
      sequence: { schema: 'dw', name: 'customer_old_id_seq' },
    });
    expect(column('numbered').sequence).toEqual({ schema: 'dw', name: 'alone' });
    expect(column('labelled').sequence).toBeNull();
  });

  test('generated columns, NOT NULL by domain, comments', () => {
    expect(column('doubled')).toMatchObject({
      generatedSql: '("Größe, in ""cm""" * (2)::numeric)',
      defaultSql: null,
    });
    expect(column('total').nullable).toBe(false);
    expect(column('Größe, in "cm"').comment).toBe('größer');
  });
});

describe('tables', () => {
  test('keys: primary, composite, partial, by expression, NULLS NOT DISTINCT', async () => {
    const plain = { nullsNotDistinct: false, predicateSql: null, hasExpressions: false };
    expect(table('customer').keys).toEqual([
      { ...plain, name: 'customer_pkey', kind: 'primary', columns: ['id'] },
      {
        ...plain,
        name: 'by_lower',
        kind: 'unique',
        columns: [],
        hasExpressions: true,
        indexedSql: ['lower(name::text)', 'code'],
      },
      { ...plain, name: 'customer_code_name_key', kind: 'unique', columns: ['code', 'name'] },
      {
        ...plain,
        name: 'one_open',
        kind: 'unique',
        columns: ['email'],
        predicateSql: 'total::numeric > 0::numeric',
        indexedSql: ['email'],
      },
    ]);
    await session.query('CREATE TABLE dw.nn (a integer UNIQUE NULLS NOT DISTINCT)');
    const again = await readCatalog(session, { schemas: ['dw'] });
    await session.query('DROP TABLE dw.nn');
    expect(again.tables.find((each) => each.name.name === 'nn')?.keys).toMatchObject([
      { columns: ['a'], nullsNotDistinct: true },
    ]);
  });

  test('tables whose rows another one shows', async () => {
    await session.query('CREATE TABLE dw.old_customer () INHERITS (dw.customer)');
    const again = await readCatalog(session, { schemas: ['dw'] });
    await session.query('DROP TABLE dw.old_customer');
    const heir = again.tables.find((each) => each.name.name === 'old_customer');
    expect(heir?.inherits).toEqual([{ schema: 'dw', name: 'customer' }]);
    expect(table('customer')).not.toHaveProperty('inherits');
  });

  test('foreign keys, also to a partitioned table, once each', () => {
    expect(table(ODD_TABLE, ODD).foreignKeys).toEqual([
      {
        name: 'to it',
        columns: ['customer_id'],
        references: { schema: 'dw', name: 'customer' },
        referencedColumns: ['id'],
        onDelete: 'cascade',
        onUpdate: 'restrict',
      },
    ]);
    expect(table('click').foreignKeys).toEqual([
      {
        name: 'click_event_id_day_fkey',
        columns: ['event_id', 'day'],
        references: { schema: 'dw', name: 'event' },
        referencedColumns: ['id', 'day'],
        onDelete: 'restrict',
        onUpdate: 'restrict',
      },
    ]);
  });

  test('checks without their keyword, enabled triggers and rules', () => {
    expect(table('customer').checks).toEqual([
      { name: 'positive', sql: "old_id > 0 AND code <> 'it''s'::bpchar" },
    ]);
    expect(table('customer').triggers).toEqual(['touch it']);
    expect(table('customer').triggerEvents).toEqual(['update']);
    expect(table('click').triggers).toEqual(['a rule']);
    expect(table('click').triggerEvents).toEqual(['delete']);
  });

  test('partitions know their table', () => {
    expect(table('event')).toMatchObject({ kind: 'partitioned' });
    expect(table('event_2024')).toMatchObject({
      kind: 'table',
      partitionOf: { schema: 'dw', name: 'event' },
    });
    expect(table('customer')).not.toHaveProperty('partitionOf');
  });

  test('comments and estimates; never analysed is not the same as empty', async () => {
    expect(table('customer').comment).toBe('Two\nlines | and a pipe');
    expect(table('customer').estimatedRows).toBeNull();
    await session.query(
      'CREATE TABLE dw.counted AS SELECT generate_series(1, 500); ANALYZE dw.counted',
    );
    const again = await readCatalog(session, { schemas: ['dw'] });
    await session.query('DROP TABLE dw.counted');
    expect(again.tables.find((each) => each.name.name === 'counted')?.estimatedRows).toBe(500);
  });
});

describe('views, sequences and types', () => {
  test('the query of a view is complete and runs with any search_path', async () => {
    const view = catalog.views.find((each) => each.name.name === 'active');
    expect(view).toMatchObject({ materialized: false, comment: 'active ones' });
    expect(view?.columns.map((each) => each.name)).toEqual(['id', 'the name', 'select']);
    expect(view?.sql).toContain(`JOIN "My ""Odd"" Schema"."a.b c'd|e\`f" o`);
    expect(view?.sql.endsWith(';')).toBe(false);
    await session.query(`SELECT * FROM (${view?.sql}) again`);
    expect(catalog.views.find((each) => each.materialized)?.name.name).toBe('totals');
  });

  test('sequences know the column that owns them', () => {
    expect(catalog.sequences).toEqual([
      { name: { schema: 'dw', name: 'alone' }, start: '100', increment: '5', ownedBy: null },
      ...['id', 'old_id'].map((name) => ({
        name: { schema: 'dw', name: `customer_${name}_seq` },
        start: '1',
        increment: '1',
        ownedBy: { table: { schema: 'dw', name: 'customer' }, column: name },
      })),
    ]);
  });

  test('enums, domains and composite types; no row types of tables', () => {
    expect(catalog.types).toEqual([
      {
        name: { schema: 'dw', name: 'amount' },
        kind: 'domain',
        labels: [],
        baseType: 'numeric(12,2)',
        fields: [],
      },
      {
        name: { schema: 'dw', name: 'money_pair' },
        kind: 'composite',
        labels: [],
        baseType: null,
        fields: [
          { name: 'amount', type: 'numeric(10,3)' },
          { name: 'currency code', type: 'character(3)' },
        ],
      },
      {
        name: { schema: 'dw', name: 'mood' },
        kind: 'enum',
        labels: ['sad', "it's ok", 'très "happy"'],
        baseType: null,
        fields: [],
      },
    ]);
    expect(catalog.schemaComments['dw']).toBe(`The warehouse; it's "clean"`);
  });
});

describe('routines', () => {
  test('parameters with modes and defaults, settings, volatility, result', () => {
    expect(routine('dw.plain(integer, dw.mood, text[])')).toMatchObject({
      kind: 'function',
      language: 'sql',
      volatility: 'stable',
      returns: 'TABLE(x integer, "y z" text)',
      returnsSet: true,
      settings: { search_path: 'dw, "My ""Odd"" Schema", public', work_mem: '8MB' },
      parameters: [
        { name: 'a', type: 'integer', mode: 'in', defaultSql: null },
        { name: 'b', type: 'dw.mood', mode: 'in', defaultSql: "'it''s ok'::dw.mood" },
        { name: 'rest', type: 'text[]', mode: 'variadic', defaultSql: "'{}'::text[]" },
        { name: 'x', type: 'integer', mode: 'table', defaultSql: null },
        { name: 'y z', type: 'text', mode: 'table', defaultSql: null },
      ],
    });
  });

  test('the body is what the author wrote, and stands in the definition word for word', () => {
    const load = routine(`${ODD}.load (all)(integer)`);
    expect(load).toMatchObject({ kind: 'procedure', returns: null, comment: 'loads' });
    expect(load.body).toContain("-- keep $$ and 'quotes'");
    for (const each of catalog.routines) expect(each.definition).toContain(each.body);
  });

  test('bodies in standard SQL', () => {
    expect(routine('dw.atomic(integer, bpchar)').body).toMatch(/^BEGIN ATOMIC\s[^]*END$/u);
    expect(routine('dw.returning(integer)').body).toBe('RETURN (a + 1)');
  });

  test('trigger functions are marked', () => {
    expect(catalog.routines.filter((each) => each.isTrigger).map(routineId)).toEqual([
      'dw.touch()',
    ]);
  });
});
