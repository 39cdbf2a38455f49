/** A sandbox on a running PostgreSQL server: databases of its own, and nothing else touched. */
import { escapeIdentifier } from 'pg';
import { SandboxError, SqlError } from '../../ports/sandbox.ts';
import type { ConnectionParameters, Sandbox, SqlSession } from '../../ports/sandbox.ts';
import { openSession } from './session.ts';

const SESSION_END_MS = 2000;
const LOCK_CLASS = 0x5b0c_4e7;
const NAME_LIMIT = 63;
const NAME_PREFIX = 'sprocket_sandbox_';
const LABEL_PREFIX = 'sprocket sandbox ';

export interface ServerOptions {
  /** Where to connect; `database` is one that exists and that databases are created from. */
  readonly server: ConnectionParameters;
  /** Unique to this sandbox; small letters and digits. Its databases are `sprocket_sandbox_<id>_<name>`. */
  readonly id: string;
  /** Runs after the databases are dropped: stops a server that was started for this sandbox. */
  readonly onClose?: () => Promise<void>;
}

/**
 * Opens a sandbox on a server. Databases that sandboxes left there when they were killed are
 * dropped first. Throws `SandboxError` where the server can't be used.
 */
export async function openServerSandbox(options: ServerOptions): Promise<Sandbox> {
  const { server, id } = options;
  const label = `${LABEL_PREFIX}${id}`;
  const control = await connectControl(server, label);
  try {
    await checkRights(control);
    await control.query(`SELECT pg_advisory_lock(${LOCK_CLASS}, hashtext('${id}'))`);
    await dropAbandoned(control);
    return sandboxOn(control, options, label, await cloneStrategy(control));
  } catch (error) {
    await control.close();
    throw error;
  }
}

/**
 * Copying files is the quicker way, but takes two checkpoints: these are nothing to a server that
 * never waits for its disks.
 */
async function cloneStrategy(control: SqlSession): Promise<string> {
  const { rows } = await control.query(
    "SELECT current_setting('server_version_num')::int >= 150000 AND NOT current_setting('fsync')::bool",
  );
  return rows[0]?.[0] === 't' ? 'STRATEGY FILE_COPY' : '';
}

function sandboxOn(
  control: SqlSession,
  options: ServerOptions,
  label: string,
  strategy: string,
): Sandbox {
  const { server, id, onClose } = options;
  const created = new Set<string>();
  const actual = (database: string) => `${NAME_PREFIX}${id}_${database}`.slice(0, NAME_LIMIT);
  const at = (database: string) => ({ ...server, database: actual(database) });

  async function drop(database: string): Promise<void> {
    await dropDatabase(control, actual(database));
    created.delete(database);
  }

  async function createFrom(source: string, database: string): Promise<void> {
    await drop(database);
    created.add(database);
    await control.query(`CREATE DATABASE ${quote(actual(database))} ${source}`);
  }

  async function clone(from: string, to: string): Promise<void> {
    await endSessions(control, actual(from));
    await createFrom(`TEMPLATE ${quote(actual(from))} ${strategy}`, to);
  }

  async function rename(from: string, to: string): Promise<void> {
    await drop(to);
    await endSessions(control, actual(from));
    created.add(to);
    await control.query(`ALTER DATABASE ${quote(actual(from))} RENAME TO ${quote(actual(to))}`);
    created.delete(from);
  }

  let closing: Promise<void> | null = null;
  async function closeAll(): Promise<void> {
    try {
      for (const database of created) await drop(database);
      await control.close();
    } catch (error) {
      // A server of our own goes away as a whole, so only its stopping matters.
      if (onClose === undefined) throw error;
    } finally {
      await onClose?.();
    }
  }

  return {
    create: (database) => createFrom(`TEMPLATE template0 ENCODING 'UTF8'`, database),
    clone,
    rename,
    drop,
    connect: (database) => openSession(at(database), label),
    parameters: at,
    close: () => (closing ??= closeAll()),
  };
}

