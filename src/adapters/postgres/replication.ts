/** Publication, slot and exported snapshot: what the source keeps for a move. */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Client } from 'pg';
import { qualified } from '../../core/catalog/names.ts';
import type { QualifiedName } from '../../core/catalog/types.ts';
import { MoveError } from '../../core/movement/errors.ts';
import { objectName } from '../../core/movement/names.ts';
import type { Rows, SourceLag, Waiting } from '../../ports/move.ts';
import { openClient, query, withSession } from './move_session.ts';
import { ident, literal, tableName } from './sql.ts';

export interface ExportedSnapshot {
  readonly name: string;
  /** Exactly the transactions that committed before this are in the snapshot. */
  readonly position: string;
}

/** A snapshot and its exact place in the log. It can be taken over by `use`. */
export async function withExportedSnapshot<T>(
  url: string,
  waiting: Waiting,
  use: (exported: ExportedSnapshot) => Promise<T>,
): Promise<T> {
  const take = async (client: Client) => {
    const slot = `sprocket_snapshot_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
    const rows = await behindOthers(url, waiting, () =>
      query(
        client,
        `CREATE_REPLICATION_SLOT ${ident(slot)} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`,
      ),
    );
    const [, position, name] = rows[0] ?? [];
    return use({ name: name ?? '', position: position ?? '' });
  };
  try {
    return await withSession(url, waiting.stopping, { replication: true }, take);
  } catch (error) {
    throw setUpError(error);
  }
}

const SAY_MS = 5000;

/** A slot begins only once every transaction has ended that is older. Says which is the oldest while it waits. */
async function behindOthers<T>(
  url: string,
  { say, stopping }: Waiting,
  make: () => Promise<T>,
): Promise<T> {
  const made = new AbortController();
  const saying = sayOldest(url, say, AbortSignal.any([made.signal, stopping]));
  try {
    return await make();
  } finally {
    made.abort();
    await saying;
  }
}

async function sayOldest(
  url: string,
  say: (message: string) => void,
  over: AbortSignal,
): Promise<void> {
  let said = '';
  for (;;) {
    await setTimeout(SAY_MS, null, { signal: over }).catch(() => null);
    if (over.aborted) return;
    const rows = await oldest(url).catch(() => []);
    const [process = '', role = '', since = ''] = rows[0] ?? [];
    if (rows.length === 0 || process === said) continue;
    said = process ?? '';
    say(
      `The source begins to keep changes once every transaction has ended that is older. It waits for that of process ${process} ` +
        `(role ${role}), which began at ${since}: let it end, or end it.`,
    );
  }
}

async function oldest(url: string): Promise<Rows> {
  const client = await openClient(url);
  try {
    return await query(
      client,
      `SELECT pid, usename, date_trunc('second', xact_start) FROM pg_stat_activity
        WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 1`,
    );
  } finally {
    await client.end();
  }
}

function setUpError(error: unknown): unknown {
  const message = error instanceof Error ? error.message : '';
  if (/wal_level/.test(message)) {
    return new MoveError(
      'not-configured',
      'The source writes no logical log. Set wal_level = logical and restart it, or load without changes (Mode "load").',
    );
  }
  if (
    /all replication slots are in use|max_wal_senders|permission denied|must be superuser/.test(
      message,
    )
  ) {
    return new MoveError(
      'not-configured',
      `The source refuses to be followed: ${message}. Raise max_replication_slots and max_wal_senders, and grant REPLICATION to the role.`,
    );
  }
  return error;
}

/**
 * Makes publication and slot where they are missing; returns where the slot begins.
 * The publication comes first: changes are decoded with the catalog as it was when they were made.
 */
export async function prepareChanges(
  url: string,
  plan: string,
  tables: readonly QualifiedName[],
  waiting: Waiting,
): Promise<string> {
  const name = objectName(plan);
  const prepare = async (client: Client) => {
    await assertChildless(client, tables);
    const published = await query(client, 'SELECT 1 FROM pg_publication WHERE pubname = ?', [name]);
    const list = tables.map(tableName).join(', ');
    await query(
      client,
      published.length > 0
        ? `ALTER PUBLICATION ${ident(name)} SET TABLE ${list}`
        : `CREATE PUBLICATION ${ident(name)} FOR TABLE ${list} WITH (publish_via_partition_root = true)`,
    );
    const slots = await query(
      client,
      'SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = ?',
      [name],
    );
    const existing = slots[0]?.[0];
    if (typeof existing === 'string') return existing;
    const made = await behindOthers(url, waiting, () =>
      query(client, `SELECT lsn FROM pg_create_logical_replication_slot(?, 'pgoutput')`, [name]),
    );
    return made[0]?.[0] ?? '0/0';
  };
  try {
    return await withSession(url, waiting.stopping, {}, prepare);
  } catch (error) {
    throw setUpError(error);
  }
}

export async function releaseChanges(url: string, plan: string): Promise<void> {
  const client = await openClient(url);
  const name = objectName(plan);
  try {
    await query(
      client,
      `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = ? AND active`,
      [name],
    );
    for (let tries = 0; ; tries += 1) {
      try {
        await query(
          client,
          `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ?`,
          [name],
        );
        break;
      } catch (error) {
        // The session that was told to end may need a moment.
        if (tries >= 50) throw error;
        await setTimeout(100);
      }
    }
    await query(client, `DROP PUBLICATION IF EXISTS ${ident(name)}`);
  } finally {
    await client.end();
  }
}

/** The end of the log. A message of ours goes first, so that an idle source has something to send. */
export async function currentPosition(url: string): Promise<string> {
  const client = await openClient(url);
  try {
    try {
      await query(client, `SELECT pg_logical_emit_message(true, 'sprocket', '')`);
    } catch (error) {
      if (!(error instanceof Error) || !/read-only|permission denied|recovery/.test(error.message))
        throw error;
    }
    const rows = await query(client, 'SELECT pg_current_wal_lsn()');
    return rows[0]?.[0] ?? '0/0';
  } finally {
    await client.end();
  }
}

export async function sourceLag(url: string, plan: string, applied: string): Promise<SourceLag> {
  const client = await openClient(url);
  try {
    const rows = await query(
      client,
      `SELECT greatest(pg_wal_lsn_diff(pg_current_wal_lsn(), ${literal(applied)}), 0)::bigint,
              pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint, wal_status
         FROM pg_replication_slots WHERE slot_name = ?`,
      [objectName(plan)],
    );
    const [bytes, retained, status] = rows[0] ?? [];
    return {
      bytes: Number(bytes ?? 0),
      retainedBytes: retained === null || retained === undefined ? null : Number(retained),
      status: status ?? null,
    };
  } finally {
    await client.end();
  }
}

/** What of the server's settings keeps changes from being followed. Rights are another matter. */
export async function followProblems(url: string): Promise<readonly string[]> {
  const client = await openClient(url);
  try {
    const rows = await query(
      client,
      `SELECT current_setting('wal_level'), current_setting('max_replication_slots'),
              (SELECT count(*) FROM pg_replication_slots), current_setting('max_wal_senders'),
              pg_is_in_recovery()`,
    );
    const [level, most, used, senders, standby] = rows[0] ?? [];
    return [
      ...(level === 'logical'
        ? []
        : [
            `The source's wal_level is ${level}, so its changes can't be followed. Run ALTER SYSTEM SET wal_level = logical and restart the server, or load without changes (Mode "load").`,
          ]),
      // One for following, and one for the snapshot that the load reads.
      ...(Number(most) - Number(used) >= 2
        ? []
        : [
            `The source has ${most} replication slots, of which ${used} are taken; a plan needs two. Raise max_replication_slots and restart the server, or drop a slot that nobody needs.`,
          ]),
      ...(Number(senders) >= 2
        ? []
        : [
            `The source's max_wal_senders is ${senders}; a plan needs two. Raise it and restart the server.`,
          ]),
      ...(standby === 't'
        ? ['The source is a standby, where no publication can be made. Follow its primary instead.']
        : []),
    ];
  } finally {
    await client.end();
  }
}

