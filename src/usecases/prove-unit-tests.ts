/**
 * Makes dbt unit tests of a few rows of a proof. The procedure itself says what comes out of them;
 * dbt then has to say the same, or there is no test.
 */
import { qualified, sameName } from '../core/catalog/names.ts';
import type { QualifiedName } from '../core/catalog/types.ts';
import { quoteIdentifier, quoteName } from '../core/proof/names.ts';
import { insertSql } from '../core/proof/rows/sql.ts';
import { expectationOf, isReadable } from '../core/proof/unit-tests/expect.ts';
import type { RowsByTable } from '../core/proof/unit-tests/links.ts';
import { givenRelations, testableModels } from '../core/proof/unit-tests/testable.ts';
import { safeName } from '../core/project/names.ts';
import type { FixtureRows, ModelUnitTest } from '../core/project/types.ts';
import type { TranslatedModel, Translation } from '../core/translate/types.ts';
import { DbtError } from '../ports/dbt.ts';
import { SqlError } from '../ports/sandbox.ts';
import type { SqlSession } from '../ports/sandbox.ts';
import { throwIfAborted, withSession } from './prove-context.ts';
import type { ProofContext, RoundSetting } from './prove-context.ts';
import { setClock } from './prove-prepare.ts';
import { buildProject, callRoutines, MODEL_DATABASE, resultRelations } from './prove-run.ts';
import { TOGETHER_DATABASE } from './prove-together.ts';

/** Unit tests by routine. */
export type UnitTests = ReadonlyMap<string, readonly ModelUnitTest[]>;

export interface UnitTestRequest {
  /** Database of the proof in which the procedures run; its rows are thrown away. */
  readonly database: string;
  /** Of procedures that are proven, in the order in which they run. */
  readonly translations: readonly Translation[];
  /** By routine. */
  readonly rows: ReadonlyMap<string, RowsByTable>;
  readonly setting: RoundSetting;
  /** Of the round in which dbt has last built all models. */
  readonly built: RoundSetting;
}

/** Rows that a test expects must not depend on these. The first is the round's own. */
const CIRCUMSTANCES = [
  { days: 0, timeZone: 'UTC' },
  { days: 401.3, timeZone: 'Pacific/Kiritimati' },
  { days: -1_103.7, timeZone: 'America/Adak' },
] as const;
const DAY = 86_400_000;

export async function makeUnitTests(
  context: ProofContext,
  request: UnitTestRequest,
): Promise<UnitTests> {
  const tests = await withSession(context, request.database, async (session) => {
    const made: ModelUnitTest[] = [];
    // Rows without those that they refer to, and without the work of triggers.
    await session.query(`SET timezone = 'UTC'; SET session_replication_role = replica`);
    await emptyAll(session, context);
    for (const translation of request.translations) {
      throwIfAborted(context);
      made.push(...(await testsOf(context, session, request, translation)));
    }
    return made;
  });
  if (tests.length === 0) return new Map();
  const passed = await passing(context, request, tests);
  return Map.groupBy(passed, ({ routine }) => routine);
}

async function emptyAll(session: SqlSession, { catalog }: ProofContext): Promise<void> {
  const names = catalog.tables
    .filter(({ kind, partitionOf }) => kind !== 'foreign' && partitionOf === undefined)
    .map(({ name }) => quoteName(name));
  if (names.length > 0) await session.query(`TRUNCATE ${names.join(', ')} CASCADE`);
}

async function testsOf(
  context: ProofContext,
  session: SqlSession,
  request: UnitTestRequest,
  translation: Translation,
): Promise<readonly ModelUnitTest[]> {
  const { catalog } = context;
  const models = testableModels(catalog, translation);
  const rows = request.rows.get(translation.routine);
  if (models.length === 0 || rows === undefined) return [];
  const inputs = givenRelations(catalog, models);
  const relations = [...inputs, ...models].map(({ table }) => table);
  const calls: Call[] = [];
  for (const circumstance of CIRCUMSTANCES) {
    const trial = { translation, rows, relations, circumstance };
    const call = await callOnRows(context, session, request, trial);
    if (call === null) return [];
    calls.push(call);
  }
  const [first] = calls;
  const given = inputs.map(({ table, state }) => ({
    table,
    state,
    ...rowsOf(state === 'final' ? first?.after : first?.before, table),
  }));
  if (!given.every(isReadable)) return [];
  const { routine } = translation;
  return models.flatMap((model): ModelUnitTest[] => {
    const changes = calls.map(({ before, after }) => ({
      before: rowsOf(before, model.table),
      after: rowsOf(after, model.table),
    }));
    const expectation = expectationOf(changes, unprovableColumns(model));
    if (expectation === null) return [];
    const { whole, changes: fresh } = expectation;
    const test = {
      name: `${safeName(model.table.name)}_on_a_few_rows`,
      description: `What ${routine} gave on these rows in its proof.`,
      routine,
      table: model.table,
      given,
      parameters: request.setting.values.get(routine) ?? {},
      expected: whole,
    };
    // A merge may also give rows as they were, which from outside can't be seen.
    const mayRepeat =
      model.incremental?.strategy === 'merge' && fresh.rows.length < whole.rows.length;
    return [fresh, ...(mayRepeat ? [whole] : [])].map((expectedChanges, index) => ({
      ...test,
      name: index === 0 ? test.name : `${test.name}${AGAIN}`,
      expectedChanges,
    }));
  });
}

