/** dbt unit tests made of rows that a proof has seen. */
import type { QualifiedName } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import { identifier, literal } from '../translate/identifiers.ts';
import type { PlannedModel } from './arrange.ts';
import type { ProjectContext, TypedColumn } from './context.ts';
import { escapeJinja } from './jinja.ts';
import { builtQuery, readsClock } from './parts.ts';
import type { QuerySql } from './query-sql.ts';
import { safeName } from './names.ts';
import { refCall, sourceCall } from './relation-sql.ts';
import type { FixtureRows, ModelUnitTest } from './types.ts';

/** Types of which dbt can make values from YAML: those that `information_schema` calls by name. */
const PLAIN_TYPE =
  /^(?:smallint|integer|bigint|numeric|real|double precision|boolean|text|character varying|character|date|uuid|timestamp|time|jsonb?|bytea)(?:\(|$| with)/u;

/**
 * The YAML of a unit test; null where the model can't be tested on fixed rows, because what it
 * gives depends on the clock. `dependsOn`: further inputs that dbt wants to see mocked.
 */
export function unitTestYaml(
  context: ProjectContext,
  model: PlannedModel,
  query: QuerySql,
  dependsOn: readonly string[],
  test: ModelUnitTest,
): object | null {
  if (readsClock(builtQuery(model.translated, model.inChain))) return null;
  const inputs = new Map<string, object>();
  for (const given of test.given) {
    const input = inputName(context, model, given);
    const columns = context.columns(given.table);
    inputs.set(input, {
      input,
      ...inputFixture(fixture(given, columns, input === 'this' || !columns.every(isPlain))),
    });
  }
  const { dependencies } = query;
  if (dependencies.readsThis && !inputs.has('this')) {
    inputs.set('this', {
      input: 'this',
      ...inputFixture(emptyFixture(context.columns(model.translated.table))),
    });
  }
  for (const table of dependencies.sources.values()) {
    addEmpty(inputs, sourceCall(context.sources, table), context.columns(table));
  }
  for (const read of dependencies.models) {
    addEmpty(inputs, refCall(read.name), context.columns(read.translated.table));
  }
  for (const name of dependencies.existing) addEmpty(inputs, refCall(name), []);
  for (const call of dependsOn) addEmpty(inputs, call, []);
  const overrides = {
    ...(dependencies.readsThis ? { is_incremental: true } : {}),
    ...(dependencies.waiting.size > 0 ? { sprocket_table_exists: true } : {}),
  };
  return {
    name: safeName(test.name),
    model: model.name,
    description: test.description,
    ...(Object.keys(overrides).length === 0 ? {} : { overrides: { macros: overrides } }),
    given: [...inputs.values()],
    expect: fixture(test.expected, model.translated.columns, false),
  };
}

function addEmpty(
  inputs: Map<string, object>,
  input: string,
  columns: readonly TypedColumn[],
): void {
  if (!inputs.has(input)) inputs.set(input, { input, ...inputFixture(emptyFixture(columns)) });
}

function inputName(
  context: ProjectContext,
  model: PlannedModel,
  given: { readonly table: QualifiedName; readonly state: 'current' | 'former' | 'final' },
): string {
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
      return sourceCall(context.sources, resolution.table);
    case 'inline':
      return `view ${qualified(given.table)}`;
  }
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
