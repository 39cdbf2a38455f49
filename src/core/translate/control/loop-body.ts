/** The body of a loop, done for all of its rows at once. */
import type { Evaluation } from '../evaluate.ts';
import { from, plainText, sql, text } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { SortColumn } from '../postgres/scope.ts';
import type { Step, Target } from '../program.ts';
import { assignedIn } from '../program.ts';
import { makeRefusal } from '../refusals.ts';
import type { LoopRows, State, Value } from '../state.ts';
import { isRecord, lookup, withBlock, withoutBlock, withVariable } from '../state.ts';
import type { Version } from '../version.ts';
import { carriedValues, forget } from './carried.ts';
import { LoopAccesses, requireIndependence } from './independence.ts';
import { declaredType } from './expressions.ts';

export type LoopStep = Extract<Step, { kind: 'for-query' | 'for-range' | 'while' }>;

/** The rows of a loop and the order in which it takes them. */
export interface LoopQuery {
  readonly rows: Version;
  readonly order: readonly SortColumn[] | null;
}

/** Runs a body for all rows at once. */
export function overRows(
  evaluation: Evaluation,
  step: LoopStep,
  query: LoopQuery,
  targets: readonly Target[],
  state: State,
): State {
  const names = targets.map((target) => target[0] ?? '');
  const [only = ''] = names;
  const known = lookup(state, only)?.kind;
  const record =
    targets.length === 1 &&
    step.kind === 'for-query' &&
    (known === undefined || known === 'record');
  const alias = record ? only : 'each_row';
  const own = record ? query : renamed(evaluation, query, names);
  const { rows, outer } = state.loop
    ? combined(evaluation, state, state.loop, own, alias)
    : { rows: own.rows, outer: new Map<string, Value>() };
  const order = state.loop === null && isTotal(own) ? own.order : null;
  const loop: LoopRows = { rows, alias, record, order };
  const lastRows = { kind: 'unknown', reason: 'The iteration before did it.' } as const;
  const scalars = new Map<string, Value>(outer);
  if (record) scalars.set(only, { kind: 'record', row: rows });
  else
    for (const [index, name] of names.entries())
      scalars.set(name, {
        kind: 'scalar',
        sql: text(`${alias}.${identifier(name)}`),
        type: own.rows.columns?.[index]?.type ?? null,
      });
  const accesses = new LoopAccesses();
  evaluation.loops.push(accesses);
  const started = withBlock(
    carriedValues(evaluation, step, withoutCarried(step, { ...state, loop, lastRows }), state),
    scalars,
  );
  const flow = evaluation.run(step.body, started);
  evaluation.loops.pop();
  requireIndependence(evaluation, accesses, rows);
  evaluation.loops.at(-1)?.include(accesses);
  if (flow.ending !== 'falls-through' && flow.ending !== 'next-row') {
    throw evaluation.refusal('loop', step.line, 'EXIT', 'The loop is left before its end.');
  }
  return afterLoop(evaluation, step, withoutBlock(flow.state), state);
}

/** Columns named after the variables that take them. */
function renamed(evaluation: Evaluation, query: LoopQuery, names: readonly string[]): LoopQuery {
  const { rows } = query;
  const columns =
    rows.columns?.map((column, index) => ({ ...column, name: names[index] ?? column.name })) ??
    names.map((name) => ({ name, type: null }));
  if (
    rows.body.kind !== 'query' ||
    columns.every((column, index) => column.name === rows.columns?.[index]?.name)
  ) {
    return { ...query, rows: { ...rows, columns } };
  }
  const rename = (column: string): string =>
    names[rows.columns?.findIndex((candidate) => candidate.name === column) ?? -1] ?? column;
  const keys = rows.keys.map((key) => key.map(rename));
  const order = query.order?.map((sort) => ({ ...sort, column: rename(sort.column) })) ?? null;
  return {
    order,
    rows: evaluation.session.factory.make({
      ...rows,
      columns,
      keys,
      body: { ...rows.body, head: names },
    }),
  };
}

function isTotal(query: LoopQuery): boolean {
  const sorted = new Set(query.order?.map((sort) => sort.column));
  return query.rows.keys.some((key) => key.every((column) => sorted.has(column)));
}

