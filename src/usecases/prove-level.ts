/** One group of procedures in one round: both sides from the same state, and the comparison. */
import { sameName } from '../core/catalog/names.ts';
import type { QualifiedName } from '../core/catalog/types.ts';
import type { SurrogateKey } from '../core/proof/compare/surrogates.ts';
import { quoteName } from '../core/proof/names.ts';
import { isUnequal } from '../core/proof/record.ts';
import type { RoundKind, RoundRecord, SideError } from '../core/proof/record.ts';
import type { RenderedModel } from '../core/project/types.ts';
import type { Translation } from '../core/translate/types.ts';
import { compareDatabases, observe } from './prove-compare.ts';
import type { ColumnReference, CompareRequest, Comparison, Side } from './prove-compare-rows.ts';
import { throwIfAborted, withSession } from './prove-context.ts';
import type { ProofContext, RoundSetting } from './prove-context.ts';
import { buildModels, buildOf, callRoutines, resultRelations } from './prove-run.ts';
import type { ModelRun } from './prove-run.ts';

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
}

export const MODEL_DATABASE = 'model';

/** Records of the proven routines. */
export async function runLevel(
  context: ProofContext,
  round: LevelRound,
): Promise<ReadonlyMap<string, RoundRecord>> {
  throwIfAborted(context);
  const shared = await runTogether(context, round, round.outcome);
  if (round.proven.length <= 1 || ![...shared.values()].some(isUnequal)) return shared;
  // What one of them did to another's tables can't be told in a shared database.
  const alone = new Map<string, RoundRecord>();
  for (const routine of round.proven) {
    const only = { ...round, routines: [routine], proven: [routine] };
    for (const [id, record] of await runTogether(context, only, 'alone')) alone.set(id, record);
  }
  await context.sandbox.drop('alone');
  return alone;
}

async function runTogether(
  context: ProofContext,
  round: LevelRound,
  outcome: string,
): Promise<ReadonlyMap<string, RoundRecord>> {
  const { sandbox } = context;
  await sandbox.clone(round.state, outcome);
  if (round.proven.length === 0) {
    await callRoutines(context, outcome, round.routines, round.setting);
    return new Map();
  }
  await sandbox.clone(round.state, MODEL_DATABASE);
  const translations = translationsOf(context, round.proven);
  const records = await withSession(context, outcome, (procedureSession) =>
    withSession(context, MODEL_DATABASE, async (modelSession) => {
      const procedure = { session: procedureSession, before: await observe(procedureSession) };
      const model = { session: modelSession, before: await observe(modelSession) };
      const [errors, run] = await Promise.all([
        callRoutines(context, outcome, round.routines, round.setting),
        buildWhatThereIs(context, translations, round.setting),
      ]);
      const comparison = await withSession(context, round.state, (before) =>
        compareDatabases({
          procedure,
          model,
          before,
          ...compareScope(context, translations, run?.project.models ?? []),
          round: round.setting.name,
        }),
      );
      return recordsOf(translations, round, errors, run, comparison);
    }),
  );
  await dropResults(context, outcome, round.proven);
  return records;
}

/** Null where the translations make nothing that dbt could build. */
async function buildWhatThereIs(
  context: ProofContext,
  translations: readonly Translation[],
  setting: RoundSetting,
): Promise<ModelRun | null> {
  const building = translations.filter(({ models, tests }) => models.length + tests.length > 0);
  if (building.length === 0) return null;
  const folder = `level-${[...building].map(({ routine }) => routine).join(' ')}`;
  return buildModels(context, folderName(folder), MODEL_DATABASE, building, setting);
}

/** What the comparison of some translations' databases takes, other than the databases. */
export function compareScope(
  context: ProofContext,
  translations: readonly Translation[],
  models: readonly RenderedModel[],
): Omit<CompareRequest, 'procedure' | 'model' | 'before' | 'round'> {
  const { catalog } = context;
  const built = translations.flatMap((translation) => translation.models);
  const writes = translations.flatMap((translation) => translation.writes);
  const logs = translations.flatMap((translation) => translation.logTables);
  return {
    always: [
      ...built.map((model) => model.table),
      ...models.filter(({ role }) => role === 'view').map(({ relation }) => relation),
    ],
    ignored: logs.filter((log) => !writes.some((table) => sameName(table, log))),
    onlyModel: models.filter(({ role }) => role === 'step').map(({ relation }) => relation),
    leftOut: built.flatMap(({ table, columns }) =>
      columns.flatMap(({ name, unprovable }) =>
        unprovable === null ? [] : [{ table, column: name }],
      ),
    ),
    surrogates: built.flatMap(({ table, columns, materialization }): SurrogateKey[] =>
      columns
        .filter((column) => column.surrogate)
        .map(({ name }) => ({ table, column: name, keeps: materialization !== 'table' })),
    ),
    foreignKeys: foreignKeysOf(context),
    keyOf: (name) => {
      const table = catalog.tables.find((candidate) => sameName(candidate.name, name));
      const keys = (table?.keys ?? []).filter(({ hasExpressions }) => !hasExpressions);
      return (keys.find(({ kind }) => kind === 'primary') ?? keys[0])?.columns ?? [];
    },
  };
}

function foreignKeysOf({ catalog }: ProofContext): ColumnReference[] {
  return catalog.tables.flatMap((table) =>
    table.foreignKeys.flatMap((key) =>
      key.columns.flatMap((column, index) => {
        const target = key.referencedColumns[index];
        if (target === undefined) return [];
        return [
          { table: table.name, column, references: { table: key.references, column: target } },
        ];
      }),
    ),
  );
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
        tables: comparison.tables.filter(({ table }) => isOwn(table) || isNobodys(table)),
      };
      return [translation.routine, record];
    }),
  );
}

function tablesOf(translation: Translation): readonly QualifiedName[] {
  return [...translation.writes, ...translation.models.map((model) => model.table)];
}

export function translationsOf(
  { translations }: ProofContext,
  routines: readonly string[],
): readonly Translation[] {
  return routines.flatMap((routine) => translations.get(routine) ?? []);
}

/** Rows that functions gave are kept as tables only for the comparison. */
async function dropResults(
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

/** A folder for a project: short, and the same for the same procedures. */
function folderName(text: string): string {
  let hash = 0n;
  for (const character of text) {
    hash = BigInt.asUintN(64, hash * 1_099_511_628_211n + BigInt(character.codePointAt(0) ?? 0));
  }
  return `level-${hash.toString(36)}`;
}

export type { Side };
