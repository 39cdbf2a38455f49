/** Looks whether procedures give other rows when the same input lies in another order. */
import { qualified, sameName } from '../core/catalog/names.ts';
import type { QualifiedName } from '../core/catalog/types.ts';
import type { SurrogateKey } from '../core/proof/compare/surrogates.ts';
import { permuteSql } from '../core/proof/permute.ts';
import type { Permutation } from '../core/proof/permute.ts';
import type { OrderDependence } from '../core/proof/record.ts';
import { compareDatabases, observe } from './prove-compare.ts';
import type { Observation, TableComparison } from './prove-compare-rows.ts';
import { cloneState, throwIfAborted, withSession } from './prove-context.ts';
import type { ProofContext, RoundSetting } from './prove-context.ts';
import { compareScope, translationsOf } from './prove-scope.ts';
import { callRoutines } from './prove-run.ts';

export interface OrderRound {
  readonly setting: RoundSetting;
  /** The state before, and what the procedures made of it. */
  readonly state: string;
  readonly outcome: string;
  readonly before: Observation;
  readonly routines: readonly string[];
  /** Tables whose order is changed: those that the routines read or write; null: all. */
  readonly inputs: readonly QualifiedName[] | null;
  readonly permutation: Permutation;
}

const DATABASE = 'order';

/** By routine. Those that failed on the input as it lay are not among the routines. */
export async function orderDependences(
  context: ProofContext,
  round: OrderRound,
): Promise<ReadonlyMap<string, OrderDependence>> {
  throwIfAborted(context);
  const found = new Map<string, OrderDependence>();
  const differing = await differencesUnder(context, round, round.permutation);
  for (const [routine, dependence] of differing) {
    const alone = { ...round, routines: [routine] };
    const outcome = await ownOutcome(context, alone);
    const confirmed = (await differencesUnder(context, outcome, round.permutation)).has(routine);
    // What differs from run to run anyway is no question of order.
    const repeated = confirmed && (await differencesUnder(context, outcome, null)).has(routine);
    if (confirmed && !repeated) found.set(routine, dependence);
  }
  await context.sandbox.drop(DATABASE);
  await context.sandbox.drop(OWN_OUTCOME);
  return found;
}

const OWN_OUTCOME = 'order_outcome';

/** What one routine alone makes of the state as it lies. */
async function ownOutcome(context: ProofContext, round: OrderRound): Promise<OrderRound> {
  await cloneState(context, round.state, OWN_OUTCOME);
  const before = await withSession(context, OWN_OUTCOME, observe);
  await callRoutines(context, OWN_OUTCOME, round.routines, round.setting);
  return { ...round, outcome: OWN_OUTCOME, before };
}

/** Runs the routines on the permuted state, or on the same state where there is no permutation. */
async function differencesUnder(
  context: ProofContext,
  round: OrderRound,
  permutation: Permutation | null,
): Promise<ReadonlyMap<string, OrderDependence>> {
  await cloneState(context, round.state, DATABASE);
  if (permutation !== null) await permute(context, round, permutation);
  const before = await withSession(context, DATABASE, observe);
  const { routines, setting } = round;
  const errors = await callRoutines(context, DATABASE, routines, setting, permutation?.session);
  const tables = await compareOutcomes(context, round, before);
  const found = new Map<string, OrderDependence>();
  const name = `${setting.name}, input ${permutation?.name ?? 'as it lies'}`;
  for (const routine of routines) {
    const own = tables.filter(
      ({ table, equal }) => !equal && isOwn(context, round, routine, table),
    );
    const [first] = own;
    if (first !== undefined) {
      found.set(routine, { round: name, table: first.table, differences: first.differences });
    } else if (errors.has(routine)) {
      const [table] = context.translations.get(routine)?.writes ?? [];
      const none = { schema: '', name: 'its tables' };
      found.set(routine, { round: name, table: table ?? none, differences: [] });
    }
  }
  return found;
}

async function compareOutcomes(
  context: ProofContext,
  round: OrderRound,
  before: Observation,
): Promise<readonly TableComparison[]> {
  const translations = translationsOf(context, round.routines);
  const scope = compareScope(context, translations, []);
  const surrogates = [...scope.surrogates, ...sequenceColumns(context, round)];
  const comparison = await withSession(context, round.outcome, (outcome) =>
    withSession(context, DATABASE, (permuted) =>
      withSession(context, round.state, (state) =>
        compareDatabases({
          ...scope,
          always: [],
          surrogates,
          procedure: { session: outcome, before: round.before },
          model: { session: permuted, before },
          before: state,
          round: round.setting.name,
        }),
      ),
    ),
  );
  return comparison.tables;
}

async function permute(
  context: ProofContext,
  { inputs }: OrderRound,
  permutation: Permutation,
): Promise<void> {
  const tables = context.catalog.tables.filter(
    (table) =>
      table.kind !== 'foreign' &&
      (inputs === null || inputs.some((name) => sameName(name, table.name))),
  );
  await withSession(context, DATABASE, async (session) => {
    await session.query('SET session_replication_role = replica');
    for (const table of tables) await session.query(permuteSql(table, permutation));
  });
}

/** Numbers from sequences follow the order of rows, and promise nothing else. */
function sequenceColumns({ catalog }: ProofContext, round: OrderRound): readonly SurrogateKey[] {
  const written = (name: QualifiedName) =>
    round.inputs?.some((input) => sameName(input, name)) ?? true;
  return catalog.tables
    .filter((table) => written(table.name))
    .flatMap((table) =>
      table.columns
        .filter((column) => column.identity !== null || column.sequence !== null)
        .map((column) => ({ table: table.name, column: column.name, keeps: true })),
    );
}

/** Tables that no routine of the round is known to write count for each of them. */
function isOwn(
  context: ProofContext,
  { routines }: OrderRound,
  routine: string,
  table: QualifiedName,
): boolean {
  const writers = routines.filter((id) =>
    (context.translations.get(id)?.writes ?? []).some(
      (name) => qualified(name) === qualified(table),
    ),
  );
  return writers.length === 0 || writers.includes(routine);
}
