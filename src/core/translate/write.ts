/** Applies the rules of writing statements, and puts what they give into the state. */
import { qualified } from '../catalog/names.ts';
import type { BoundStatement, BoundWrite, TableTarget } from './bound.ts';
import type { Evaluation } from './evaluate.ts';
import { hiddenWrite } from './hidden-writes.ts';
import { whatFlows } from './log-flow.ts';
import { RefusalError, refuse } from './refusals.ts';
import type { RuleContext, WriteResult } from './rules/context.ts';
import { deleteRows, truncate } from './rules/delete.ts';
import { insert } from './rules/insert.ts';
import { shown } from './rules/rows.ts';
import { merge } from './rules/merge.ts';
import { update } from './rules/update.ts';
import { withTable } from './state.ts';
import type { State, TableState } from './state.ts';
import type { Pending } from './statement.ts';
import type { TableShape } from './table.ts';
import type { Version } from './version.ts';

function ruleContext(
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

export function applyWrite(evaluation: Evaluation, state: State, bound: BoundWrite): WriteResult {
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

/** Columns that get random values: they are left out of the proof, by name. */
function noteRandom(evaluation: Evaluation, bound: BoundWrite, shape: TableShape): void {
  const key = qualified(shape.name);
  for (const column of [...randomOutputs(bound, shape), ...randomDefaults(bound, shape)])
    evaluation.session.random(key, column, bound.place.line);
}

function randomOutputs(bound: BoundWrite, shape: TableShape): readonly string[] {
  if (bound.kind !== 'insert' || !bound.query) return [];
  const columns = bound.columns ?? shape.columns?.map((column) => column.name) ?? [];
  return bound.query.randomColumns.flatMap((position) => columns[position] ?? []);
}

/** Columns that a statement leaves to a DEFAULT with random values. */
function randomDefaults(bound: BoundWrite, shape: TableShape): readonly string[] {
  const random = (shape.columns ?? []).filter((column) => column.randomDefault);
  if (random.length === 0) return [];
  const given = givenColumns(bound, shape);
  return random.map(({ name }) => name).filter((name) => given.some((set) => !set.has(name)));
}

/** For each way in which a statement makes rows, the columns to which it gives values. */
function givenColumns(bound: BoundWrite, shape: TableShape): readonly ReadonlySet<string>[] {
  if (bound.kind === 'merge') {
    return bound.arms.flatMap(({ action }) =>
      action.kind === 'insert'
        ? [new Set(action.set.flatMap(({ column, value }) => (value === 'default' ? [] : column)))]
        : [],
    );
  }
  if (bound.kind !== 'insert') return [];
  if (!bound.query) return [new Set()];
  const count = bound.query.columns?.length;
  const columns = bound.columns ?? shape.columns?.map(({ name }) => name).slice(0, count) ?? [];
  return [new Set(columns.filter((column) => !bound.defaulted.includes(column)))];
}

/** Whether a write puts nothing but constants, parameters, clocks and counters into its table. */
function isDataFree(bound: BoundWrite, result: WriteResult): boolean {
  if (bound.kind === 'insert') return result.affected?.dataFree ?? false;
  if (bound.kind === 'merge' || bound.prefix) return false;
  const own = qualified(bound.table.name);
  if (bound.loopReads.some(({ table }) => table !== own)) return false;
  // Old rows go from a log; a table that is emptied and filled again is none.
  return bound.kind === 'update' || bound.where !== null;
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

/** Puts the writes of one statement into the state. Parts of one statement don't see each other. */
export function commit(evaluation: Evaluation, state: State, pending: readonly Pending[]): State {
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
    const flows = writes.map(({ result }) => whatFlows(result.affected ?? result.next, key));
    next = withTable(next, key, {
      ...context.table,
      version,
      refusal: context.table.refusal ?? hiddenWrite(evaluation, first.bound),
      lines: {
        first: Math.min(context.table.lines?.first ?? Infinity, ...lines.map((line) => line.first)),
        last: Math.max(context.table.lines?.last ?? 0, ...lines.map((line) => line.last)),
      },
      addsRows: context.table.addsRows || writes.some(({ bound }) => bound.kind === 'insert'),
      onlyDataFree:
        context.table.onlyDataFree &&
        writes.every(({ result, bound }) => isDataFree(bound, result)),
      takesData: context.table.takesData || flows.some(({ data }) => data),
      looksLikeLog:
        context.table.looksLikeLog ||
        flows.some(({ data, count }, index) => {
          return writes[index]?.bound.kind === 'insert' && (count || !data);
        }),
    });
  }
  return next;
}

export function truncated(
  evaluation: Evaluation,
  state: State,
  bound: Extract<BoundStatement, { kind: 'truncate' }>,
): State {
  let next = state;
  for (const table of bound.cascade ? withReferring(evaluation, bound.tables) : bound.tables) {
    const context = ruleContext(evaluation, next, table);
    const { next: version } = truncate(bound, context);
    next = withTable(next, qualified(table.name), {
      ...context.table,
      version,
      refusal: null,
      sequenceRestarted: bound.restartIdentity,
      onlyDataFree: false,
      lines: { first: context.table.lines?.first ?? bound.lines.first, last: bound.lines.last },
    });
  }
  return next;
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
