/** Applies one bound SQL statement to a state. */
import { qualified } from '../catalog/names.ts';
import type { ForeignKeyAction, TriggerEvent } from '../catalog/types.ts';
import type { BoundStatement, BoundWrite, Returning, TableTarget } from './bound.ts';
import { callBound } from './control/call.ts';
import { selectInto } from './control/variables.ts';
import type { Evaluation } from './evaluate.ts';
import { from, sql } from './fragment.ts';
import { identifier } from './identifiers.ts';
import type { StatementPart } from './postgres/statement.ts';
import type { CodeText, Target } from './program.ts';
import { makeRefusal, refuse, RefusalError } from './refusals.ts';
import type { Refusal } from './types.ts';
import type { RuleContext, WriteResult } from './rules/context.ts';
import { deleteRows, truncate } from './rules/delete.ts';
import { insert, shown, withComments } from './rules/insert.ts';
import { merge } from './rules/merge.ts';
import { update } from './rules/update.ts';
import { overLoop } from './control/loop-rows.ts';
import type { State, TableState } from './state.ts';
import { TEMPORARY, withTable } from './state.ts';
import type { ShapeColumn, TableShape } from './table.ts';
import type { Version } from './version.ts';

interface Pending {
  readonly bound: BoundWrite;
  readonly result: WriteResult;
}

export function applyStatement(
  evaluation: Evaluation,
  parts: readonly StatementPart[],
  state: State,
  code: CodeText,
  into: readonly Target[] | null,
  strict: boolean,
): State {
  const relations = new Map<string, Version>();
  const pending: Pending[] = [];
  let last: Version | null = null;
  let next = state;
  for (const part of parts) {
    const bound = part.bind(relations);
    let rows: Version | null = null;
    if (bound.kind === 'query') {
      rows = queryVersion(evaluation, bound, part.name ?? 'query');
      evaluation.loops.at(-1)?.read(bound.query.loopReads, bound.lines.first);
    } else if (isWrite(bound)) {
      const written = overLoop(evaluation, state, bound);
      const result = applyWrite(evaluation, state, written);
      pending.push({ bound: written, result });
      rows = written.returning
        ? returned(evaluation, written, written.returning, result)
        : result.affected;
    } else {
      next = applyOther(evaluation, next, bound);
    }
    if (part.name !== null && rows) relations.set(part.name, rows);
    last = rows;
  }
  next = commit(evaluation, next, pending);
  if (parts.length > 0 && last) next = { ...next, lastRows: { kind: 'rows', rows: last } };
  if (parts.length > 0 && !last)
    next = {
      ...next,
      lastRows: { kind: 'unknown', reason: 'The statement before counts no rows.' },
    };
  if (into === null) return next;
  if (!last)
    throw evaluation.refusal(
      'return-value',
      code.line,
      code.text,
      'The statement gives no rows to put into variables.',
    );
  return selectInto(evaluation, next, into, last, strict, code.line);
}

function isWrite(bound: BoundStatement): bound is BoundWrite {
  return (
    bound.kind === 'insert' ||
    bound.kind === 'update' ||
    bound.kind === 'delete' ||
    bound.kind === 'merge'
  );
}

function queryVersion(
  evaluation: Evaluation,
  bound: Extract<BoundStatement, { kind: 'query' }>,
  label: string,
): Version {
  return evaluation.session.factory.make({
    label,
    title: label === 'query' ? 'query' : `with ${label}`,
    lines: bound.lines,
    columns: bound.query.columns,
    keys: bound.query.keys,
    change: null,
    owner: null,
    dataFree: bound.query.reads.length === 0,
    body: { kind: 'query', head: null, sql: withComments(bound.comments, bound.query.sql) },
  });
}

export function ruleContext(
  evaluation: Evaluation,
  state: State,
  table: TableTarget,
): RuleContext & { readonly table: TableState } {
  const found = evaluation.environment(state).shapeOf(table.name);
  if (!found || found.version === null) {
    refuse(
      'unknown-relation',
      { line: 0, construct: qualified(table.name) },
      `There is no table ${qualified(table.name)}.`,
    );
  }
  return {
    factory: evaluation.session.factory,
    shape: found.shape,
    current: found.version,
    initial: found.initial,
    sequenceRestarted: found.sequenceRestarted,
    table: found,
  };
}

