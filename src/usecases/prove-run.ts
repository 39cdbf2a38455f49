/** Runs the two sides of a proof: the procedures by themselves, and dbt on what they became. */
import { routineId, sameName } from '../core/catalog/names.ts';
import type { QualifiedName, Routine } from '../core/catalog/types.ts';
import { callSql, keepRowsSql, sideError } from '../core/proof/call.ts';
import type { SideError } from '../core/proof/record.ts';
import { renderProject } from '../core/project/render.ts';
import type { ModelUnitTest, ProjectOptions, RenderedProject } from '../core/project/types.ts';
import type { Translation } from '../core/translate/types.ts';
import type { BuildResult, DbtBuild, NodeResult } from '../ports/dbt.ts';
import { SqlError } from '../ports/sandbox.ts';
import { withSession } from './prove-context.ts';
import type { ArgumentValues, ProofContext, RoundSetting } from './prove-context.ts';
import { withHandwritten } from './prove-handwritten.ts';

/**
 * Calls routines one after the other, each in a session of its own, as a scheduler does: what one
 * leaves in its session (temporary tables, settings) is no other's. Gives the errors by routine.
 */
export async function callRoutines(
  context: ProofContext,
  database: string,
  routines: readonly string[],
  setting: RoundSetting,
  session = '',
): Promise<ReadonlyMap<string, SideError>> {
  const errors = new Map<string, SideError>();
  for (const id of routines) {
    const routine = context.catalog.routines.find((candidate) => routineId(candidate) === id);
    if (routine === undefined) continue;
    const sql = statementFor(context, routine, setting.values.get(id) ?? {});
    const error = await withSession(context, database, async (connection) => {
      await connection.query(`SET statement_timeout = ${context.limits.procedureMs}; ${session}`);
      // Alone in its query: a procedure that commits must not stand in a transaction.
      return connection.query(sql).then(
        () => null,
        (reason: unknown) => asSideError(routine, reason),
      );
    });
    if (error !== null) errors.set(id, error);
  }
  return errors;
}

function statementFor(context: ProofContext, routine: Routine, values: ArgumentValues): string {
  const [rows] = resultRelations(context, [routineId(routine)]);
  return rows === undefined ? callSql(routine, values) : keepRowsSql(routine, values, rows);
}

/** Relations that stand for the rows that a function gives: no table of the database. */
export function resultRelations(
  { catalog, translations }: ProofContext,
  routines: readonly string[],
): readonly QualifiedName[] {
  return routines.flatMap((id) =>
    (translations.get(id)?.models ?? [])
      .filter((model) => model.materialization === 'view')
      .map((model) => model.table)
      .filter((name) => !catalog.tables.some((table) => sameName(table.name, name))),
  );
}

function asSideError(routine: Routine, error: unknown): SideError {
  if (error instanceof SqlError && !error.isOfServer) return sideError(routine, error);
  throw error;
}

export interface ModelRun {
  readonly project: RenderedProject;
  readonly result: BuildResult;
}

export interface ModelBuild {
  readonly translations: readonly Translation[];
  readonly setting: RoundSetting;
  /**
   * Whether the tests of columns run. They follow from the constraints of the table that the model
   * is compared with; guards, checks and tests for ambiguity run always.
   */
  readonly columnTests: boolean;
}

/**
 * The database that dbt builds in. It is always this one: what dbt has parsed of a project holds
 * for one database, and parsing takes longer than building.
 */
export const MODEL_DATABASE = 'model';

/** Builds models in `MODEL_DATABASE`, with dbt's tests. Throws `DbtError`. */
export function buildModels(
  context: ProofContext,
  { translations, setting, columnTests }: ModelBuild,
): Promise<ModelRun> {
  return buildProject(context, {
    translations,
    setting,
    unitTests: [],
    exclude: columnTests ? [] : ['test_type:generic'],
    resources: ['model', 'test'],
  });
}

export interface ProjectBuild {
  readonly translations: readonly Translation[];
  readonly setting: RoundSetting;
  readonly unitTests: readonly ModelUnitTest[];
  /** As dbt selects nodes. */
  readonly exclude: readonly string[];
  readonly resources: NonNullable<DbtBuild['resources']>;
}

