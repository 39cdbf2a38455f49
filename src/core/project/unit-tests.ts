/** dbt unit tests made of rows that a proof has seen. */
import type { QualifiedName } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import { identifier, literal } from '../translate/identifiers.ts';
import type { PlannedModel } from './arrange.ts';
import type { ProjectContext, TypedColumn } from './context.ts';
import { escapeJinja } from './jinja.ts';
import { builtQuery } from './parts.ts';
import type { QuerySql } from './query-sql.ts';
import { safeName } from './names.ts';
import { refCall, sourceCall } from './relation-sql.ts';
import type { FixtureRows, ModelUnitTest } from './types.ts';

/** Types of which dbt can make values from YAML: those that `information_schema` calls by name. */
const PLAIN_TYPE =
  /^(?:smallint|integer|bigint|numeric|real|double precision|boolean|text|character varying|character|date|uuid|timestamp|time|jsonb?|bytea)(?:\(|$| with)/u;

/** The YAML of a unit test. `dependsOn`: further inputs that dbt wants to see mocked. */
export function unitTestYaml(
  context: ProjectContext,
  model: PlannedModel,
  query: QuerySql,
  dependsOn: readonly string[],
  test: ModelUnitTest,
): object {
  const { dependencies } = query;
  const empty = emptyInputs(context, model, query, dependsOn);
  const given = new Map<string, Fixture>(
    [...empty].map(([input, columns]) => [input, emptyFixture(columns)]),
  );
  for (const rows of test.given) {
    const input = inputName(context, model, query, rows);
    if (input === null || !given.has(input)) continue;
    const columns = context.columns(rows.table);
    const asSql = input === 'this' || !columns.every(isPlain);
    given.set(input, fixture(asSql ? rows : withoutEmptyColumns(rows), columns, asSql));
  }
  const macros = {
    ...(dependencies.readsThis ? { is_incremental: true } : {}),
    ...(dependencies.waiting.size > 0 ? { sprocket_table_exists: true } : {}),
  };
  const vars = context.parameters.values(test.routine, test.parameters);
  const overrides = {
    ...(Object.keys(macros).length === 0 ? {} : { macros }),
    ...(Object.keys(vars).length === 0 ? {} : { vars }),
  };
  const isChanges = builtQuery(model.translated, model.inChain) !== model.translated.query;
  const expected = isChanges ? test.expectedChanges : test.expected;
  return {
    name: safeName(test.name),
    model: model.name,
    description: test.description,
    ...(Object.keys(overrides).length === 0 ? {} : { overrides }),
    given: [...given].map(([input, rows]) => ({ input, ...inputFixture(rows) })),
    expect: fixture(whatDbtCanExpect(expected, model), model.translated.columns, false),
  };
}

/** Everything that dbt wants to be given, with its columns as far as they are known. */
function emptyInputs(
  { sources, columns }: ProjectContext,
  { translated }: PlannedModel,
  { dependencies }: QuerySql,
  dependsOn: readonly string[],
): ReadonlyMap<string, readonly TypedColumn[]> {
  const inputs = new Map<string, readonly TypedColumn[]>();
  if (dependencies.readsThis) inputs.set('this', columns(translated.table));
  for (const table of dependencies.sources.values()) {
    inputs.set(sourceCall(sources, table), columns(table));
  }
  for (const read of dependencies.models) {
    inputs.set(refCall(read.name), columns(read.translated.table));
  }
  for (const call of [...[...dependencies.existing].map(refCall), ...dependsOn]) {
    if (!inputs.has(call)) inputs.set(call, []);
  }
  return inputs;
}

/** Null where the model does not read it. */
function inputName(
  context: ProjectContext,
  model: PlannedModel,
  { dependencies }: QuerySql,
  given: { readonly table: QualifiedName; readonly state: 'current' | 'former' | 'final' },
): string | null {
  const resolution = context.arrangement.resolve(
    { position: model.position, model },
    { kind: 'relation', ...given },
  );
  switch (resolution.kind) {
    case 'this':
      return 'this';
    case 'model':
      return refCall(resolution.model.name);
    case 'existing':
      return refCall(resolution.name);
    case 'source':
      return dependencies.sources.has(qualified(resolution.table))
        ? sourceCall(context.sources, resolution.table)
        : null;
    case 'inline':
      return null;
  }
}

/**
 * As SQL, rows must have all columns of the model; as dictionaries they may leave some out, but have
 * only values of types that dbt can make.
 */
function whatDbtCanExpect(
  { columns, rows }: FixtureRows,
  { translated }: PlannedModel,
): FixtureRows {
  if (columns.length === translated.columns.length) return { columns, rows };
  const plain = new Set(translated.columns.filter(isPlain).map(({ name }) => name));
  return onlyColumns(
    { columns, rows },
    columns.filter((name) => plain.has(name)),
  );
}

/** dbt takes a column that is left out for NULL. */
function withoutEmptyColumns({ columns, rows }: FixtureRows): FixtureRows {
  const kept = columns.filter((_, index) => rows.some((row) => row[index] != null));
  return onlyColumns({ columns, rows }, kept.length === 0 ? columns.slice(0, 1) : kept);
}

/** Rows without some of their columns. */
export function onlyColumns({ columns, rows }: FixtureRows, kept: readonly string[]): FixtureRows {
  const places = kept.map((name) => columns.indexOf(name));
  return { columns: kept, rows: rows.map((row) => places.map((place) => row[place] ?? null)) };
}

function isPlain({ name, type }: TypedColumn): boolean {
  return identifier(name) === name && type !== null && PLAIN_TYPE.test(type);
}

interface SqlFixture {
  readonly format: 'sql';
  readonly rows: string;
}

type Fixture = SqlFixture | { readonly rows: readonly Readonly<Record<string, string | null>>[] };

/**
 * Rows as dbt's dictionaries where it can type them, else as SQL. Inputs need types for all their
 * columns, and `this` is always SQL: before the first run there is no table to take types from.
 */
function fixture(
  { columns, rows }: FixtureRows,
  types: readonly TypedColumn[],
  asSql: boolean,
): Fixture {
  const typed = columns.map((name) => ({
    name,
    type: types.find((candidate) => candidate.name === name)?.type ?? null,
  }));
  if (rows.length === 0) return emptyFixture(typed);
  if (typed.every(isPlain) && !asSql) {
    return {
      rows: rows.map((row) =>
        Object.fromEntries(columns.map((name, index) => [name, row[index] ?? null])),
      ),
    };
  }
  const selects = rows.map((row) => selectRow(typed, (index) => row[index] ?? null));
  return { format: 'sql', rows: `${selects.join('\nunion all\n')}\n` };
}

/** dbt renders SQL of an input twice: in the YAML, and as the model that takes the input's place. */
function inputFixture(given: Fixture): Fixture {
  return 'format' in given ? { ...given, rows: escapeJinja(given.rows) } : given;
}

function emptyFixture(columns: readonly TypedColumn[]): SqlFixture {
  const shape = columns.length === 0 ? [{ name: 'nothing', type: null }] : columns;
  return { format: 'sql', rows: `${selectRow(shape, () => null)}\nwhere false\n` };
}

function selectRow(
  columns: readonly TypedColumn[],
  valueAt: (index: number) => string | null,
): string {
  const items = columns.map(({ name, type }, index) => {
    const value = valueAt(index);
    const text = value === null ? 'null' : literal(value);
    return `${type === null ? text : `cast(${text} as ${type})`} as ${identifier(name)}`;
  });
  return `select ${items.join(', ')}`;
}
