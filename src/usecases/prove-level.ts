/** One group of procedures in one round: both sides from the same state, and the comparison. */
import { sameName } from '../core/catalog/names.ts';
import type { QualifiedName } from '../core/catalog/types.ts';
import { quoteName } from '../core/proof/names.ts';
import { isUnequal } from '../core/proof/record.ts';
import type { RoundKind, RoundRecord, SideError } from '../core/proof/record.ts';
import type { Translation } from '../core/translate/types.ts';
import type { SqlSession } from '../ports/sandbox.ts';
import {
  changesSince,
  compareDatabases,
  observe,
  observeClone,
  refreshStatistics,
  relationsOf,
} from './prove-compare.ts';
import type { Comparison, Observation } from './prove-compare-rows.ts';
import { cloneState, throwIfAborted, withSession } from './prove-context.ts';
import type { ProofContext, RoundSetting } from './prove-context.ts';
import {
  buildModels,
  buildOf,
  callRoutines,
  MODEL_DATABASE,
  resultRelations,
} from './prove-run.ts';
import type { ModelRun } from './prove-run.ts';
import { compareScope, tablesOf, translationsOf } from './prove-scope.ts';

export interface LevelRound {
  readonly setting: RoundSetting;
  readonly kind: RoundKind;
  /** Database with the state that both sides start from; left as it is. */
  readonly state: string;
  /** Database that is made, and holds the procedures' outcome afterwards. */
  readonly outcome: string;
  /** Routines that run, in order. */
  readonly routines: readonly string[];
  /** Those of them whose models are built and compared. */
  readonly proven: readonly string[];
  /** Tables that a routine writes; null where not all of them are known. */
  readonly writesOf: (routine: string) => readonly QualifiedName[] | null;
}

export interface LevelOutcome {
  /** Of the proven routines. */
  readonly records: ReadonlyMap<string, RoundRecord>;
  /** Of all routines that failed. */
  readonly errors: ReadonlyMap<string, SideError>;
  /** The outcome's database before the run. */
  readonly before: Observation;
  /** `MODEL_DATABASE` holds what the models of all proven routines have made together. */
  readonly modelsStand: boolean;
}

const ALONE_DATABASE = 'alone';

/** Rows that functions gave are left as tables in the outcome: `dropResults` removes them. */
export async function runLevel(context: ProofContext, round: LevelRound): Promise<LevelOutcome> {
  throwIfAborted(context);
  const shared = await runShared(context, round);
  const suspicious = suspects(context, round, shared);
  if (suspicious.length === 0 || round.routines.length === 1) return shared;
  // Who has done what can't be told for sure where several share a database.
  const records = new Map(shared.records);
  for (const routine of suspicious) {
    const only = { ...round, outcome: ALONE_DATABASE, routines: [routine], proven: [routine] };
    for (const [id, record] of (await runShared(context, only)).records) records.set(id, record);
  }
  await context.sandbox.drop(ALONE_DATABASE);
  return { ...shared, records, modelsStand: false };
}

/** Those that differ; all, where a table differs that none of them is known to write. */
function suspects(
  context: ProofContext,
  { proven }: LevelRound,
  { records }: LevelOutcome,
): readonly string[] {
  const known = translationsOf(context, proven).flatMap(tablesOf);
  const unequal = proven.filter((routine) => {
    const record = records.get(routine);
    return record !== undefined && isUnequal(record);
  });
  const nobodys = [...records.values()].some(({ tables }) =>
    tables.some(({ table, equal }) => !equal && !known.some((name) => sameName(name, table))),
  );
  return nobodys ? proven : unequal;
}

async function runShared(context: ProofContext, round: LevelRound): Promise<LevelOutcome> {
  await cloneState(context, round.state, round.outcome);
  if (round.proven.length > 0) await cloneState(context, round.state, MODEL_DATABASE);
  return withSession(context, round.outcome, async (procedure) => {
    const before = await observe(procedure);
    if (round.proven.length === 0) {
      const errors = await callRoutines(context, round.outcome, round.routines, round.setting);
      const relations = await relationsOf(procedure);
      await refreshStatistics(procedure, await changesSince(procedure, relations, before));
      return { records: new Map(), errors, before, modelsStand: false };
    }
    return withSession(context, MODEL_DATABASE, (model) =>
      runBothSides(context, round, { session: procedure, before }, model),
    );
  });
}