/** Runs dbt on the project of some translations, in `MODEL_DATABASE`. Throws `DbtError`. */
export async function buildProject(
  context: ProofContext,
  { translations, setting, unitTests, exclude, resources }: ProjectBuild,
): Promise<ModelRun> {
  const project = renderProject({
    catalog: context.catalog,
    translations,
    options: {
      ...PROOF_OPTIONS,
      clock: setting.clock,
      parameters: Object.fromEntries(setting.values),
      unitTests,
    },
  });
  const folder = folderName(translations.map(({ routine }) => routine));
  const projectDir = await context.workspace.put(
    folder,
    withHandwritten(context.handwritten, project),
  );
  const result = await context.dbt.build({
    projectDir,
    connection: context.sandbox.parameters(MODEL_DATABASE),
    vars: {},
    timeoutMs: context.limits.dbtMs,
    select: [],
    exclude,
    resources,
    threads: context.limits.threads,
  });
  return { project, result };
}

/** A folder for a project: short, and the same for the same procedures. */
function folderName(routines: readonly string[]): string {
  let hash = 0n;
  for (const character of routines.join(' ')) {
    hash = BigInt.asUintN(64, hash * 1_099_511_628_211n + BigInt(character.codePointAt(0) ?? 0));
  }
  return `models-${hash.toString(36)}`;
}

const PROOF_OPTIONS: ProjectOptions = {
  name: 'sprocket_proof',
  clock: 'live',
  parameters: {},
  unitTests: [],
  freshness: [],
  moved: new Map(),
  existing: null,
};

export interface RoutineBuild {
  /** Null where everything of the routine was built and its tests passed. */
  readonly error: string | null;
  readonly ambiguities: readonly string[];
}

/** What dbt says of one routine's models and tests. Unknown nodes count for every routine. */
export function buildOf({ project, result }: ModelRun, translation: Translation): RoutineBuild {
  const { routine } = translation;
  const models = project.models.filter((model) => model.routine === routine);
  const tests = project.tests.filter((test) => test.routine === routine);
  const others = new Set(
    [...project.models, ...project.tests]
      .filter((node) => node.routine !== null && node.routine !== routine)
      .map((node) => node.name),
  );
  const isOwn = (node: NodeResult) =>
    models.some(({ name }) => name === node.name || isTestOf(node, name)) ||
    tests.some(({ name }) => name === node.name) ||
    (!others.has(node.name) && ![...others].some((name) => isTestOf(node, name)));
  const own = result.nodes.filter(isOwn);
  const failed = own.filter(({ status }) => status === 'error' || status === 'fail');
  const skipped = own.filter(({ status }) => status === 'skipped');
  const [first] = [...failed, ...skipped];
  const names = new Set(tests.map(({ name }) => name));
  const ambiguities = own
    .filter(({ name, status }) => names.has(name) && status === 'warn')
    .map(({ name }) => ambiguityMessage(translation, name));
  return { error: first === undefined ? null : nodeMessage(first), ambiguities };
}

/** Generic tests carry the name of their model: `not_null_orders_id`. */
function isTestOf(node: NodeResult, model: string): boolean {
  return node.resource === 'test' && node.id.includes(model);
}

function nodeMessage({ resource, name, status, message }: NodeResult): string {
  return `${resource} ${name}: ${message ?? status}`.replaceAll(/\s+/gu, ' ');
}

function ambiguityMessage(translation: Translation, testName: string): string {
  const tests = translation.tests.filter((test) => test.kind === 'ambiguity');
  const test = tests.find(({ name }) => testName.endsWith(name)) ?? tests[0];
  return test?.message ?? `the test ${testName} found rows`;
}

/** The models of all translations, as they are where they stand side by side. */
export function allModels({ catalog, translations }: ProofContext): RenderedProject['models'] {
  return renderProject({
    catalog,
    translations: [...translations.values()].filter(({ outcome }) => outcome !== 'refused'),
    options: PROOF_OPTIONS,
  }).models;
}

/** Names of models by routine, in build order. */
export function modelNames(context: ProofContext): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const { routine, name } of allModels(context)) {
    if (routine !== null) names.set(routine, [...(names.get(routine) ?? []), name]);
  }
  return names;
}