/** Tells the second try at a test from the first. */
const AGAIN = '__again';

/** Surrogate keys are right up to renaming, and unit tests know no renaming. */
function unprovableColumns({ columns }: TranslatedModel): readonly string[] {
  return columns
    .filter(({ surrogate, unprovable }) => surrogate || unprovable !== null)
    .map(({ name }) => name);
}

/** Rows of relations by name. */
type Snapshot = ReadonlyMap<string, FixtureRows>;

interface Call {
  readonly before: Snapshot;
  readonly after: Snapshot;
}

function rowsOf(snapshot: Snapshot | undefined, table: QualifiedName): FixtureRows {
  return snapshot?.get(qualified(table)) ?? { columns: [], rows: [] };
}

interface Trial {
  readonly translation: Translation;
  readonly rows: RowsByTable;
  /** What is looked at before and afterwards. */
  readonly relations: readonly QualifiedName[];
  readonly circumstance: (typeof CIRCUMSTANCES)[number];
}

/** Calls a procedure on its few rows alone; null where that fails. */
async function callOnRows(
  context: ProofContext,
  session: SqlSession,
  { database, setting }: UnitTestRequest,
  { translation, rows, relations, circumstance: { days, timeZone } }: Trial,
): Promise<Call | null> {
  const moment = new Date(Date.parse(setting.clock) + days * DAY);
  const zone = `SET timezone = '${timeZone}';`;
  try {
    await setClock(session, days === 0 ? setting.clock : moment.toISOString());
    for (const table of context.catalog.tables) {
      for (const row of rows.get(qualified(table.name)) ?? []) {
        await session.query(insertSql(table, row));
      }
    }
    const before = await readAll(session, context, relations);
    const { routine } = translation;
    const errors = await callRoutines(context, database, [routine], setting, zone);
    if (errors.size > 0) return null;
    return { before, after: await readAll(session, context, relations) };
  } catch (error) {
    // Rows that can't be brought in: such a procedure has no test.
    if (error instanceof SqlError && !error.isOfServer) return null;
    throw error;
  } finally {
    await clear(session, context, translation, rows);
  }
}

/** Removes what was brought in, and what a call has left. */
async function clear(
  session: SqlSession,
  context: ProofContext,
  { routine, writes, logTables }: Translation,
  rows: RowsByTable,
): Promise<void> {
  const names = new Set([...rows.keys(), ...[...writes, ...logTables].map(qualified)]);
  for (const { name } of context.catalog.tables) {
    if (names.has(qualified(name))) await session.query(`DELETE FROM ${quoteName(name)}`);
  }
  for (const name of resultRelations(context, [routine])) {
    await session.query(`DROP TABLE IF EXISTS ${quoteName(name)}`);
  }
}

/** Rows as text, in the order of their values. A relation that is not there has none. */
async function readAll(
  session: SqlSession,
  { catalog, translations }: ProofContext,
  relations: readonly QualifiedName[],
): Promise<Snapshot> {
  const made = [...translations.values()].flatMap(({ models }) =>
    models.map(({ table, columns }) => ({ name: table, columns })),
  );
  const snapshot = new Map<string, FixtureRows>();
  for (const relation of relations) {
    const known = [...catalog.tables, ...catalog.views, ...made].find(({ name }) =>
      sameName(name, relation),
    );
    const columns = known?.columns.map(({ name }) => name) ?? [];
    const name = quoteName(relation);
    const { rows: found } = await session.query('SELECT to_regclass($1)', [name]);
    if (columns.length === 0 || found[0]?.[0] == null) continue;
    const texts = columns.map((column) => `${quoteIdentifier(column)}::text`);
    const places = columns.map((_, index) => index + 1);
    const { rows } = await session.query(
      `SELECT ${texts.join(', ')} FROM ${name} ORDER BY ${places.join(', ')}`,
    );
    snapshot.set(qualified(relation), { columns, rows });
  }
  return snapshot;
}

/** Those of which dbt says that the models give what the procedures gave. */
async function passing(
  context: ProofContext,
  { translations, built }: UnitTestRequest,
  tests: readonly ModelUnitTest[],
): Promise<readonly ModelUnitTest[]> {
  try {
    // Where dbt has built all of it already, it reads nothing again but the tests.
    await context.sandbox.rename(TOGETHER_DATABASE, MODEL_DATABASE);
    const { project, result } = await buildProject(context, {
      translations,
      setting: built,
      unitTests: tests,
      exclude: [],
      resources: ['unit_test'],
    });
    const passed = new Set(
      result.nodes.flatMap(({ name, model, status }) =>
        status === 'pass' ? [`${model ?? ''} ${name}`] : [],
      ),
    );
    const nameOf = ({ routine, table }: ModelUnitTest) =>
      project.models.find((model) => model.routine === routine && sameName(model.table, table))
        ?.name ?? '';
    const good = tests.filter((test) => passed.has(`${nameOf(test)} ${safeName(test.name)}`));
    // One for each model.
    const chosen = new Map(good.toReversed().map((test) => [nameOf(test), test]));
    return [...chosen.values()].map((test) => ({
      ...test,
      name: test.name.endsWith(AGAIN) ? test.name.slice(0, -AGAIN.length) : test.name,
    }));
  } catch (error) {
    // A fixture that dbt can't read costs the tests, and not the proof.
    if (error instanceof DbtError && error.code === 'project') return [];
    throw error;
  }
}
