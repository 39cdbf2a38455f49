/**
 * Claims: session advisory locks, which the server lets go of when their holder dies.
 *
 * The key is made by the server from a readable name, so that a person can look a lock up:
 * `SELECT pg_try_advisory_lock(hashtextextended('wirekite/sales:P/dw.load_orders()', 0))`.
 * A pooler that gives every transaction another connection would lose them: use a direct one.
 */
import type { SqlSession } from '../../ports/sandbox.ts';

export type Query = Pick<SqlSession, 'query'>;

/** Name of the lock on one row of `wirekite_progress`. */
export function progressLock(schema: string, source: string, target: string): string {
  return `${schema}/${target}/${source}`;
}

/** Name of the lock that every worker of a plan shares, and that a reset takes alone. */
export function presenceLock(schema: string, plan: string): string {
  return `${schema}/${plan}`;
}

/** Takes a lock for the session, without waiting; gives whether it was free. */
export async function tryLock(session: Query, name: string): Promise<boolean> {
  return isTrue(session, 'SELECT pg_try_advisory_lock(hashtextextended($1, 0))', name);
}

export async function tryLockShared(session: Query, name: string): Promise<boolean> {
  return isTrue(session, 'SELECT pg_try_advisory_lock_shared(hashtextextended($1, 0))', name);
}

/** Takes a lock until the end of the transaction, without waiting. */
export async function tryLockInTransaction(session: Query, name: string): Promise<boolean> {
  return isTrue(session, 'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))', name);
}

/** Waits for a lock that lasts until the end of the transaction. */
export async function lockInTransaction(session: Query, name: string): Promise<void> {
  await session.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name]);
}

export async function unlock(session: Query, name: string): Promise<void> {
  await session.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name]);
}

/** Number of sessions that hold the lock, shared or alone. */
export async function holders(session: Query, name: string): Promise<number> {
  const { rows } = await session.query(
    `SELECT count(*) FROM pg_locks l WHERE ${isLockOn('l', 'hashtextextended($1, 0)')}`,
    [name],
  );
  return Number(rows[0]?.[0] ?? 0);
}

/** SQL: whether a row of `pg_locks` is a lock of ours with this key that somebody holds. */
export function isLockOn(lock: string, key: string): string {
  return `${lock}.locktype = 'advisory' AND ${lock}.granted AND ${lock}.objsubid = 1
    AND ${lock}.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (${lock}.classid::bigint << 32) | ${lock}.objid::bigint = ${key}`;
}

async function isTrue(session: Query, sql: string, name: string): Promise<boolean> {
  const { rows } = await session.query(sql, [name]);
  return rows[0]?.[0] === 't';
}