function applyWrite(evaluation: Evaluation, state: State, bound: BoundWrite): WriteResult {
  const context = ruleContext(evaluation, state, bound.table);
  if (context.table.refusal) throw new RefusalError(context.table.refusal);
  switch (bound.kind) {
    case 'insert':
      return insert(bound, context);
    case 'update':
      return update(bound, context);
    case 'delete':
      return deleteRows(bound, context);
    case 'merge':
      return merge(bound, context);
  }
}

function returned(
  evaluation: Evaluation,
  bound: BoundWrite,
  returning: Returning,
  result: WriteResult,
): Version {
  if (!result.affected)
    refuse('return-value', bound.place, "The rows that the statement returns can't be told.");
  return evaluation.session.factory.make({
    label: `${bound.table.alias}_returned`,
    title: 'returning',
    lines: bound.lines,
    columns: returning.columns,
    keys: [],
    change: null,
    owner: null,
    dataFree: result.affected.dataFree,
    body: {
      kind: 'query',
      head: null,
      sql: sql`select ${returning.list}\nfrom ${from(result.affected)} as ${identifier(bound.table.alias)}`,
    },
  });
}

/** Puts the writes of one statement into the state. Parts of one statement don't see each other. */
function commit(evaluation: Evaluation, state: State, pending: readonly Pending[]): State {
  let next = state;
  for (const [key, writes] of Map.groupBy(pending, ({ bound }) => qualified(bound.table.name))) {
    const changing = writes.filter(({ result }) => result.added === null);
    const [first] = writes;
    if (!first) continue;
    if (changing.length > 1)
      refuse('statement', first.bound.place, `One statement changes rows of ${key} twice.`);
    const context = ruleContext(evaluation, state, first.bound.table);
    const base = changing[0]?.result.next ?? context.current;
    const added = writes.flatMap(({ result }) => result.added ?? []);
    const version =
      writes.length === 1 ? first.result.next : appendAll(evaluation, context, base, added);
    for (const { result } of writes) evaluation.session.ambiguities.push(...result.checks);
    for (const { bound } of writes) noteRandom(evaluation, bound, context.shape);
    const lines = writes.map(({ bound }) => bound.lines);
    next = withTable(next, key, {
      ...context.table,
      version,
      refusal: context.table.refusal ?? hiddenWrite(evaluation, first.bound),
      lines: {
        first: Math.min(context.table.lines?.first ?? Infinity, ...lines.map((line) => line.first)),
        last: Math.max(context.table.lines?.last ?? 0, ...lines.map((line) => line.last)),
      },
      onlyDataFree:
        context.table.onlyDataFree &&
        writes.every(({ result, bound }) => isDataFree(bound, result)),
    });
  }
  return next;
}

/** What happens behind a write where the routine does not show it; null where nothing does. */
function hiddenWrite(evaluation: Evaluation, bound: BoundWrite): Refusal | null {
  const { index } = evaluation.session;
  const table = index.table(bound.table.name);
  const events = eventsOf(bound);
  if (!table) return null;
  const key = qualified(table.name);
  if (
    table.triggers.length > 0 &&
    (table.triggerEvents ?? events).some((event) => events.includes(event))
  ) {
    const message = `The table ${key} has triggers: ${table.triggers.join(', ')}.`;
    return makeRefusal('trigger-on-table', bound.place, message);
  }
  for (const referring of index.referring(table.name)) {
    const acts = referring.foreignKeys.some((foreignKey) => {
      if (qualified(foreignKey.references) !== key) return false;
      const onUpdate =
        events.includes('update') &&
        foreignKey.referencedColumns.some((column) => setsColumn(bound, column));
      return (
        (events.includes('delete') && isAction(foreignKey.onDelete)) ||
        (onUpdate && isAction(foreignKey.onUpdate))
      );
    });
    if (!acts) continue;
    const message = `A foreign key of ${qualified(referring.name)} changes its rows when rows of ${key} go or change.`;
    return makeRefusal('foreign-key-action', bound.place, message);
  }
  return null;
}

function isAction(action: ForeignKeyAction | undefined): boolean {
  return action !== undefined && action !== 'restrict';
}

