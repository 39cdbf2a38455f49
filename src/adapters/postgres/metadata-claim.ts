/** Claims: which procedures a worker gets, and the locks that make them its own. */
import { contractName, progressTarget } from '../../core/lifecycle/contract.ts';
import type { RunMember } from '../../core/lifecycle/run.ts';
import type { ProcedureState } from '../../core/lifecycle/state.ts';
import type { DecideClaim } from '../../ports/metadata.ts';
import { isLockOn, progressLock, tryLock, unlock } from './lock.ts';
import type { Query } from './lock.ts';
import { readMembers, writeStates } from './metadata-rows.ts';
import { jsonTexts, quoteIdentifier } from './metadata-sql.ts';

export interface ClaimRequest {
  readonly schema: string;
  readonly plan: string;
  readonly most: number;
  readonly decide: DecideClaim;
  /** Procedures whose locks this session holds already. */
  readonly held: ReadonlySet<string>;
}

/** Name of the lock on one procedure. */
export function procedureLock(schema: string, plan: string, id: string): string {
  return progressLock(schema, contractName(id), progressTarget(plan, 'P'));
}

/**
 * Claims in the open transaction; never waits for another worker. Adds the locks that it takes to
 * `taken`, also where it throws, because they outlive the transaction.
 */
export async function claimInTransaction(
  session: Query,
  request: ClaimRequest,
  taken: Set<string>,
): Promise<RunMember[]> {
  const crashed = await takeOver(session, request, taken);
  const room = request.most - crashed.length;
  const fresh = room > 0 ? await takePending(session, request, room, taken) : [];
  const members = [...crashed, ...fresh];
  const states = new Map<string, ProcedureState>();
  for (const member of members) {
    const state = request.decide(member, crashed.includes(member));
    if (state !== null) states.set(member.id, state);
  }
  const before = new Map(members.map((member) => [member.id, member]));
  await writeStates(session, request.schema, request.plan, states, before);
  return members.flatMap((member) => {
    const state = states.get(member.id);
    return state?.status === 'Running' ? [{ ...member, state }] : [];
  });
}

/**
 * A procedure that is Running and whose lock is free has lost its worker. The lock comes first:
 * once it is ours nobody else changes the row, and a second look tells whether the worker had
 * recorded an outcome before it let go.
 */
async function takeOver(
  session: Query,
  request: ClaimRequest,
  taken: Set<string>,
): Promise<RunMember[]> {
  const { schema, plan, held } = request;
  // Asked of pg_locks first: trying the locks of all that run well would take a while.
  const key = `hashtextextended($2 || p.source, 0)`;
  const { rows } = await session.query(
    `SELECT procedure FROM ${quoteIdentifier(schema)}.sprocket_procedure p
     WHERE plan = $1 AND status = 'Running' AND included
       AND NOT EXISTS (SELECT FROM pg_locks l WHERE ${isLockOn('l', key)})
     ORDER BY position`,
    [plan, progressLock(schema, '', progressTarget(plan, 'P'))],
  );
  const free: string[] = [];
  for (const [id] of rows) {
    if (free.length >= request.most) break;
    if (id === undefined || id === null || held.has(id)) continue;
    if (await tryLock(session, procedureLock(schema, plan, id))) {
      taken.add(id);
      free.push(id);
    }
  }
  return lockRows(session, request, free, 'Running');
}

async function takePending(
  session: Query,
  request: ClaimRequest,
  room: number,
  taken: Set<string>,
): Promise<RunMember[]> {
  const { schema, plan, held } = request;
  const { rows } = await session.query(
    `SELECT procedure FROM ${quoteIdentifier(schema)}.sprocket_procedure
     WHERE plan = $1 AND status = 'Pending' AND included
     ORDER BY position LIMIT $2::int FOR UPDATE SKIP LOCKED`,
    [plan, String(room)],
  );
  const free: string[] = [];
  for (const [id] of rows) {
    if (id === undefined || id === null || held.has(id)) continue;
    // Its former holder may not have let go yet; it will be free at the next look.
    if (await tryLock(session, procedureLock(schema, plan, id))) {
      taken.add(id);
      free.push(id);
    }
  }
  return lockRows(session, request, free, 'Pending');
}

/** Those of the procedures that still have the status, as they are now. */
async function lockRows(
  session: Query,
  request: ClaimRequest,
  ids: readonly string[],
  status: 'Running' | 'Pending',
): Promise<RunMember[]> {
  if (ids.length === 0) return [];
  const { schema, plan } = request;
  const sources = JSON.stringify(ids.map(contractName));
  // Two statements: what a locking one joins to may be older than the rows that it locks.
  const locked = await session.query(
    `SELECT source FROM ${quoteIdentifier(schema)}.sprocket_procedure
     WHERE plan = $1 AND source = ANY (${jsonTexts('$2')}) AND status = $3
     ORDER BY position FOR UPDATE SKIP LOCKED`,
    [plan, sources, status],
  );
  return readMembers(session, schema, plan, {
    where: `p.source = ANY (${jsonTexts('$3')})`,
    parameters: [JSON.stringify(locked.rows.map(([source]) => source))],
  });
}

/** Lets go of locks that the session holds. */
export async function unlockAll(
  session: Query,
  schema: string,
  plan: string,
  ids: Iterable<string>,
): Promise<void> {
  for (const id of ids) await unlock(session, procedureLock(schema, plan, id));
}