/** What a refusal to start the stream means. */
export function streamError(error: Error, plan: string): Error {
  if (
    /does not exist|can no longer (?:get changes|access)|invalidated|wal_removed|requested WAL segment/.test(
      error.message,
    )
  ) {
    return new MoveError(
      'position-lost',
      `The source no longer has the log that the plan "${plan}" needs (slot ${objectName(plan)}: ${error.message}). ` +
        `Reset the pipelines and load again; raise max_slot_wal_keep_size first if the log was removed.`,
    );
  }
  return error;
}

/** Children by INHERITS are read with their parent, but the log has their changes under their own names. */
async function assertChildless(client: Client, tables: readonly QualifiedName[]): Promise<void> {
  for (const table of tables) {
    const [child] = await query(
      client,
      `SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class p ON p.oid = inhparent
        WHERE inhparent = to_regclass(?) AND p.relkind = 'r' LIMIT 1`,
      [tableName(table)],
    );
    if (child === undefined) continue;
    const name = qualified(table);
    throw new MoveError(
      'not-configured',
      `${name} has rows in tables that inherit from it (${child[0]}), whose changes are not logged as its own. ` +
        `Make it a partitioned table, or load without changes (Mode "load").`,
      name,
    );
  }
}

/** A table whose changes do not say which row they are about can't be published without breaking its writers. */
export function assertFollowable(table: {
  readonly name: QualifiedName;
  readonly followable: boolean;
}): void {
  if (table.followable) return;
  throw new MoveError(
    'no-key',
    `${qualified(table.name)} has no primary key and no replica identity: its updates could not be followed, and ` +
      `PostgreSQL would refuse them once published. Run: ALTER TABLE ${tableName(table.name)} REPLICA IDENTITY FULL`,
    qualified(table.name),
  );
}