function eventsOf(bound: BoundWrite): readonly TriggerEvent[] {
  if (bound.kind === 'insert')
    return bound.conflict?.action.kind === 'update' ? ['insert', 'update'] : ['insert'];
  if (bound.kind !== 'merge') return [bound.kind];
  return bound.arms.flatMap((arm) => (arm.action.kind === 'nothing' ? [] : [arm.action.kind]));
}

function setsColumn(bound: BoundWrite, column: string): boolean {
  const sets =
    bound.kind === 'update'
      ? bound.set
      : bound.kind === 'merge'
        ? bound.arms.flatMap((arm) => (arm.action.kind === 'update' ? arm.action.set : []))
        : bound.kind === 'insert' && bound.conflict?.action.kind === 'update'
          ? bound.conflict.action.set
          : [];
  return sets.some((assignment) => assignment.column === column);
}

/** Columns that get random values: they are left out of the proof, by name. */
function noteRandom(evaluation: Evaluation, bound: BoundWrite, shape: TableShape): void {
  if (bound.kind !== 'insert' || !bound.query) return;
  const columns = bound.columns ?? shape.columns?.map((column) => column.name) ?? [];
  for (const position of bound.query.randomColumns) {
    const column = columns[position];
    if (column !== undefined)
      evaluation.session.random(qualified(shape.name), column, bound.place.line);
  }
}

/** Whether a write puts nothing but constants, parameters, clocks and counters into its table. */
function isDataFree(bound: BoundWrite, result: WriteResult): boolean {
  if (bound.kind === 'insert') return result.affected?.dataFree ?? false;
  if (bound.kind === 'update') return bound.from === null && !bound.prefix;
  return bound.kind === 'delete' && bound.using === null;
}

function appendAll(
  evaluation: Evaluation,
  context: RuleContext,
  base: Version,
  added: readonly Version[],
): Version {
  return evaluation.session.factory.make({
    ...base,
    label: context.shape.name.name,
    title: `rows of ${shown(context.shape.name)}`,
    body: { kind: 'union', inputs: base.body.kind === 'empty' ? added : [base, ...added] },
    change: base === context.current ? { kind: 'append', base, added } : null,
    dataFree: false,
  });
}

function applyOther(evaluation: Evaluation, state: State, bound: BoundStatement): State {
  switch (bound.kind) {
    case 'truncate': {
      let next = state;
      for (const table of bound.cascade ? withReferring(evaluation, bound.tables) : bound.tables) {
        const context = ruleContext(evaluation, next, table);
        const { next: version } = truncate(bound, context);
        next = withTable(next, qualified(table.name), {
          ...context.table,
          version,
          refusal: null,
          sequenceRestarted: bound.restartIdentity,
          lines: { first: context.table.lines?.first ?? bound.lines.first, last: bound.lines.last },
        });
      }
      return next;
    }
    case 'create-as':
      return createAs(evaluation, state, bound);
    case 'create':
      return create(evaluation, state, bound);
    case 'drop':
      return drop(evaluation, state, bound);
    case 'call':
      return callBound(evaluation, state, bound);
    case 'ignored':
      evaluation.session.note('left-out', bound.lines.first, bound.message);
      return state;
    default:
      return state;
  }
}

/** The tables, and all tables that refer to them. */
function withReferring(
  evaluation: Evaluation,
  tables: readonly TableTarget[],
): readonly TableTarget[] {
  const found = new Map(tables.map((table) => [qualified(table.name), table]));
  for (const table of found.values()) {
    for (const { name } of evaluation.session.index.referring(table.name)) {
      if (!found.has(qualified(name)))
        found.set(qualified(name), { name, temporary: false, alias: name.name });
    }
  }
  return [...found.values()];
}

/** The name under which a table that is made here is known. */
function createdName(evaluation: Evaluation, table: TableTarget): TableTarget['name'] {
  if (table.temporary) return { schema: TEMPORARY, name: table.name.name };
  const [first = ''] = evaluation.session.index.searchPathOf(evaluation.routine);
  return { schema: table.name.schema === '' ? first : table.name.schema, name: table.name.name };
}

function createAs(
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
    body: { kind: 'query', head: bound.head, sql: withComments(bound.comments, bound.query.sql) },
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
  return same ? { ...evaluation.session.shapeOf(table), keys: [] } : null;
}

function create(
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

function drop(
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
