/** Opens a session on a database of the user's, and says what went wrong without its URL. */
import { Client } from 'pg';
import { z } from 'zod';
import { ConnectionError } from '../../ports/catalog.ts';
import type { ConnectionErrorCode, DatabaseAddress } from '../../ports/catalog.ts';
import { SqlError } from '../../ports/sandbox.ts';
import type { SqlSession } from '../../ports/sandbox.ts';
import { sessionOf, TEXT_ONLY } from '../sandbox/session.ts';

export interface ConnectOptions {
  /** Every transaction of the session refuses to write. */
  readonly readOnly?: boolean;
  /** Milliseconds after which the server ends a statement; 0 for never. */
  readonly statementTimeoutMs?: number;
  readonly connectTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 15_000;

/** Besides class 08: shutdown, crash, dropped database, and both idle time-outs. */
const LOST_STATES = new Set(['57P01', '57P02', '57P04', '57P05', '25P03']);

/**
 * Opens a session whose values are all text, as the server prints them.
 * Throws `ConnectionError`, also later, from `query`, where the connection is lost.
 */
export async function connect(
  address: DatabaseAddress,
  options: ConnectOptions = {},
): Promise<SqlSession> {
  const { setting } = address;
  const timeout = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  try {
    const client = new Client({
      connectionString: connectionString(address),
      application_name: 'sprocket',
      types: TEXT_ONLY,
      connectionTimeoutMillis: timeout,
      keepAlive: true,
    });
    // Without a listener a server that goes away between two queries would end the process.
    client.on('error', () => undefined);
    let ended = false;
    client.once('end', () => {
      ended = true;
    });
    await client.connect();
    const session = watched(sessionOf(client), setting, () => ended);
    await configure(session, options);
    return session;
  } catch (error) {
    throw connectionError(error, setting);
  }
}

/**
 * The URL, checked, with the meaning of `sslmode` that psql and dbt give it: node-postgres alone
 * would take `require` for `verify-full`.
 */
function connectionString({ setting, url }: DatabaseAddress): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !['postgres:', 'postgresql:'].includes(parsed.protocol)) {
    throw failure('invalid-url', setting);
  }
  const mode = parsed.searchParams.has('sslmode');
  if (mode && !parsed.searchParams.has('uselibpqcompat')) {
    parsed.searchParams.set('uselibpqcompat', 'true');
  }
  return parsed.href;
}

const DEFAULT_PORT = '5432';
const LOCAL = new Set(['', 'localhost', '127.0.0.1', '[::1]']);

/** Whether two URLs lead to one database, as far as their text tells. Throws `ConnectionError`. */
export function leadToSame(a: DatabaseAddress, b: DatabaseAddress): boolean {
  const places = [a, b].map((address) => {
    const { hostname, port, pathname, searchParams } = new URL(connectionString(address));
    const host = searchParams.get('host') ?? hostname;
    return JSON.stringify([
      LOCAL.has(host) ? 'localhost' : host,
      searchParams.get('port') ?? (port === '' ? DEFAULT_PORT : port),
      decodeURIComponent(pathname),
    ]);
  });
  return places[0] === places[1];
}

/** By SET, not by start-up options: connection poolers refuse those. */
async function configure(session: SqlSession, options: ConnectOptions): Promise<void> {
  if (options.readOnly) await session.query('SET default_transaction_read_only = on');
  if (options.statementTimeoutMs !== undefined) {
    await session.query('SELECT set_config($1, $2, false)', [
      'statement_timeout',
      String(options.statementTimeoutMs),
    ]);
  }
}

function watched(session: SqlSession, setting: string, ended: () => boolean): SqlSession {
  return {
    ...session,
    async query(sql, parameters) {
      try {
        return await session.query(sql, parameters);
      } catch (error) {
        throw isLost(error) ? failure('lost', setting) : error;
      }
    },
    async close() {
      // Closing waits for the end of the connection, which has been where it was lost.
      if (!ended()) await session.close();
    },
  };
}

