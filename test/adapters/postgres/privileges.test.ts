import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingRights } from '../../../src/adapters/postgres/privileges.ts';
import { openSandbox } from '../../../src/adapters/sandbox/open.ts';
import type { RequiredRight } from '../../../src/core/catalog/rights.ts';
import type { Sandbox, SqlSession } from '../../../src/ports/sandbox.ts';

const ROLE = `a "limited" role ${process.pid}`;
const QUOTED = `"${ROLE.replaceAll('"', '""')}"`;
const SCHEMA = 'Odd "schema"';
const TABLE = { schema: SCHEMA, name: 'a.b c' };
const OWNER = `owner_${process.pid}`;
const why = 'test';

let sandbox: Sandbox;
let owner: SqlSession;
let session: SqlSession;
let database: string;

beforeAll(async () => {
  sandbox = await openSandbox(process.env['DATABASE_URL'] ?? null);
  await sandbox.create('rights');
  database = sandbox.parameters('rights').database;
  owner = await sandbox.connect('rights');
  await owner.query(`
    CREATE ROLE ${QUOTED};
    CREATE SCHEMA "Odd ""schema""";
    CREATE TABLE "Odd ""schema"""."a.b c" (a integer);
    CREATE ROLE ${OWNER};
    ALTER TABLE "Odd ""schema"""."a.b c" OWNER TO ${OWNER};
    REVOKE ALL ON DATABASE "${database}" FROM PUBLIC`);
  session = await sandbox.connect('rights');
  await session.query(`SET ROLE ${QUOTED}`);
});

afterAll(async () => {
  await session.close();
  await owner.query(`DROP OWNED BY ${QUOTED}, ${OWNER}; DROP ROLE ${QUOTED}, ${OWNER}`);
  await owner.close();
  await sandbox.close();
});

const onTable = (
  right: 'SELECT' | 'INSERT' | 'TRUNCATE' | 'OWNER',
  table = TABLE,
  createIfMissing = false,
): RequiredRight => ({ on: 'table', table, right, createIfMissing, why });
const onSchema = (
  right: 'USAGE' | 'CREATE',
  schema = SCHEMA,
  createIfMissing = false,
): RequiredRight => ({ on: 'schema', schema, right, createIfMissing, why });

describe('each missing right comes with the statement that gives it', () => {
  const cases: readonly (readonly [RequiredRight, string])[] = [
    [onSchema('USAGE'), `GRANT USAGE ON SCHEMA "Odd ""schema""" TO ${QUOTED};`],
    [onTable('SELECT'), `GRANT SELECT ON "Odd ""schema"""."a.b c" TO ${QUOTED};`],
    [onTable('TRUNCATE'), `GRANT TRUNCATE ON "Odd ""schema"""."a.b c" TO ${QUOTED};`],
    [
      { on: 'all tables', schema: SCHEMA, right: 'DELETE', why },
      `GRANT DELETE ON ALL TABLES IN SCHEMA "Odd ""schema""" TO ${QUOTED};`,
    ],
    [onTable('OWNER'), `GRANT ${OWNER} TO ${QUOTED};`],
    [onSchema('CREATE'), `GRANT CREATE ON SCHEMA "Odd ""schema""" TO ${QUOTED};`],
    [{ on: 'database', right: 'TEMPORARY', why }, `GRANT TEMPORARY ON DATABASE :db TO ${QUOTED};`],
    [onSchema('CREATE', 'not yet', true), `GRANT CREATE ON DATABASE :db TO ${QUOTED};`],
    [{ on: 'role', right: 'CREATEDB', why }, `ALTER ROLE ${QUOTED} CREATEDB;`],
    [{ on: 'role', right: 'REPLICATION', why }, `ALTER ROLE ${QUOTED} REPLICATION;`],
    [
      { on: 'parameter', parameter: 'session_replication_role', right: 'SET', why },
      `GRANT SET ON PARAMETER session_replication_role TO ${QUOTED};`,
    ],
  ];

  test.each(cases)('%o', async (required, expected) => {
    const statement = expected.replace(':db', database);
    const [missing, ...others] = await missingRights(session, [required]);
    expect(others).toEqual([]);
    expect(missing).toEqual({ required, reason: 'no-right', grant: statement });
    await owner.query(statement);
    expect(await missingRights(session, [required])).toEqual([]);
  });
});

test('nothing is missing for a superuser, and the order asked for is kept', async () => {
  const plain = { schema: SCHEMA, name: 'plain' };
  await owner.query('CREATE TABLE "Odd ""schema""".plain (a integer)');
  const rights: RequiredRight[] = [
    onTable('INSERT', plain),
    { on: 'role', right: 'CREATEDB', why },
    { on: 'database', right: 'WRITE', why },
    onSchema('USAGE'),
  ];
  expect(await missingRights(owner, rights)).toEqual([]);
  const missing = await missingRights(session, [
    onTable('INSERT', plain),
    onTable('SELECT', { schema: SCHEMA, name: 'gone' }),
    onTable('SELECT', { schema: 'gone', name: 'gone' }),
  ]);
  expect(missing.map((each) => [each.reason, each.grant === null])).toEqual([
    ['no-right', false],
    ['no-object', true],
    ['no-object', true],
  ]);
});

test('what the run makes itself need not be there', async () => {
  const later: RequiredRight = { on: 'all tables', schema: 'not yet', right: 'SELECT', why };
  expect(await missingRights(session, [later])).toEqual([]);
  const table = { schema: SCHEMA, name: 'not yet' };
  expect(await missingRights(session, [onTable('INSERT', table, true)])).toEqual([]);
});

test('a role that sees only some rows is told so', async () => {
  await owner.query(`
    CREATE TABLE "Odd ""schema""".guarded (a integer);
    GRANT SELECT ON "Odd ""schema""".guarded TO ${QUOTED};
    ALTER TABLE "Odd ""schema""".guarded ENABLE ROW LEVEL SECURITY`);
  const required = onTable('SELECT', { schema: SCHEMA, name: 'guarded' });
  expect(await missingRights(session, [required])).toEqual([
    { required, reason: 'row-security', grant: `ALTER ROLE ${QUOTED} BYPASSRLS;` },
  ]);
});

test('a database that takes no writes', async () => {
  const required: RequiredRight = { on: 'database', right: 'WRITE', why };
  const statement = (state: string) =>
    `ALTER DATABASE "${database}" SET default_transaction_read_only = ${state}`;
  await owner.query(statement('on'));
  const fresh = await sandbox.connect('rights');
  const missing = await missingRights(fresh, [required]);
  await fresh.close();
  await owner.query(statement('off'));
  expect(missing).toMatchObject([{ required, reason: 'read-only' }]);
  expect(missing[0]?.grant).toContain('SET default_transaction_read_only = off;');

  await session.query('SET default_transaction_read_only = on');
  expect(await missingRights(session, [required])).toEqual([]);
  await session.query('RESET default_transaction_read_only');
});
