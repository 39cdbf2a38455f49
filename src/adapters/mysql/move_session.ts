/** A session for moving data: text values, UTC, strict, nothing changed on the way in. */
import { createConnection } from 'mysql2';
import type { Connection, ConnectionOptions } from 'mysql2';
import { z } from 'zod';
import { Stopped } from '../../core/movement/errors.ts';
import type { Rows, Statements } from '../../ports/move.ts';
import { ConnectionLost } from '../../ports/move.ts';
import { literal } from './sql.ts';

/**
 * `NO_AUTO_VALUE_ON_ZERO`: a 0 in an AUTO_INCREMENT column stays 0. Zero dates pass between two of the kind;
 * what can't be converted is an error, never a guess. The rest is what a server may have set for all: a limit on the rows
 * of a SELECT would cut a load short without a word. In comments, what only one of the two servers knows.
 */
const SESSION =
  `SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', ` +
  `net_write_timeout = 3600, net_read_timeout = 3600, wait_timeout = 2000000, foreign_key_checks = 0, unique_checks = 1, ` +
  `sql_select_limit = 18446744073709551615, sql_big_selects = 1, sql_safe_updates = 0, sql_auto_is_null = 0, ` +
  `autocommit = 1, completion_type = 'NO_CHAIN', character_set_results = 'utf8mb4' ` +
  `/*M!100300 , max_statement_time = 0, idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0, idle_write_transaction_timeout = 0 */ ` +
  `/*!50708 , max_execution_time = 0 */`;

const LOST =
  /^(?:PROTOCOL_|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|ER_SERVER_SHUTDOWN|ER_CON_COUNT|ER_CONNECTION_KILLED|ER_NEW_ABORTING|ER_NORMAL_SHUTDOWN|ER_LOCK_DEADLOCK|ER_LOCK_WAIT)/;
const LOST_MESSAGE =
  /closed state|Connection lost|ECONN|EPIPE|shutdown in progress|closed unexpectedly|server has gone away/i;

/** `ConnectionLost` where another try may help, else the error itself. Never holds an address. */
export function classified(error: unknown): Error {
  if (error instanceof ConnectionLost) return error;
  const known = z.object({ message: z.string(), code: z.string().optional() }).safeParse(error);
  if (!known.success) return new Error('the MySQL server failed in an unknown way');
  const { code = '', message } = known.data;
  if (LOST.test(code) || LOST_MESSAGE.test(message)) {
    return new ConnectionLost(
      `the connection to the MySQL server was lost (${code === '' ? 'closed' : code})`,
    );
  }
  return error instanceof Error ? error : new Error(message);
}

/** The parts of a URL that the drivers take. */
export function connectionOptions(url: string): ConnectionOptions {
  const parsed = new URL(url);
  const database = decodeURIComponent(parsed.pathname.slice(1));
  return {
    host: parsed.hostname,
    port: parsed.port === '' ? 3306 : Number(parsed.port),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    ...(database === '' ? {} : { database }),
    ...(['REQUIRED', 'require'].includes(parsed.searchParams.get('ssl-mode') ?? '')
      ? { ssl: { rejectUnauthorized: false } }
      : {}),
  };
}

/** Opens a connection. Throws `ConnectionLost` where the server can't be reached. */
export async function openConnection(url: string): Promise<Connection> {
  const connection = createConnection({
    ...connectionOptions(url),
    charset: 'utf8mb4',
    timezone: 'Z',
    rowsAsArray: true,
    connectTimeout: 15_000,
  });
  connection.on('error', () => undefined);
  try {
    await new Promise<void>((resolve, reject) => {
      connection.connect((error) => (error === null ? resolve() : reject(error)));
    });
    await query(connection, SESSION);
    return connection;
  } catch (error) {
    connection.destroy();
    throw classified(error);
  }
}

/** Puts literals where `?` stands outside of quotes. */
function filled(sql: string, parameters: readonly (string | null)[]): string {
  let at = 0;
  return sql.replace(/`(?:[^`]|``)*`|'(?:[^'\\]|\\.|'')*'|\?/gs, (piece) => {
    if (piece !== '?') return piece;
    const value = parameters[at] ?? null;
    at += 1;
    return value === null ? 'NULL' : literal(value);
  });
}

/** What waits for an answer on each connection: the driver forgets them where we end it ourselves. */
const WAITING = new WeakMap<Connection, Set<(error: Error) => void>>();
const DROPPED = new WeakSet<Connection>();
const ended = () => new ConnectionLost('the connection to the MySQL server was ended');

/** Calls `fail` once the connection is dropped, which may be at once; returns how to take that back. */
export function whenDropped(connection: Connection, fail: (error: Error) => void): () => void {
  if (DROPPED.has(connection)) fail(ended());
  const waiting = WAITING.get(connection) ?? new Set();
  WAITING.set(connection, waiting);
  waiting.add(fail);
  return () => waiting.delete(fail);
}

/** Runs `start` with a way to answer it; fails it where the connection is dropped meanwhile. */
export function answered<T>(
  connection: Connection,
  start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
): Promise<T> {
  if (DROPPED.has(connection)) return Promise.reject(ended());
  return new Promise((resolve, reject) => {
    const settle = whenDropped(connection, reject);
    start(
      (value) => {
        settle();
        resolve(value);
      },
      (error) => {
        settle();
        reject(classified(error));
      },
    );
  });
}

/** Ends a connection that may be in the middle of something. */
export function drop(connection: Connection): void {
  DROPPED.add(connection);
  connection.destroy();
  for (const reject of WAITING.get(connection) ?? []) reject(ended());
}

/** A session of its own for `use`; `stopping` ends it, at the server too: in the middle of a statement that does not notice. */
export async function withSession<T>(
  url: string,
  stopping: AbortSignal | undefined,
  use: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = await openConnection(url);
  let killing: Promise<void> | null = null;
  const end = () => {
    killing = kill(url, connection.threadId);
    drop(connection);
  };
  stopping?.addEventListener('abort', end);
  try {
    if (stopping?.aborted === true) throw new Stopped();
    return await use(connection);
  } catch (error) {
    throw stopping?.aborted === true ? new Stopped() : error;
  } finally {
    stopping?.removeEventListener('abort', end);
    drop(connection);
    await killing;
  }
}

async function kill(url: string, thread: number): Promise<void> {
  try {
    const connection = await openConnection(url);
    await query(connection, `KILL ${thread}`);
    drop(connection);
  } catch {
    // It has ended already, or the server is gone: either way there is nothing left to end.
  }
}

function run(connection: Connection, sql: string): Promise<unknown> {
  return answered(connection, (resolve, reject) => {
    connection.query({ sql, typeCast: (field) => field.string() }, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}

const rowsSchema = z.array(z.array(z.string().nullable()));
const changeSchema = z.object({ affectedRows: z.number(), warningStatus: z.number().optional() });

/** Runs one statement; rows are arrays of text. */
export async function query(
  connection: Connection,
  sql: string,
  parameters: readonly (string | null)[] = [],
): Promise<Rows> {
  const result = await run(connection, parameters.length === 0 ? sql : filled(sql, parameters));
  return Array.isArray(result) ? rowsSchema.parse(result) : [];
}

export async function change(
  connection: Connection,
  sql: string,
  parameters: readonly (string | null)[] = [],
): Promise<number> {
  return changeSchema.parse(await run(connection, filled(sql, parameters))).affectedRows;
}

export function statementsOf(connection: Connection): Statements {
  return {
    query: (sql, parameters) => query(connection, sql, parameters),
    change: (sql, parameters) => change(connection, sql, parameters),
  };
}