async function runBothSides(
  context: ProofContext,
  round: LevelRound,
  procedure: { readonly session: SqlSession; readonly before: Observation },
  modelSession: SqlSession,
): Promise<LevelOutcome> {
  const translations = translationsOf(context, round.proven);
  const model = {
    session: modelSession,
    before: await observeClone(modelSession, procedure.before),
  };
  const [errors, run] = await bothEnded(
    callRoutines(context, round.outcome, round.routines, round.setting),
    buildWhatThereIs(context, translations, round),
  );
  const scope = compareScope(context, translations, run?.project.models ?? []);
  const comparison = await withSession(context, round.state, (before) =>
    compareDatabases({
      procedure,
      model,
      before,
      ...scope,
      ignored: [...scope.ignored, ...writtenByOthers(round)],
      round: round.setting.name,
    }),
  );
  await refreshStatistics(procedure.session, comparison.changes);
  const records = recordsOf(translations, round, errors, run, comparison);
  return { records, errors, before: procedure.before, modelsStand: true };
}

/** Tables of routines that run without their models: no other of the group touches them. */
function writtenByOthers({ routines, proven, writesOf }: LevelRound): readonly QualifiedName[] {
  return routines
    .filter((routine) => !proven.includes(routine))
    .flatMap((routine) => writesOf(routine) ?? []);
}

/** Like `Promise.all`, but a failure of one leaves none of them running. */
async function bothEnded<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return [await first, await second];
}

/** Null where the translations make nothing that dbt could build. */
async function buildWhatThereIs(
  context: ProofContext,
  translations: readonly Translation[],
  { setting, kind }: LevelRound,
): Promise<ModelRun | null> {
  const building = translations.filter(({ models, tests }) => models.length + tests.length > 0);
  if (building.length === 0) return null;
  return buildModels(context, {
    translations: building,
    setting,
    columnTests: hasNewInputs(kind),
  });
}

/** Rounds whose rows no round before has had; columns are tested in these. */
export function hasNewInputs(kind: RoundKind): boolean {
  return kind === 'given' || kind === 'change' || kind === 'changed';
}

function recordsOf(
  translations: readonly Translation[],
  round: LevelRound,
  errors: ReadonlyMap<string, SideError>,
  run: ModelRun | null,
  comparison: Comparison,
): ReadonlyMap<string, RoundRecord> {
  const owned = translations.flatMap(tablesOf);
  return new Map(
    translations.map((translation) => {
      const build = run === null ? { error: null, ambiguities: [] } : buildOf(run, translation);
      const own = tablesOf(translation);
      const isOwn = (table: QualifiedName) => own.some((name) => sameName(name, table));
      const isNobodys = (table: QualifiedName) => !owned.some((name) => sameName(name, table));
      const record: RoundRecord = {
        name: round.setting.name,
        kind: round.kind,
        scope: 'alone',
        procedureError: errors.get(translation.routine) ?? null,
        modelError: build.error,
        ambiguities: build.ambiguities,
        // What nobody writes counts only where it differs: then somebody does.
        tables: comparison.tables.filter(
          ({ table, equal }) => isOwn(table) || (!equal && isNobodys(table)),
        ),
      };
      return [translation.routine, record];
    }),
  );
}

/** Removes the tables that hold the rows that functions gave. */
export async function dropResults(
  context: ProofContext,
  database: string,
  routines: readonly string[],
): Promise<void> {
  const results = resultRelations(context, routines);
  if (results.length === 0) return;
  await withSession(context, database, (session) =>
    session.query(`DROP TABLE IF EXISTS ${results.map(quoteName).join(', ')}`),
  );
}
