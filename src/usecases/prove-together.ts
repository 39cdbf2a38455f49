/** All models together, in one database that only ever sees dbt, against all procedures in order. */
import { sameName } from '../core/catalog/names.ts';
import type { QualifiedName } from '../core/catalog/types.ts';
import type { RoundKind, RoundRecord } from '../core/proof/record.ts';
import type { RenderedModel } from '../core/project/types.ts';
import type { Translation } from '../core/translate/types.ts';
import { compareDatabases } from './prove-compare.ts';
import type { Comparison, Observation } from './prove-compare-rows.ts';
import { cloneState, throwIfAborted, withSession } from './prove-context.ts';
import type { ProofContext, RoundSetting } from './prove-context.ts';
import { allModels, buildModels, buildOf, callRoutines, MODEL_DATABASE } from './prove-run.ts';
import type { ModelRun } from './prove-run.ts';
import { compareScope, tablesOf } from './prove-scope.ts';

export const TOGETHER_DATABASE = 'together';

/** What is run one after the other: models that stand side by side, or a procedure without one. */
export type Segment =
  | { readonly kind: 'models'; readonly translations: readonly Translation[] }
  | { readonly kind: 'procedure'; readonly routine: string };

export interface TogetherRound {
  readonly setting: RoundSetting;
  readonly kind: RoundKind;
  /** Whether the tests of columns run here. */
  readonly columnTests: boolean;
  /** In the order in which they run. */
  readonly segments: readonly Segment[];
  /** The state after all procedures, and both databases as they were before the first round. */
  readonly state: string;
  readonly given: string;
  readonly before: Observation;
  /** Tables that a routine writes; null where not all of them are known. */
  readonly writesOf: (routine: string) => readonly QualifiedName[] | null;
}

/** Procedures without a model run as themselves between the models. */
export function segmentsOf(
  order: readonly string[],
  translations: ReadonlyMap<string, Translation>,
  isBuilt: (routine: string) => boolean,
): readonly Segment[] {
  const segments: Segment[] = [];
  for (const routine of order) {
    const translation = translations.get(routine);
    if (translation === undefined || !isBuilt(routine))
      segments.push({ kind: 'procedure', routine });
    else {
      const last = segments.at(-1);
      const before = last?.kind === 'models' ? last.translations : [];
      if (last?.kind === 'models') segments.pop();
      segments.push({ kind: 'models', translations: [...before, translation] });
    }
  }
  return segments;
}

/** One group, of which dbt builds all models in one run: that is all of them together. */
export function isOneBuild(
  levels: readonly (readonly string[])[],
  order: readonly string[],
  segments: readonly Segment[],
): boolean {
  const [level = [], ...others] = levels;
  const [segment, ...more] = segments;
  if (others.length > 0 || more.length > 0 || segment?.kind !== 'models') return false;
  return segment.translations.length === level.length && order.length === level.length;
}

/** One record for each routine that has models; an unequal table counts for its first writer. */
export async function runAllModels(
  context: ProofContext,
  round: TogetherRound,
): Promise<ReadonlyMap<string, RoundRecord>> {
  throwIfAborted(context);
  const runs: { readonly run: ModelRun; readonly translations: readonly Translation[] }[] = [];
  for (const segment of round.segments) {
    if (segment.kind === 'procedure') {
      await callRoutines(context, TOGETHER_DATABASE, [segment.routine], round.setting);
      continue;
    }
    const { translations } = segment;
    await context.sandbox.rename(TOGETHER_DATABASE, MODEL_DATABASE);
    const { setting, columnTests } = round;
    const run = await buildModels(context, { translations, setting, columnTests }).finally(() =>
      context.sandbox.rename(MODEL_DATABASE, TOGETHER_DATABASE),
    );
    runs.push({ run, translations });
  }
  const comparison = await compareAll(
    context,
    round,
    runs.map(({ run }) => run),
  );
  return new Map(
    runs.flatMap(({ run, translations }) =>
      translations.map((translation) => [
        translation.routine,
        recordOf(
          round,
          translation,
          run,
          comparison,
          runs.flatMap((all) => all.translations),
        ),
      ]),
    ),
  );
}

/** Starts the database of the models from a state anew: one of the procedures, or of dbt. */
export async function startTogether(context: ProofContext, state: string): Promise<void> {
  await cloneState(context, state, TOGETHER_DATABASE);
}

async function compareAll(
  context: ProofContext,
  round: TogetherRound,
  runs: readonly ModelRun[],
): Promise<Comparison> {
  const translations = round.segments.flatMap((segment) =>
    segment.kind === 'models' ? segment.translations : [],
  );
  const models = runs.flatMap(({ project }) => project.models);
  const steps = leftSteps(context, translations);
  const scope = compareScope(context, translations, [...models, ...steps]);
  // One that failed, and so has no models here, may have written into a log first; what it wrote in
  // rounds before stands on both sides, with keys and random values of their own.
  const all = compareScope(context, [...context.translations.values()], []);
  const { ignored: logs, surrogates, leftOut } = all;
  return withSession(context, round.state, (procedure) =>
    withSession(context, TOGETHER_DATABASE, (model) =>
      withSession(context, round.given, (before) =>
        compareDatabases({
          ...scope,
          surrogates,
          leftOut,
          ignored: [...logs, ...writtenByProcedures(context, round, translations)],
          procedure: { session: procedure, before: round.before },
          model: { session: model, before: round.before },
          before,
          round: round.setting.name,
        }),
      ),
    ),
  );
}

/** Steps that may stand since a round before: those of procedures that fail in this one, or differ. */
function leftSteps(context: ProofContext, built: readonly Translation[]): readonly RenderedModel[] {
  const all = [...context.translations.values()];
  const isLeft = all.some((item) => item.models.length > 0 && !built.includes(item));
  return isLeft ? allModels(context).filter(({ role }) => role === 'step') : [];
}

/**
 * Tables of procedures without a model: they ran as themselves on both sides, and what they left may
 * depend on the order of the rows. Where one of them may write anything, all tables without a model.
 */
function writtenByProcedures(
  { catalog }: ProofContext,
  { segments, writesOf }: TogetherRound,
  built: readonly Translation[],
): readonly QualifiedName[] {
  const models = built.flatMap(tablesOf);
  const every = catalog.tables.map(({ name }) => name);
  return segments
    .flatMap((segment) => (segment.kind === 'procedure' ? [segment.routine] : []))
    .flatMap((routine) => writesOf(routine) ?? every)
    .filter((table) => !models.some((name) => sameName(name, table)));
}

function recordOf(
  round: TogetherRound,
  translation: Translation,
  run: ModelRun,
  comparison: Comparison,
  all: readonly Translation[],
): RoundRecord {
  const build = buildOf(run, translation);
  const firstWriter = (table: Translation['writes'][number]) =>
    all.find((other) => tablesOf(other).some((name) => sameName(name, table))) ?? all[0];
  return {
    name: round.setting.name,
    kind: round.kind,
    scope: 'together',
    procedureError: null,
    modelError: build.error,
    ambiguities: build.ambiguities,
    tables: comparison.tables.filter(({ table }) => firstWriter(table) === translation),
  };
}
