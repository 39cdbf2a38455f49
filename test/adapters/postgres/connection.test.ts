import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCatalog } from '../../../src/adapters/postgres/catalog.ts';
import { connect } from '../../../src/adapters/postgres/connection.ts';
import type { ConnectOptions } from '../../../src/adapters/postgres/connection.ts';
import { openSandbox } from '../../../src/adapters/sandbox/open.ts';
import { ConnectionError } from '../../../src/ports/catalog.ts';
import type { ConnectionParameters, Sandbox, SqlSession } from '../../../src/ports/sandbox.ts';

const SETTING = 'SOURCE_DATABASE_URL';
let sandbox: Sandbox;
let server: ConnectionParameters;

beforeAll(async () => {
  sandbox = await openSandbox(process.env['DATABASE_URL'] ?? null);
  await sandbox.create('reached');
  server = sandbox.parameters('reached');
});

afterAll(() => sandbox.close());

function url(changed: Partial<ConnectionParameters> & { readonly query?: string } = {}): string {
  const at = { ...server, query: '', ...changed };
  const account = `${encodeURIComponent(at.user)}:${encodeURIComponent(at.password)}`;
  return `postgresql://${account}@${at.host}:${at.port}/${encodeURIComponent(at.database)}${at.query}`;
}

function open(address: string, options: ConnectOptions = {}): Promise<SqlSession> {
  return connect({ setting: SETTING, url: address }, options);
}

async function failure(work: Promise<unknown>): Promise<ConnectionError> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ConnectionError) return error;
  throw new Error('expected a ConnectionError', { cause: error });
}

async function endByServer(session: SqlSession): Promise<void> {
  const { rows } = await session.query('SELECT pg_backend_pid()');
  const other = await sandbox.connect('reached');
  await other.query('SELECT pg_terminate_backend($1::integer)', [rows[0]?.[0] ?? null]);
  await other.close();
}

describe('a session', () => {
  test('gives every value as the text that the server prints', async () => {
    const session = await open(url());
    const { rows } = await session.query(
      `SELECT 1::bigint, 1.50::numeric, NULL, '{1,2}'::integer[], '{"a": 1}'::json, true, '\\x00ff'::bytea`,
    );
    await session.close();
    expect(rows).toEqual([['1', '1.50', null, '{1,2}', '{"a": 1}', 't', '\\x00ff']]);
  });

  test('that only reads refuses to write', async () => {
    const session = await open(url(), { readOnly: true });
    await expect(session.query('CREATE TABLE t (a integer)')).rejects.toMatchObject({
      name: 'SqlError',
      code: '25006',
    });
    await session.close();
  });

  test('has a limit for each statement', async () => {
    const session = await open(url(), { statementTimeoutMs: 20 });
    await expect(session.query('SELECT pg_sleep(30)')).rejects.toMatchObject({ code: '57014' });
    await session.close();
  });
});

describe('what can go wrong', () => {
  test.each([
    ['postgres', 'invalid-url'],
    ['mysql://root@127.0.0.1/db', 'invalid-url'],
    ['https://example.com', 'invalid-url'],
    ['', 'invalid-url'],
    ['postgresql://me:secret@nowhere.invalid/db', 'unknown-host'],
    ['postgresql://me:secret@127.0.0.1:1/db', 'unreachable'],
    ['postgresql://me:secret@127.0.0.1:1/db?sslmode=verify-ca', 'tls'],
    ['postgresql://me:secret@127.0.0.1:1/db?sslmode=require&sslrootcert=/no/such/file', 'tls'],
  ])('%s: %s', async (address, code) => {
    expect(await failure(open(address))).toMatchObject({ code, setting: SETTING });
  });

  test('a database that is not there', async () => {
    const error = await failure(open(url({ database: 'no such database' })));
    expect(error.code).toBe('unknown-database');
  });

  test('a role that is not there', async () => {
    const error = await failure(open(url({ user: 'nobody here', password: 'hunter2' })));
    expect(error.code).toBe('wrong-credentials');
  });

  test('a server without encryption where it is asked for', async () => {
    const answersNo = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.write('N'));
    });
    answersNo.listen(0, '127.0.0.1');
    await once(answersNo, 'listening');
    const address = answersNo.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const error = await failure(open(`postgresql://me@127.0.0.1:${port}/db?sslmode=require`));
    answersNo.close();
    expect(error.code).toBe('tls');
  });

  test('a role that may not connect to the database', async () => {
    const admin = await sandbox.connect('reached');
    const role = `kept_out_${process.pid}`;
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'`);
    await sandbox.create('closed');
    const closed = sandbox.parameters('closed').database;
    await admin.query(`REVOKE CONNECT ON DATABASE "${closed}" FROM PUBLIC`);
    const error = await failure(open(url({ user: role, password: 'p', database: closed })));
    await admin.query(`DROP ROLE ${role}`);
    await admin.close();
    expect(error.code).toBe('not-allowed');
  });

  test('a message names the setting, never what is in it', async () => {
    const address = url({ user: 'nobody_here', password: 'hunter2', database: 'secret_db' });
    const error = await failure(open(address));
    const shown = JSON.stringify([error.message, error.advice, error.stack, error]);
    expect(shown).toContain(SETTING);
    for (const secret of ['hunter2', 'nobody_here', 'secret_db', String(server.port)]) {
      expect(shown).not.toContain(secret);
    }
  });
});

describe('a database that goes away', () => {
  test('between two queries', async () => {
    const session = await open(url());
    await endByServer(session);
    expect(await failure(session.query('SELECT 1'))).toMatchObject({ code: 'lost' });
    expect(await failure(session.query('SELECT 1'))).toMatchObject({ code: 'lost' });
    await session.close();
  });

  test('in the middle of a query', async () => {
    const session = await open(url());
    const error = await failure(session.query('SELECT pg_terminate_backend(pg_backend_pid())'));
    await session.close();
    expect(error.code).toBe('lost');
  });

  test('while its catalog is read', async () => {
    const session = await open(url());
    await endByServer(session);
    const error = await failure(readCatalog(session));
    await session.close();
    expect(error).toMatchObject({ code: 'lost', setting: SETTING });
  });
});
