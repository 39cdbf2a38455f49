/** Settles the arguments of every call before a proof begins: both sides get the same values. */
import { routineId } from '../core/catalog/names.ts';
import type { Routine } from '../core/catalog/types.ts';
import { argumentSets, argumentsOfCall, passedParameters } from '../core/proof/arguments.ts';
import type { ArgumentSets } from '../core/proof/arguments.ts';
import { callSql } from '../core/proof/call.ts';
import { typedLiteral } from '../core/proof/names.ts';
import type { Pools } from '../core/proof/rows/pools.ts';
import { SqlError } from '../ports/sandbox.ts';
import type { SqlSession } from '../ports/sandbox.ts';
import { notedCalls } from './prove-calls.ts';
import { cloneState, withSession } from './prove-context.ts';
import type { ArgumentValues, ProofContext, RoundSetting } from './prove-context.ts';
import { setClock } from './prove-prepare.ts';

export interface ArgumentRequest {
  /** Given by a person, by routine. */
  readonly given: ReadonlyMap<string, ArgumentValues>;
  /** Calls in the files of procedures. */
  readonly calls: readonly string[];
  readonly pools: Pools;
  readonly clock: Date;
}

const TRIAL_DATABASE = 'trial';

/**
 * Sets of argument expressions for each routine that takes any, those on which it changes rows of
 * `state` first.
 */
export async function chooseArguments(
  context: ProofContext,
  request: ArgumentRequest,
  state: string,
  setting: RoundSetting,
): Promise<ReadonlyMap<string, ArgumentSets>> {
  const routines = context.catalog.routines.filter((routine) =>
    context.translations.has(routineId(routine)),
  );
  const seen = await seenArguments(context, request, routines, state, setting);
  const sets = new Map(
    routines
      .filter((routine) => passedParameters(routine).length > 0)
      .map((routine) => [routineId(routine), setsOf(routine, request, seen)]),
  );
  await withSession(context, state, async (session) => {
    await setClock(session, setting.clock);
    for (const routine of routines) {
      const all = sets.get(routineId(routine)) ?? [];
      if (all.length > 1) sets.set(routineId(routine), await distinctSets(session, routine, all));
    }
  });
  const undecided = routines.filter((routine) => {
    const id = routineId(routine);
    return (sets.get(id)?.length ?? 0) > 1 && !hasFirstChoice(routine, request, seen);
  });
  if (undecided.length > 0) {
    await cloneState(context, state, TRIAL_DATABASE);
    await withSession(context, TRIAL_DATABASE, async (session) => {
      await session.query(`SET statement_timeout = ${context.limits.procedureMs}`);
      for (const routine of undecided) {
        const id = routineId(routine);
        sets.set(id, await workingFirst(session, routine, sets.get(id) ?? []));
      }
    });
    await context.sandbox.drop(TRIAL_DATABASE);
  }
  return sets;
}

/** Sets that come to the same values, however they are written, count once. */
async function distinctSets(
  session: SqlSession,
  routine: Routine,
  sets: ArgumentSets,
): Promise<ArgumentSets> {
  const byValue = new Map<string, ArgumentValues>();
  for (const set of sets) {
    const values: string[] = [];
    for (const { name, type } of passedParameters(routine)) {
      values.push(await constant(session, set[name] ?? 'NULL', type));
    }
    const key = values.join('\0');
    if (!byValue.has(key)) byValue.set(key, set);
  }
  return [...byValue.values()];
}

type Seen = ReadonlyMap<string, ArgumentValues>;

function setsOf(routine: Routine, request: ArgumentRequest, seen: Seen): ArgumentSets {
  const id = routineId(routine);
  return argumentSets(routine, {
    given: request.given.get(id) ?? {},
    seen: seen.get(id) ?? {},
    pools: request.pools,
    clock: request.clock,
  });
}

/** Arguments in calls that stand in files, and those that callers among the routines pass on. */
async function seenArguments(
  context: ProofContext,
  request: ArgumentRequest,
  routines: readonly Routine[],
  state: string,
  setting: RoundSetting,
): Promise<Seen> {
  const seen = new Map<string, ArgumentValues>();
  for (const text of request.calls) {
    const call = argumentsOfCall(text, routines);
    if (call !== null && !seen.has(call.routine)) seen.set(call.routine, call.values);
  }
  for (const caller of routines) {
    const id = routineId(caller);
    if (context.translations.get(id)?.outcome !== 'calls') continue;
    const values = new Map([[id, setsOf(caller, request, seen)[0] ?? {}]]);
    // A caller that fails here will be found to be broken in its own round.
    const noted = await notedCalls(context, state, id, { ...setting, values });
    for (const call of noted) if (!seen.has(call.routine)) seen.set(call.routine, call.values);
  }
  return seen;
}

/** Somebody has said what the first call is to be: its author's defaults, a caller, or a person. */
function hasFirstChoice(routine: Routine, request: ArgumentRequest, seen: Seen): boolean {
  const id = routineId(routine);
  const known = { ...seen.get(id), ...request.given.get(id) };
  return passedParameters(routine).every(
    ({ name, defaultSql }) => defaultSql !== null || known[name] !== undefined,
  );
}

/** Sets with which the routine changes rows before those with which it only runs, or fails. */
async function workingFirst(
  session: SqlSession,
  routine: Routine,
  sets: ArgumentSets,
): Promise<ArgumentSets> {
  const tried: { readonly set: ArgumentValues; readonly changed: number }[] = [];
  for (const set of sets) {
    tried.push({ set, changed: await changedBy(session, callSql(routine, set)) });
  }
  return tried
    .toSorted((a, b) => Math.sign(b.changed) - Math.sign(a.changed))
    .map(({ set }) => set);
}

/** Rows that a call changes, taken back afterwards; -1 where it fails. */
async function changedBy(session: SqlSession, call: string): Promise<number> {
  await session.query('BEGIN');
  try {
    await session.query(call);
    const { rows } = await session.query(
      'SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables',
    );
    return Number(rows[0]?.[0] ?? 0);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    // A routine that commits can't be tried like this; it got that far without another error.
    return error.code === '2D000' ? 1 : -1;
  } finally {
    await session.query('ROLLBACK');
  }
}

/** The values of one set in a round: constants, so that both sides have the same whatever the clock. */
export async function settleArguments(
  { catalog }: ProofContext,
  session: SqlSession,
  sets: ReadonlyMap<string, ArgumentSets>,
  set: number,
  clock: string,
): Promise<ReadonlyMap<string, ArgumentValues>> {
  await setClock(session, clock);
  const settled = new Map<string, ArgumentValues>();
  for (const routine of catalog.routines) {
    const choices = sets.get(routineId(routine));
    const chosen = choices?.[Math.min(set, choices.length - 1)];
    if (chosen === undefined) continue;
    const values: [string, string][] = [];
    for (const { name, type } of passedParameters(routine)) {
      values.push([name, await constant(session, chosen[name] ?? 'NULL', type)]);
    }
    settled.set(routineId(routine), Object.fromEntries(values));
  }
  return settled;
}

async function constant(session: SqlSession, expression: string, type: string): Promise<string> {
  try {
    const { rows } = await session.query(`SELECT CAST(${expression} AS ${type})::text`);
    return typedLiteral(rows[0]?.[0] ?? null, type);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    // An expression that fails is the procedure's own affair: the call will say so.
    return expression;
  }
}
