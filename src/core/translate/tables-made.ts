/** Tables that the routine makes, drops, or loses with a COMMIT. */
import { qualified } from '../catalog/names.ts';
import type { BoundStatement, TableTarget } from './bound.ts';
import type { Evaluation } from './evaluate.ts';
import { refuse } from './refusals.ts';
import { shown, withComments } from './rules/rows.ts';
import { TEMPORARY, withTable } from './state.ts';
import type { State } from './state.ts';
import type { ShapeColumn, TableShape } from './table.ts';
import type { Version } from './version.ts';

/** The name under which a table that is made here is known. */
function createdName(evaluation: Evaluation, table: TableTarget): TableTarget['name'] {
  if (table.temporary) return { schema: TEMPORARY, name: table.name.name };
  const [first = ''] = evaluation.session.index.searchPathOf(evaluation.routine);
  return { schema: table.name.schema === '' ? first : table.name.schema, name: table.name.name };
}

export function createAs(
  evaluation: Evaluation,
  state: State,
  bound: Extract<BoundStatement, { kind: 'create-as' }>,
): State {
  const name = createdName(evaluation, bound.table);
  const key = qualified(name);
  if (bound.onlyIfMissing && !bound.table.temporary && !isDropped(state, key)) {
    refuse(
      'ddl',
      bound.place,
      `CREATE TABLE IF NOT EXISTS … AS does nothing from the second run on: ${key} keeps its first rows.`,
    );
  }
  const columns =
    bound.query.columns?.map((column, index) => ({
      ...column,
      name: bound.head?.[index] ?? column.name,
    })) ?? null;
  const version = evaluation.session.factory.make({
    label: name.name,
    title: `create ${bound.table.temporary ? 'temporary ' : ''}table ${shown(bound.table.name)}`,
    lines: bound.lines,
    columns,
    keys: bound.query.keys,
    change: null,
    owner: null,
    dataFree: bound.query.reads.length === 0,
    body: bound.withData
      ? { kind: 'query', head: bound.head, sql: withComments(bound.comments, bound.query.sql) }
      : { kind: 'empty' },
  });
  const shape: TableShape = {
    name,
    temporary: bound.table.temporary,
    ...(bound.table.onCommit ? { onCommit: bound.table.onCommit } : {}),
    columns:
      columns?.map((column): ShapeColumn => ({
        ...column,
        notNull: false,
        defaultSql: null,
        surrogate: false,
        generated: null,
      })) ?? null,
    keys: [],
    indexes: [],
  };
  return made(evaluation, state, key, shape, version, bound.lines);
}

function isDropped(state: State, key: string): boolean {
  return state.tables.get(key)?.version === null;
}

function made(
  evaluation: Evaluation,
  state: State,
  key: string,
  shape: TableShape,
  version: Version,
  lines: Version['lines'],
): State {
  const before = evaluation.environment(state).shapeOf(shape.name);
  return withTable({ ...state, lastRows: { kind: 'rows', rows: version } }, key, {
    shape: shape.temporary ? shape : (catalogShape(evaluation, shape) ?? shape),
    initial: before?.initial ?? nothing(evaluation, version),
    version,
    refusal: null,
    sequenceRestarted: true,
    lines: { first: before?.lines?.first ?? lines.first, last: lines.last },
    onlyDataFree: false,
    addsRows: true,
    takesData: true,
    looksLikeLog: false,
  });
}

/** A table that the routine makes was not there before. */
function nothing(evaluation: Evaluation, version: Version): Version {
  return evaluation.session.factory.make({
    ...version,
    title: 'not there yet',
    body: { kind: 'empty' },
    change: null,
  });
}

/** A table that is dropped and made again with the same columns keeps what the catalog says of it. */
function catalogShape(evaluation: Evaluation, shape: TableShape): TableShape | null {
  const table = evaluation.session.index.table(shape.name);
  if (!table || !shape.columns || table.columns.length !== shape.columns.length) return null;
  const same = table.columns.every((column, index) => column.name === shape.columns?.[index]?.name);
  return same ? { ...evaluation.session.shapeOf(table), keys: [], indexes: [] } : null;
}

export function create(
  evaluation: Evaluation,
  state: State,
  bound: Extract<BoundStatement, { kind: 'create' }>,
): State {
  const name = createdName(evaluation, bound.table);
  const key = qualified(name);
  const existing = evaluation.environment(state).shapeOf(name);
  if (bound.onlyIfMissing && !bound.table.temporary && existing?.version) return state;
  const keeps = bound.onlyIfMissing && !bound.table.temporary && !isDropped(state, key);
  const shape: TableShape = {
    name,
    temporary: bound.table.temporary,
    ...(bound.table.onCommit ? { onCommit: bound.table.onCommit } : {}),
    columns: bound.columns.map((column): ShapeColumn => ({
      name: column.name,
      type: column.type,
      notNull: false,
      defaultSql: column.defaultSql,
      surrogate: false,
      generated: null,
    })),
    keys: [],
    indexes: [],
  };
  const version = evaluation.session.factory.make({
    label: name.name,
    title: `create table ${shown(bound.table.name)}`,
    lines: bound.lines,
    columns: shape.columns,
    keys: [],
    change: null,
    owner: null,
    dataFree: true,
    body: keeps ? { kind: 'initial', table: name } : { kind: 'empty' },
  });
  const next = made(evaluation, state, key, shape, version, bound.lines);
  const table = next.tables.get(key);
  // From the second run on the table is there, with the rows of the runs before.
  return keeps && table ? withTable(next, key, { ...table, initial: version }) : next;
}

export function drop(
  evaluation: Evaluation,
  state: State,
  bound: Extract<BoundStatement, { kind: 'drop' }>,
): State {
  const environment = evaluation.environment(state);
  let next = state;
  for (const table of bound.tables) {
    const name = environment.resolve(table);
    const found = name ? environment.shapeOf(name) : null;
    if (!name || !found) continue;
    next = withTable(next, qualified(name), {
      ...found,
      version: null,
      refusal: null,
      lines: found.lines ?? bound.lines,
    });
  }
  return next;
}

/** COMMIT: temporary tables go, or lose their rows, where they were made so. */
export function committed(evaluation: Evaluation, state: State, line: number): State {
  let next = state;
  for (const [key, table] of state.tables) {
    if (!table.shape.onCommit || !table.version) continue;
    const emptied: Version = evaluation.session.factory.make({
      ...table.version,
      title: 'emptied by commit',
      lines: { first: line, last: line },
      change: null,
      body: { kind: 'empty' },
    });
    next = withTable(next, key, {
      ...table,
      version: table.shape.onCommit === 'drop' ? null : emptied,
    });
  }
  return next;
}