function isLost(error: unknown): boolean {
  if (!(error instanceof SqlError)) return false;
  return error.code.startsWith('08') || LOST_STATES.has(error.code);
}

const BY_CODE: Readonly<Record<string, ConnectionErrorCode>> = {
  ENOTFOUND: 'unknown-host',
  EAI_AGAIN: 'unknown-host',
  ECONNREFUSED: 'unreachable',
  ECONNRESET: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENOENT: 'unreachable',
  EACCES: 'unreachable',
  ETIMEDOUT: 'timeout',
  CERT_HAS_EXPIRED: 'tls',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'tls',
  SELF_SIGNED_CERT_IN_CHAIN: 'tls',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'tls',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'tls',
  ERR_TLS_CERT_ALTNAME_INVALID: 'tls',
  ERR_INVALID_URL: 'invalid-url',
  '28P01': 'wrong-credentials',
  '28000': 'wrong-credentials',
  '3D000': 'unknown-database',
  '42501': 'not-allowed',
  '53300': 'too-many-connections',
  '57P03': 'starting-up',
};

/** node-postgres gives these without a code. */
const BY_TEXT: readonly (readonly [string, ConnectionErrorCode])[] = [
  ['SASL', 'wrong-credentials'],
  ['timeout expired', 'timeout'],
  ['does not support SSL', 'tls'],
  ['sslmode', 'tls'],
  ['no such file or directory, open', 'tls'],
  ['Connection terminated', 'unreachable'],
];

const TEXTS: Readonly<Record<ConnectionErrorCode, readonly [message: string, advice: string]>> = {
  'invalid-url': [
    'this is not a PostgreSQL URL.',
    'Write it as postgresql://user:password@host:port/database; special characters in the password as %XX.',
  ],
  'unknown-host': [
    'the host name is not known here.',
    'Check the host in the URL, and the DNS of this machine.',
  ],
  unreachable: [
    'no PostgreSQL server answers there.',
    'Check host and port, that the server runs, and that its firewall lets this machine in.',
  ],
  timeout: [
    'the server did not answer in time.',
    'Check host and port, and that its firewall lets this machine in.',
  ],
  tls: [
    'no encrypted connection could be made.',
    'Check sslmode and sslrootcert in the URL against what the server offers.',
  ],
  'wrong-credentials': [
    'the server refuses this user or password.',
    'Check both in the URL, and that pg_hba.conf lets this user in from here.',
  ],
  'unknown-database': [
    'the server has no database of this name.',
    'Check the last part of the URL, or create the database.',
  ],
  'not-allowed': [
    'the user may not connect to this database.',
    'Let its owner run GRANT CONNECT ON DATABASE … TO ….',
  ],
  'too-many-connections': [
    'the server takes no more connections.',
    'Use fewer workers, or raise max_connections or the limit of the role.',
  ],
  'starting-up': ['the server is starting or shutting down.', 'Try again in a minute.'],
  lost: [
    'the connection was lost.',
    'Check that the server still runs; then start the command again.',
  ],
  refused: [
    'the server refuses the connection.',
    'Look into the log of the server for the reason.',
  ],
};

function failure(code: ConnectionErrorCode, setting: string): ConnectionError {
  const [message, advice] = TEXTS[code];
  return new ConnectionError(code, setting, message, advice);
}

const codedSchema = z.object({ code: z.string().optional(), message: z.string().default('') });

const UNCODED = { code: undefined, message: '' };

function connectionError(error: unknown, setting: string): Error {
  if (error instanceof ConnectionError) return error;
  const { code, message } = codedSchema.safeParse(error).data ?? UNCODED;
  const known = code === undefined ? undefined : BY_CODE[code];
  const told = BY_TEXT.find(([text]) => message.includes(text))?.[1];
  return failure(told ?? known ?? 'refused', setting);
}