/** Reads a `postgres://` URL. The URL itself never appears in an error. */
export function parseServerUrl(url: string): ConnectionParameters {
  const problem = (what: string) =>
    new SandboxError(
      'bad-url',
      `The sandbox's connection URL ${what}.`,
      'Give it as postgres://user:password@host:port/database.',
    );
  const parsed = URL.parse(url);
  if (parsed === null) throw problem('cannot be read');
  if (parsed.protocol !== 'postgres:' && parsed.protocol !== 'postgresql:') {
    throw problem('does not start with postgres://');
  }
  const user = decodeURIComponent(parsed.username) || 'postgres';
  return {
    host: decodeURIComponent(parsed.hostname).replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: parsed.port === '' ? 5432 : Number(parsed.port),
    user,
    password: decodeURIComponent(parsed.password),
    database: decodeURIComponent(parsed.pathname.slice(1)) || user,
  };
}

async function connectControl(server: ConnectionParameters, label: string): Promise<SqlSession> {
  try {
    return await openSession(server, label);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SandboxError(
      'unreachable',
      `The sandbox's server at ${server.host}:${server.port} cannot be used: ${reason}`,
      'Check that it runs, and the user, password and database of its URL; without a URL an embedded PostgreSQL is used.',
    );
  }
}

async function checkRights(control: SqlSession): Promise<void> {
  const { rows } = await control.query(
    `SELECT rolcreatedb OR rolsuper, current_user, current_setting('server_version_num')::int >= 150000
       FROM pg_roles WHERE rolname = current_user`,
  );
  const [mayCreate, user, hasGrants] = rows[0] ?? [];
  const role = user ?? 'the user';
  if (mayCreate !== 't') {
    throw new SandboxError(
      'no-right',
      `${role} may not create databases on the sandbox's server.`,
      `Run there: ALTER ROLE ${quote(role)} CREATEDB;`,
    );
  }
  // Rows are laid in another order, which foreign keys and triggers must not notice.
  const setting = 'session_replication_role';
  await control.query(`SET ${setting} = replica; RESET ${setting}`).catch((error: unknown) => {
    if (!(error instanceof SqlError) || error.code !== INSUFFICIENT_PRIVILEGE) throw error;
    throw new SandboxError(
      'no-right',
      `${role} may not set ${setting} on the sandbox's server.`,
      hasGrants === 't'
        ? `Run there: GRANT SET ON PARAMETER ${setting} TO ${quote(role)};`
        : `Run there: ALTER ROLE ${quote(role)} SUPERUSER;`,
    );
  });
}

const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * A sandbox holds the lock of its id as long as its process lives: lock free means abandoned. Such
 * a lock is that of one database, so a sandbox that came in by another is told by its session.
 */
async function dropAbandoned(control: SqlSession): Promise<void> {
  const { rows } = await control.query(
    `SELECT datname, split_part(datname, '_', 3) FROM pg_database
      WHERE starts_with(datname, '${NAME_PREFIX}') AND pg_has_role(datdba, 'MEMBER')
        AND NOT EXISTS (
          SELECT FROM pg_stat_activity
           WHERE application_name = '${LABEL_PREFIX}' || split_part(pg_database.datname, '_', 3))`,
  );
  const owners = new Map<string, string[]>();
  for (const [database, owner] of rows) {
    if (database == null || owner == null) continue;
    owners.set(owner, [...(owners.get(owner) ?? []), database]);
  }
  for (const [owner, databases] of owners) {
    const key = `${LOCK_CLASS}, hashtext($1)`;
    const lock = await control.query(`SELECT pg_try_advisory_lock(${key})`, [owner]);
    if (lock.rows[0]?.[0] !== 't') continue;
    // What can't be dropped is left to somebody who can: it stands in nobody's way.
    for (const database of databases) await dropDatabase(control, database).catch(passOver);
    await control.query(`SELECT pg_advisory_unlock(${key})`, [owner]);
  }
}

function passOver(error: unknown): void {
  if (!(error instanceof SqlError) || error.isOfServer) throw error;
}

/** FORCE ends sessions that a killed dbt left behind. */
async function dropDatabase(control: SqlSession, database: string): Promise<void> {
  await control.query(`DROP DATABASE IF EXISTS ${quote(database)} WITH (FORCE)`);
}

/** A backend lives on for a moment after its client has gone, and the server waits 100 ms for it. */
async function endSessions(control: SqlSession, database: string): Promise<void> {
  await control.query(
    `SELECT pg_terminate_backend(pid, ${SESSION_END_MS}) FROM pg_stat_activity WHERE datname = $1`,
    [database],
  );
}

function quote(identifier: string): string {
  return escapeIdentifier(identifier);
}
