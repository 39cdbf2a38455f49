/** A session for moving data: text values, UTC, every number and time printed so that it reads back exactly. */
import { Client } from 'pg';
import { z } from 'zod';
import { Stopped } from '../../core/movement/errors.ts';
import type { Rows, Statements } from '../../ports/move.ts';
import { ConnectionLost } from '../../ports/move.ts';

const TEXT_ONLY = { getTypeParser: () => (value: string) => value };

/**
 * How values print, also for the session that sends the log; and that a role or a database with settings of its own
 * neither ends a session nor hides rows: with `row_security` off, rows that a policy hides are an error.
 */
const SETTINGS = [
  'datestyle=ISO,MDY',
  'timezone=UTC',
  'intervalstyle=postgres',
  'extra_float_digits=3',
  'bytea_output=hex',
  'lc_monetary=C',
  'xmloption=content',
  'array_nulls=on',
  'standard_conforming_strings=on',
  'transform_null_equals=off',
  'quote_all_identifiers=off',
  'row_security=off',
  String.raw`default_transaction_isolation=read\ committed`,
  'statement_timeout=0',
  'lock_timeout=0',
  'idle_in_transaction_session_timeout=0',
];

/**
 * What not every version has: no end for a session that is silent or long, and a statement that nobody waits for any more
 * ends within a second (PostgreSQL 14 or newer).
 */
const NEWER = `SELECT set_config(name, wanted, false) FROM pg_settings
  JOIN (VALUES ('idle_session_timeout', '0'), ('transaction_timeout', '0'), ('client_connection_check_interval', '1s')) w (named, wanted)
    ON name = named`;

const resultSchema = z.object({
  rows: z.array(z.array(z.string().nullable())).default([]),
  rowCount: z.number().nullable(),
});

/** SQLSTATEs of a server that stops, starts or ended our session: classes 08 and 57P, and 53300. */
const LOST = /^(?:08|57P0|53300|25P03|55006)/;
const NETWORK =
  /ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|terminated|Connection ended|not queryable|timeout expired/i;

/** `ConnectionLost` where another try may help, else the error itself. Never holds an address. */
export function classified(error: unknown): Error {
  if (error instanceof ConnectionLost) return error;
  const known = z.object({ message: z.string(), code: z.string().optional() }).safeParse(error);
  if (!known.success) return new Error('PostgreSQL failed in an unknown way');
  const { code = '', message } = known.data;
  if (LOST.test(code) || NETWORK.test(code) || NETWORK.test(message)) {
    return new ConnectionLost(
      `the connection to PostgreSQL was lost (${code === '' ? 'closed' : code})`,
    );
  }
  return error instanceof Error ? error : new Error(message);
}

export interface OpenOptions {
  readonly replication?: boolean;
  readonly label?: string;
}

/** Opens a client. Throws `ConnectionLost` where the server can't be reached. */
export async function openClient(url: string, options: OpenOptions = {}): Promise<Client> {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed?.searchParams.has('sslmode')) parsed.searchParams.set('uselibpqcompat', 'true');
  // A type that node-postgres has and its typings have not.
  const replication = options.replication === true ? { replication: 'database' } : {};
  const client = new Client({
    connectionString: parsed?.href ?? url,
    application_name: options.label ?? 'sprocket move',
    options: SETTINGS.map((setting) => `-c ${setting}`).join(' '),
    types: TEXT_ONLY,
    connectionTimeoutMillis: 15_000,
    keepAlive: true,
    ...replication,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await query(client, NEWER);
    return client;
  } catch (error) {
    throw classified(error);
  }
}

/** `?` becomes `$1`, `$2`, …, but not inside of quotes. */
function numbered(sql: string): string {
  let count = 0;
  return sql.replace(/"(?:[^"]|"")*"|'(?:[^']|'')*'|\?/g, (piece) =>
    piece === '?' ? `$${(count += 1)}` : piece,
  );
}

/** Runs one statement; rows are arrays of text. */
export async function query(
  client: Client,
  sql: string,
  parameters: readonly (string | null)[] = [],
): Promise<Rows> {
  return (await run(client, sql, parameters)).rows;
}

async function run(client: Client, sql: string, parameters: readonly (string | null)[]) {
  try {
    const result: unknown =
      parameters.length === 0
        ? await client.query({ text: sql, rowMode: 'array' })
        : await client.query({ text: numbered(sql), rowMode: 'array', values: [...parameters] });
    return resultSchema.parse(Array.isArray(result) ? result.at(-1) : result);
  } catch (error) {
    throw classified(error);
  }
}

export function statementsOf(client: Client): Statements {
  return {
    query: (sql, parameters) => query(client, sql, parameters),
    change: async (sql, parameters = []) => (await run(client, sql, parameters)).rowCount ?? 0,
  };
}

/** A session of its own for `use`; `stopping` ends it, at the server too: where it waits for others it does not notice. Then it throws `Stopped`. */
export async function withSession<T>(
  url: string,
  stopping: AbortSignal | undefined,
  options: OpenOptions,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await openClient(url, options);
  let ending: Promise<void> | null = null;
  const end = () => {
    ending = terminate(url, client);
    void drop(client);
  };
  stopping?.addEventListener('abort', end);
  try {
    if (stopping?.aborted === true) throw new Stopped();
    return await use(client);
  } catch (error) {
    throw stopping?.aborted === true ? new Stopped() : error;
  } finally {
    stopping?.removeEventListener('abort', end);
    await drop(client);
    await ending;
  }
}

async function terminate(url: string, client: Client): Promise<void> {
  try {
    // The typings leave it out.
    const process = z.number().parse(Reflect.get(client, 'processID'));
    const other = await openClient(url);
    await query(other, `SELECT pg_terminate_backend(${process})`);
    await other.end();
  } catch {
    // It has ended already, or the server is gone: either way there is nothing left to end.
  }
}

/** Ends a client that may be in the middle of something, without waiting for it. */
export async function drop(client: Client): Promise<void> {
  const socket: unknown = Reflect.get(Reflect.get(client, 'connection') ?? {}, 'stream');
  if (z.object({ destroy: z.function() }).safeParse(socket).success) {
    Reflect.apply(Reflect.get(Object(socket), 'destroy'), socket, []);
  }
  await Promise.race([
    client.end().catch(() => undefined),
    new Promise((done) => setTimeout(done, 500)),
  ]);
}
