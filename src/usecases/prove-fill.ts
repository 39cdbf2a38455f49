/** Gives a proof rows to work on where there are none. */
import type { QualifiedName } from '../core/catalog/types.ts';
import type { Wildness } from '../core/proof/rows/values.ts';
import { qualified, sameName } from '../core/catalog/names.ts';
import { chooseArguments, settleArguments } from './prove-arguments.ts';
import { observe } from './prove-compare.ts';
import { cloneState, throwIfAborted, withSession } from './prove-context.ts';
import type { ArgumentValues, ProofContext } from './prove-context.ts';
import type { BatchPlan } from './prove-plan.ts';
import { makeRows, poolsOf } from './prove-rows.ts';
import type { RowSetting } from './prove-rows.ts';
import { callRoutines } from './prove-run.ts';

export interface FillRequest {
  readonly clock: string;
  readonly given: ReadonlyMap<string, ArgumentValues>;
  readonly calls: readonly string[];
}

const ATTEMPT_DATABASE = 'filled';

interface Attempt {
  readonly wildness: Wildness;
  readonly seed: string;
}

/** The wildest rows that the procedures take without failing: the more they hold, the more they show. */
const ATTEMPTS: readonly Attempt[] = [
  { wildness: 'wild', seed: 'a' },
  { wildness: 'mixed', seed: 'b' },
  { wildness: 'plain', seed: 'c' },
  { wildness: 'tidy', seed: 'd' },
];

/** Rows that show less: only taken where they alone make a procedure work. */
const LAST_RESORTS: readonly Attempt[] = [
  { wildness: 'distinct', seed: 'e' },
  { wildness: 'named', seed: 'f' },
];

/**
 * Fills the inputs of a batch where none of them has a row; gives whether it did. Data that
 * somebody has given are never added to.
 */
export async function fillForProof(
  context: ProofContext,
  plan: BatchPlan,
  setting: RowSetting,
  database: string,
  request: FillRequest,
): Promise<boolean> {
  const inputs = inputsOf(context, plan);
  const { rows } = await withSession(context, database, observe);
  const isFilled = (table: QualifiedName) => (rows.get(qualified(table)) ?? '0') !== '0';
  const read = plan.sources.length > 0 ? plan.sources : plan.written;
  if (inputs.length === 0 || read.some(isFilled)) return false;
  let best: { attempt: Attempt | null; failing: number } = {
    attempt: null,
    failing: Number.POSITIVE_INFINITY,
  };
  for (const attempt of [...ATTEMPTS, ...LAST_RESORTS]) {
    throwIfAborted(context);
    await cloneState(context, database, ATTEMPT_DATABASE);
    await fill(context, ATTEMPT_DATABASE, inputs, settingOf(setting, attempt));
    const failing = await failures(context, plan, settingOf(setting, attempt), request);
    // Of attempts that are no better the tamer one: what fails there is least of its rows' making.
    const isLast = LAST_RESORTS.includes(attempt);
    if (failing < best.failing || (failing === best.failing && !isLast))
      best = { attempt, failing };
    if (failing === 0) break;
  }
  await context.sandbox.drop(ATTEMPT_DATABASE);
  if (best.attempt !== null)
    await fill(context, database, inputs, settingOf(setting, best.attempt));
  return true;
}

/**
 * What the procedures read, and what the rows that they write must refer to; where that is nothing,
 * what they write is the only input there is.
 */
function inputsOf(
  { catalog }: ProofContext,
  { sources, written }: BatchPlan,
): readonly QualifiedName[] {
  const isWritten = (name: QualifiedName) => written.some((table) => sameName(table, name));
  const referred = catalog.tables
    .filter(({ name }) => isWritten(name))
    .flatMap(({ foreignKeys }) => foreignKeys.map(({ references }) => references))
    .filter((name) => !isWritten(name));
  return sources.length > 0 ? [...sources, ...referred] : [...written, ...referred];
}

function settingOf(setting: RowSetting, attempt: Attempt): RowSetting {
  return {
    ...setting,
    seed: attempt.seed,
    values: { ...setting.values, wildness: attempt.wildness },
  };
}

function fill(
  context: ProofContext,
  database: string,
  tables: readonly QualifiedName[],
  setting: RowSetting,
): Promise<ReadonlyMap<string, number>> {
  return withSession(context, database, (session) => makeRows(session, setting, tables));
}

/** How much fails on the rows of an attempt when the routines run in order. */
async function failures(
  context: ProofContext,
  plan: BatchPlan,
  setting: RowSetting,
  { clock, given, calls }: FillRequest,
): Promise<number> {
  const pools = await withSession(context, ATTEMPT_DATABASE, (session) =>
    poolsOf(session, setting),
  );
  const request = { routines: plan.order, given, calls, pools, clock: setting.values.clock };
  const start = { name: 'made-up rows', clock, values: new Map() };
  const sets = await chooseArguments(context, request, ATTEMPT_DATABASE, start);
  const values = await withSession(context, ATTEMPT_DATABASE, (session) =>
    settleArguments(context, session, sets, 0, clock),
  );
  const routines = plan.levels.flat();
  const errors = await callRoutines(context, ATTEMPT_DATABASE, routines, { ...start, values });
  // What writes shows more than a guard that finds the rows at fault.
  const writes = (routine: string) => (context.translations.get(routine)?.writes ?? []).length > 0;
  return [...errors.keys()].map((routine) => (writes(routine) ? 2 : 1)).reduce((a, b) => a + b, 0);
}