const OUTER = 'outer_';

/**
 * The rows of a loop inside a loop: each row of the outer one beside each of its inner rows. The
 * outer row's columns come along under another name, since both may have a column of one name.
 */
function combined(
  evaluation: Evaluation,
  state: State,
  loop: LoopRows,
  query: LoopQuery,
  alias: string,
): { readonly rows: Version; readonly outer: Map<string, Value> } {
  const outerColumns = loop.rows.columns;
  const innerColumns = query.rows.columns;
  if (!outerColumns || !innerColumns || query.rows.body.kind !== 'query') {
    throw evaluation.refusal(
      'loop',
      query.rows.lines.first,
      'FOR',
      "The columns of the loops' queries can't be told from their text.",
    );
  }
  const taken = outerColumns.map(
    (column) =>
      sql`${identifier(loop.alias)}.${identifier(column.name)} as ${identifier(OUTER + column.name)}`,
  );
  const list = [sql`inner_row.*`, ...taken].flatMap((item, index) =>
    index === 0 ? item : sql`,\n    ${item}`,
  );
  const head = query.rows.body.head?.map((name) => identifier(name)).join(', ');
  const rows = evaluation.session.factory.make({
    ...query.rows,
    label: 'inner_loop_rows',
    title: 'loop inside a loop',
    columns: [
      ...innerColumns,
      ...outerColumns.map((column) => ({ ...column, name: OUTER + column.name })),
    ],
    keys: query.rows.keys.flatMap((inner) =>
      loop.rows.keys.map((outer) => [...inner, ...outer.map((column) => OUTER + column)]),
    ),
    body: {
      kind: 'query',
      head: null,
      sql: sql`select\n    ${list}\nfrom ${from(loop.rows)} as ${identifier(loop.alias)}\ncross join lateral (\n    ${query.rows.body.sql}\n) as inner_row${head === undefined ? '' : ` (${head})`}`,
    },
  });
  const column = (name: string): { sql: ReturnType<typeof text>; type: string | null } => ({
    sql: text(`${identifier(alias)}.${identifier(OUTER + name)}`),
    type: outerColumns.find((candidate) => candidate.name === name)?.type ?? null,
  });
  const outer = new Map<string, Value>();
  if (loop.record) {
    outer.set(loop.alias, {
      kind: 'fields',
      fields: new Map(outerColumns.map(({ name }) => [name, column(name)])),
    });
  }
  const prefix = `${identifier(loop.alias)}.`;
  for (const [name, value] of state.variables.flatMap((block) => [...block])) {
    if (value.kind !== 'scalar' || !plainText(value.sql).includes(prefix)) continue;
    const of = outerColumns.find(
      (candidate) => plainText(value.sql) === prefix + identifier(candidate.name),
    );
    const refusal = makeRefusal(
      'loop',
      { line: query.rows.lines.first, construct: name },
      `${name} belongs to the row of the loop around.`,
    );
    outer.set(
      name,
      of ? { kind: 'scalar', ...column(of.name) } : { kind: 'poison', refusal, type: value.type },
    );
  }
  return { rows, outer };
}

/** After the loop, variables that it set hold the value of its last iteration: not known. */
function afterLoop(evaluation: Evaluation, step: LoopStep, after: State, before: State): State {
  const next: State = {
    ...after,
    loop: before.loop,
    variables: before.variables,
    lastRows: { kind: 'unknown', reason: 'A loop was done before.' },
  };
  const rowTargets = step.kind === 'for-query' ? step.targets : [];
  return forget(next, step.body, step.line, rowTargets);
}

/** Inside the loop a variable that it sets has no value until the iteration has set it. */
function withoutCarried(step: LoopStep, state: State): State {
  let next = state;
  for (const [name = ''] of step.body.flatMap((inner) => assignedIn(inner))) {
    if (lookup(state, name) === null) continue;
    const refusal = makeRefusal(
      'loop-carried',
      { line: step.line, construct: name },
      `${name} is carried from one iteration of the loop to the next.`,
    );
    next = withVariable(next, name, {
      kind: 'poison',
      refusal,
      type: declaredType(state, name),
      record: isRecord(state, name),
    });
  }
  return next;
}
