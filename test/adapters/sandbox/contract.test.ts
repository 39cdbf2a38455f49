import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverAccount } from '../../../src/adapters/sandbox/account.ts';
import { startCluster } from '../../../src/adapters/sandbox/cluster.ts';
import type { Cluster } from '../../../src/adapters/sandbox/cluster.ts';
import { openSandbox } from '../../../src/adapters/sandbox/open.ts';
import { SqlError } from '../../../src/ports/sandbox.ts';
import type { Sandbox, SqlSession } from '../../../src/ports/sandbox.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster(await serverAccount());
});
afterAll(() => cluster.stop());

function clusterUrl(): string {
  const { host, port, user, password, database } = cluster.connection;
  return `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
}

const ways = [
  { way: 'embedded', url: () => null },
  { way: 'a server given by URL', url: () => clusterUrl() },
];

describe.each(ways)('sandbox: $way', ({ url }) => {
  let sandbox: Sandbox;
  const open: SqlSession[] = [];

  async function connect(database: string): Promise<SqlSession> {
    const session = await sandbox.connect(database);
    open.push(session);
    return session;
  }

  beforeAll(async () => {
    sandbox = await openSandbox(url());
  });
  afterAll(() => sandbox.close());

  async function closeSessions(): Promise<void> {
    for (const session of open.splice(0)) await session.close();
  }

  it('gives every value as the text that the server prints', async () => {
    await sandbox.create('text');
    const session = await connect('text');
    const { rows, columns } = await session.query(
      `SELECT 9007199254740993::bigint AS big, 1.50::numeric AS n, true AS b,
              timestamptz '2024-01-01 00:00:00.123456+00' AS t, NULL::int AS nothing,
              ARRAY[1,2] AS a, '{"a":1}'::json AS j, '\\x00ff'::bytea AS y`,
    );
    expect(columns).toEqual(['big', 'n', 'b', 't', 'nothing', 'a', 'j', 'y']);
    expect(rows).toEqual([
      [
        '9007199254740993',
        '1.50',
        't',
        '2024-01-01 00:00:00.123456+00',
        null,
        '{1,2}',
        '{"a":1}',
        '\\x00ff',
      ],
    ]);
    await closeSessions();
  });

  it('gives the rows of the last statement that has any', async () => {
    await sandbox.create('many');
    const session = await connect('many');
    const result = await session.query('SELECT 1; SELECT 2 AS two; CREATE TABLE t (a int)');
    expect(result).toMatchObject({ columns: ['two'], rows: [['2']] });
    await closeSessions();
  });

  it('clones a database with its rows, and keeps the two apart', async () => {
    await sandbox.create('source');
    const source = await connect('source');
    await source.query('CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)');
    await closeSessions();
    await sandbox.clone('source', 'copy');
    const copy = await connect('copy');
    await copy.query('DELETE FROM t');
    const again = await connect('source');
    expect((await again.query('SELECT count(*) FROM t')).rows).toEqual([['2']]);
    await closeSessions();
  });

  it('replaces a database of the same name, even while somebody is connected to it', async () => {
    await sandbox.create('same');
    const session = await sandbox.connect('same');
    await session.query('CREATE TABLE t (a int)');
    await sandbox.create('same');
    const fresh = await connect('same');
    expect((await fresh.query("SELECT to_regclass('t')")).rows).toEqual([[null]]);
    await session.close();
    await closeSessions();
  });

  it('copies rows in and out without losing any', async () => {
    await sandbox.create('copying');
    const session = await connect('copying');
    await session.query('CREATE TABLE t (a int, b text); CREATE TABLE u (LIKE t)');
    await session.query(
      "INSERT INTO t SELECT i, repeat('x', i % 50) || 'ü\t\\' FROM generate_series(1, 20000) i",
    );
    const other = await connect('copying');
    expect(await other.copyIn('COPY u FROM STDIN', session.copyOut('COPY t TO STDOUT'))).toBe(
      20_000,
    );
    const difference = await other.query('SELECT * FROM t EXCEPT ALL SELECT * FROM u');
    expect(difference.rows).toEqual([]);
    await closeSessions();
  });

  it('says what the server said, with its code and the place in stored code', async () => {
    await sandbox.create('errors');
    const session = await connect('errors');
    await session.query(
      `CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
         RETURN 1 / 0;
       END $$`,
    );
    const failure = await session.query('SELECT f()').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SqlError);
    expect(failure).toMatchObject({ code: '22012', where: expect.stringContaining('line 2') });
    const bad = session.copyIn('COPY nothing FROM STDIN', ['1\n']);
    await expect(bad).rejects.toMatchObject({ code: '42P01' });
    await closeSessions();
  });

  it('keeps going after an error, and fails with a lost connection as an SqlError', async () => {
    await sandbox.create('lost');
    const session = await connect('lost');
    await expect(session.query('SELEC 1')).rejects.toMatchObject({ code: '42601', position: 1 });
    expect((await session.query('SELECT 1')).rows).toEqual([['1']]);
    await expect(
      session.query('SELECT pg_terminate_backend(pg_backend_pid())'),
    ).rejects.toBeInstanceOf(SqlError);
    await expect(session.query('SELECT 1')).rejects.toBeInstanceOf(SqlError);
    open.splice(0);
  });

  it('lets another client in by its parameters', async () => {
    await sandbox.create('other');
    const { database, port } = sandbox.parameters('other');
    expect(port).toBeGreaterThan(0);
    const session = await connect('other');
    expect((await session.query('SELECT current_database()')).rows).toEqual([[database]]);
    await closeSessions();
  });
});
