/** Settles the arguments of every call before a proof begins: both sides get the same values. */
import { routineId } from '../core/catalog/names.ts';
import type { Routine } from '../core/catalog/types.ts';
import { argumentSets, argumentsOfCall, passedParameters } from '../core/proof/arguments.ts';
import type { ArgumentSets } from '../core/proof/arguments.ts';
import { callSql } from '../core/proof/call.ts';
import { typedLiteral } from '../core/proof/names.ts';
import type { Pools } from '../core/proof/rows/pools.ts';
import { scan } from '../core/translate/postgres/parser.ts';
import { SqlError } from '../ports/sandbox.ts';
import type { SqlSession } from '../ports/sandbox.ts';
import { notedCalls } from './prove-calls.ts';
import { cloneState, withSession } from './prove-context.ts';
import type { ArgumentValues, ProofContext, RoundSetting } from './prove-context.ts';
import { setClock } from './prove-prepare.ts';

export interface ArgumentRequest {
  readonly routines: readonly string[];
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
    request.routines.includes(routineId(routine)),
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
  await tryOut(context, state, sets, (routine) => hasFirstChoice(routine, request, seen));
  return sets;
}

/**
 * Calls of one routine with arguments that nobody has asked for may take this long together. What
 * is left out for want of time would take it several times over in a proof.
 */
const TRIAL_MS = 3_000;

/**
 * Calls routines on a copy of the state, where that tells something: which set should come first
 * where nobody has said it, and which sets make a loop take so many turns that it takes too long.
 */
async function tryOut(
  context: ProofContext,
  state: string,
  sets: Map<string, ArgumentSets>,
  isDecided: (routine: Routine) => boolean,
): Promise<void> {
  const tried = context.catalog.routines.filter((routine) => {
    const several = (sets.get(routineId(routine))?.length ?? 0) > 1;
    return several && (!isDecided(routine) || hasLoop(routine));
  });
  if (tried.length === 0) return;
  await cloneState(context, state, TRIAL_DATABASE);
  await withSession(context, TRIAL_DATABASE, async (session) => {
    for (const routine of tried) {
      const all = sets.get(routineId(routine)) ?? [];
      const trials: Trial[] = [];
      const end = performance.now() + TRIAL_MS;
      for (const [index, set] of all.entries()) {
        // What somebody has chosen is called whatever it takes.
        const skipped = index === 0 && isDecided(routine);
        const left = Math.floor(end - performance.now());
        if (skipped) trials.push({ set, changed: 1, slow: false });
        else if (left <= 0) trials.push({ set, changed: -1, slow: true });
        else {
          await session.query(`SET statement_timeout = ${left}`);
          trials.push(await trial(session, routine, set));
        }
      }
      const quick = trials.filter(({ slow }, index) => index === 0 || !slow);
      const ordered = isDecided(routine)
        ? quick
        : quick.toSorted((a, b) => Math.sign(b.changed) - Math.sign(a.changed));
      sets.set(
        routineId(routine),
        ordered.map(({ set }) => set),
      );
    }
  });
  await context.sandbox.drop(TRIAL_DATABASE);
}

/** How often a loop turns may depend on an argument: a page size, a step, a last day. */
function hasLoop({ body }: Routine): boolean {
  try {
    return scan(body).some(({ text }) => text.toLowerCase() === 'loop');
  } catch {
    return true;
  }
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
    if (context.translations.get(id)?.outcome !== 'calls' || routines.length === 1) continue;
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

interface Trial {
  readonly set: ArgumentValues;
  /** Rows that the call changes; -1 where it fails. */
  readonly changed: number;
  readonly slow: boolean;
}

/** Takes back what the call has done, but for a routine that commits. */
async function trial(session: SqlSession, routine: Routine, set: ArgumentValues): Promise<Trial> {
  const call = callSql(routine, set);
  const error = await errorOf(session, async () => {
    await session.query('BEGIN');
    await session.query(call);
  });
  const changed = error === null ? await changedRows(session) : -1;
  await session.query('ROLLBACK');
  if (error?.code !== COMMITS) return { set, changed, slow: error?.code === TIMEOUT };
  // It got as far as its first COMMIT without another error.
  const outside = await errorOf(session, () => session.query(call));
  return { set, changed: 1, slow: outside?.code === TIMEOUT };
}

const COMMITS = '2D000';
const TIMEOUT = '57014';

async function errorOf(session: SqlSession, run: () => Promise<unknown>): Promise<SqlError | null> {
  try {
    await run();
    return null;
  } catch (error) {
    if (error instanceof SqlError) return error;
    throw error;
  }
}

async function changedRows(session: SqlSession): Promise<number> {
  const { rows } = await session.query(
    'SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables',
  );
  return Number(rows[0]?.[0] ?? 0);
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
