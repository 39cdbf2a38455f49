/** Proves translated procedures on a database of the sandbox: prepares it, plans the rounds. */
import type { Catalog, QualifiedName } from '../core/catalog/types.ts';
import { firstMoment, roundClocks } from '../core/proof/clock.ts';
import { readHints } from '../core/proof/hints/read.ts';
import type { RoundKind } from '../core/proof/record.ts';
import type { Translation } from '../core/translate/types.ts';
import { chooseArguments, settleArguments } from './prove-arguments.ts';
import { proveBatch } from './prove-batch.ts';
import type { BatchResult } from './prove-batch.ts';
import type { PlannedRound, ProofProgress } from './prove-rounds.ts';
import { withSession } from './prove-context.ts';
import type { ArgumentValues, ProofContext, ProofTools } from './prove-context.ts';
import { NONE_HANDWRITTEN } from './prove-handwritten.ts';
import type { HandwrittenModels } from './prove-handwritten.ts';
import { planBatch } from './prove-plan.ts';
import type { BatchPlan } from './prove-plan.ts';
import { instrument, newestMoments, setClock } from './prove-prepare.ts';
import { makeChanges, poolsOf } from './prove-rows.ts';
import type { RowSetting } from './prove-rows.ts';
import { fillForProof } from './prove-fill.ts';
import type { InputChange } from './prove-state.ts';

export interface DatabaseProofRequest {
  readonly tools: ProofTools;
  readonly catalog: Catalog;
  /** Those to prove, and no others. */
  readonly translations: readonly Translation[];
  /**
   * These and all that they call, in the order in which they run: a procedure that only calls is
   * compared with the models of those. Left out where all of them are to be proven.
   */
  readonly known?: readonly Translation[];
  /** Whether the translations come in the order in which the procedures run. */
  readonly ordered: boolean;
  /** Database of the sandbox with the schema and the data; it is changed. */
  readonly database: string;
  /** Changes of the inputs, each followed by a round. */
  readonly changes: readonly InputChange[];
  /** Values for parameters that somebody has given, by routine. */
  readonly values: ReadonlyMap<string, ArgumentValues>;
  /** Calls of the procedures as text, from which values are taken where nobody has given any. */
  readonly calls?: readonly string[];
  /** Models that people wrote: they are proven in place of the translation's. */
  readonly handwritten?: HandwrittenModels;
  readonly now: Date;
  readonly progress: (event: ProofProgress) => void;
}

/** Throws `ProofAborted`, `DbtError`. */
export async function proveDatabase(request: DatabaseProofRequest): Promise<BatchResult> {
  const { tools, catalog, translations, database, now } = request;
  const plan = planBatch(catalog, translations, request.ordered);
  const byRoutine = new Map(translations.map((translation) => [translation.routine, translation]));
  const known = request.known ?? plan.order.flatMap((routine) => byRoutine.get(routine) ?? []);
  const context: ProofContext = {
    ...tools,
    catalog,
    translations: new Map(known.map((translation) => [translation.routine, translation])),
    handwritten: request.handwritten ?? NONE_HANDWRITTEN,
  };
  const kinds = roundKinds(request);
  const newest = await withSession(context, database, (session) =>
    newestMoments(session, catalog, plan.sources, now),
  );
  const first = firstMoment(newest, now);
  const clocks = roundClocks(first, kinds.length + ARGUMENT_ROUNDS);
  const setting: RowSetting = {
    catalog,
    hints: readHints(catalog, catalog.routines),
    values: { clock: first, wildness: 'mixed' },
    seed: 'sprocket',
  };
  const branches = await withSession(context, database, async (session) => {
    const changed = await instrument(session, catalog, known, clocks[0] ?? '');
    return changed.branches;
  });
  const madeUp = await fillForProof(context, plan, setting, database, {
    clock: clocks[0] ?? '',
    given: request.values,
    calls: request.calls ?? [],
  });
  const rounds = await plannedRounds(context, request, { plan, setting, kinds, clocks });
  return proveBatch(context, {
    plan,
    rounds,
    given: database,
    madeUp,
    hints: setting.hints,
    branches,
    progress: request.progress,
  });
}

/** The last round changes the inputs by itself; changes that people give come before. */
function roundKinds({ changes }: DatabaseProofRequest): readonly RoundKind[] {
  return ['given', 'again', ...changes.map(() => 'change' as const), 'changed'];
}

/** Arguments that the other rounds leave untried: as many rounds more. */
const ARGUMENT_ROUNDS = 2;
const FIRST_EXTRA_SET = 2;

interface Preparation {
  readonly plan: BatchPlan;
  readonly setting: RowSetting;
  readonly kinds: readonly RoundKind[];
  readonly clocks: readonly string[];
}

async function plannedRounds(
  context: ProofContext,
  request: DatabaseProofRequest,
  { plan, setting, kinds, clocks }: Preparation,
): Promise<readonly PlannedRound[]> {
  const { database, changes } = request;
  const pools = await withSession(context, database, (session) => poolsOf(session, setting));
  const start = { name: 'arguments', clock: clocks[0] ?? '', values: new Map() };
  const sets = await chooseArguments(
    context,
    {
      routines: plan.order,
      given: request.values,
      calls: request.calls ?? [],
      pools,
      clock: setting.values.clock,
    },
    database,
    start,
  );
  return withSession(context, database, async (session) => {
    const rounds: PlannedRound[] = [];
    for (const [index, kind] of kinds.entries()) {
      const clock = clocks[index] ?? '';
      const change = kind === 'change' ? changes[index - 2] : undefined;
      // Other arguments only at the end: until then a second run is a second run of the same call.
      const values = await settleArguments(
        context,
        session,
        sets,
        kind === 'changed' ? 1 : 0,
        clock,
      );
      rounds.push({
        kind,
        only: null,
        setting: { name: roundName(kind, change), clock, values },
        change:
          kind === 'changed'
            ? (state) => changedInputs(context, state, setting, plan)
            : change === undefined
              ? null
              : async () => change,
      });
    }
    for (let extra = 0; extra < ARGUMENT_ROUNDS; extra += 1) {
      const set = FIRST_EXTRA_SET + extra;
      const only = new Set(
        [...sets].flatMap(([routine, { length }]) => (length > set ? [routine] : [])),
      );
      if (only.size === 0) break;
      const clock = clocks[kinds.length + extra] ?? '';
      const values = await settleArguments(context, session, sets, set, clock);
      const name = `other arguments (${extra + 1})`;
      rounds.push({ kind: 'arguments', only, setting: { name, clock, values }, change: null });
    }
    await setClock(session, clocks[0] ?? '');
    return rounds;
  });
}

/** Changes of everything that the procedures only read, tried out on a copy that is thrown away. */
async function changedInputs(
  context: ProofContext,
  state: string,
  setting: RowSetting,
  plan: BatchPlan,
): Promise<InputChange> {
  await context.sandbox.clone(state, 'changes');
  const statements = await withSession(context, 'changes', (session) =>
    makeChanges(session, setting, sourcesOf(plan)),
  );
  await context.sandbox.drop('changes');
  return { name: 'changed input', sql: statements.map((statement) => `${statement};`).join('\n') };
}

/** Where nothing is only read, what is written is the only input there is. */
function sourcesOf({ sources, written }: BatchPlan): readonly QualifiedName[] {
  return sources.length > 0 ? sources : written;
}

function roundName(kind: RoundKind, change: InputChange | undefined): string {
  if (kind === 'given') return 'data as given';
  if (kind === 'again') return 'second run';
  return change?.name ?? 'changed input';
}
