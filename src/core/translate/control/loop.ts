/** FOR loops: unrolled over few constants, else done for all rows of their query at once. */
import type { Evaluation, Flow } from '../evaluate.ts';
import { sql, text } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import { constantArray } from '../postgres/constants.ts';
import { readStatement } from '../postgres/statement.ts';
import type { CodeText, LoopSource, Step, Target } from '../program.ts';
import { bodiesOf } from '../program.ts';
import { makeRefusal } from '../refusals.ts';
import type { LoopRows, State, Value } from '../state.ts';
import { lookup, withBlock, withoutBlock, withVariable } from '../state.ts';
import type { Version } from '../version.ts';
import { LoopAccesses, requireIndependence } from './independence.ts';
import { rowsWhere } from './loop-rows.ts';
import {
  assignValue,
  constantValue,
  constantVariable,
  declaredType,
  evaluateExpression,
} from './variables.ts';
import type { ExpressionValue } from './variables.ts';

/** More iterations than this are not written out one by one. */
const UNROLL = 24;

type ForQuery = Extract<Step, { kind: 'for-query' }>;
type ForRange = Extract<Step, { kind: 'for-range' }>;
type LoopStep = ForQuery | ForRange | Extract<Step, { kind: 'while' }>;
type ForArray = Extract<Step, { kind: 'for-array' }>;

export function applyForRange(evaluation: Evaluation, step: ForRange, state: State): State {
  const [lower, upper, stride] = [step.lower, step.upper, step.step].map((code) =>
    code ? evaluateExpression(evaluation, code, state) : null,
  );
  const by = stride?.constant ?? (stride ? undefined : 1);
  if (
    typeof lower?.constant === 'number' &&
    typeof upper?.constant === 'number' &&
    typeof by === 'number'
  ) {
    const values = range(lower.constant, upper.constant, by, step.reverse);
    if (values.length <= UNROLL)
      return unroll(
        evaluation,
        step,
        values
          .map((value) => constantValue(value))
          .map((value, index) => ({ ...value, type: 'integer', constant: values[index] ?? 0 })),
        [step.variable],
        state,
      );
  }
  const bounds = [lower?.sql ?? text('null'), upper?.sql ?? text('null')];
  const [first, last] = bounds;
  if (!first || !last) return state;
  const sign = step.reverse ? '-' : '';
  const body = sql`select ${identifier(step.variable)}\nfrom generate_series(${first}, ${last}, ${sign}${stride ? sql`(${stride.sql})` : '1'}) as series (${identifier(step.variable)})`;
  const rows = evaluation.session.factory.make({
    label: `each_${step.variable}`,
    title: `for ${step.variable} in ${step.lower.text}..${step.upper.text}`,
    lines: { first: step.line, last: step.line },
    columns: [{ name: step.variable, type: 'integer' }],
    keys: [[step.variable]],
    change: null,
    owner: null,
    dataFree: false,
    body: { kind: 'query', head: null, sql: body },
  });
  return overRows(evaluation, step, rows, [[step.variable]], state);
}

function range(from: number, to: number, by: number, reverse: boolean): number[] {
  const values: number[] = [];
  if (by <= 0) return values;
  for (let value = from; reverse ? value >= to : value <= to; value += reverse ? -by : by) {
    values.push(value);
    if (values.length > UNROLL) break;
  }
  return values;
}

export function applyForArray(evaluation: Evaluation, step: ForArray, state: State): State {
  const values = constantArray(step.array.text, (path) => constantVariable(state, path));
  if (!values || values.length > UNROLL) {
    throw evaluation.refusal(
      'loop',
      step.line,
      `FOREACH … IN ARRAY ${step.array.text}`,
      'The elements of the array are not known before the run.',
    );
  }
  return unroll(
    evaluation,
    step,
    values.map((value) => ({ ...constantValue(value), constant: value })),
    step.target,
    state,
  );
}

function unroll(
  evaluation: Evaluation,
  step: ForRange | ForArray,
  values: readonly ExpressionValue[],
  target: Target,
  state: State,
): State {
  const scoped = step.kind === 'for-range';
  const [name = ''] = target;
  let next = scoped
    ? withBlock(
        state,
        new Map<string, Value>([[name, { kind: 'scalar', sql: text('null'), type: 'integer' }]]),
      )
    : state;
  for (const value of values) {
    next = assignValue(evaluation, next, target, value, step.line);
    const flow = evaluation.run(step.body, next);
    if (flow.ending === 'leaves-loop') {
      next = flow.state;
      break;
    }
    if (flow.ending !== 'falls-through' && flow.ending !== 'next-row') {
      throw evaluation.refusal(
        'loop',
        step.line,
        step.kind,
        'The routine is left from inside the loop.',
      );
    }
    next = flow.state;
  }
  return scoped ? withoutBlock(next) : next;
}

export function applyForQuery(evaluation: Evaluation, step: ForQuery, state: State): State {
  const query = loopQuery(evaluation, step.source, state, step.line);
  return overRows(evaluation, step, query, step.targets, state);
}

/** The rows that a loop, or a cursor, runs over. */
export function loopQuery(
  evaluation: Evaluation,
  source: LoopSource,
  state: State,
  line: number,
): Version {
  if (source.kind === 'dynamic') {
    throw evaluation.refusal(
      'dynamic-sql',
      line,
      `FOR … IN EXECUTE ${source.expression.text}`,
      'The text of the query is not known before the run.',
    );
  }
  let code: CodeText;
  let inner = state;
  if (source.kind === 'cursor') {
    const cursor = evaluation.cursors.get(source.name);
    if (!cursor)
      throw evaluation.refusal(
        'cursor',
        line,
        source.name,
        `The cursor ${source.name} has no query.`,
      );
    code = cursor.query;
    inner = withArguments(evaluation, state, cursor.parameters, source.arguments);
  } else {
    code = source.query;
  }
  const [part, ...more] = readStatement(code, evaluation.environment(inner));
  const bound = part?.bind(new Map());
  if (bound?.kind !== 'query' || more.length > 0)
    throw evaluation.refusal(
      'loop',
      line,
      code.text,
      'The loop runs over a statement that is no query.',
    );
  if (state.loop)
    throw evaluation.refusal(
      'loop',
      line,
      code.text,
      'A loop inside a loop is not turned into one query.',
    );
  return evaluation.session.factory.make({
    label: 'loop_rows',
    title: `loop over a query`,
    lines: bound.lines,
    columns: bound.query.columns,
    keys: bound.query.keys,
    change: null,
    owner: null,
    dataFree: false,
    body: { kind: 'query', head: null, sql: bound.query.sql },
  });
}

function withArguments(
  evaluation: Evaluation,
  state: State,
  names: readonly string[],
  code: CodeText | null,
): State {
  if (names.length === 0 || !code) return state;
  const [only] = names;
  if (names.length > 1 || only === undefined)
    throw evaluation.refusal(
      'cursor',
      code.line,
      code.text,
      'A cursor with several arguments is not followed.',
    );
  const value = evaluateExpression(evaluation, code, state);
  return withBlock(
    state,
    new Map<string, Value>([[only, { kind: 'scalar', sql: value.sql, type: value.type }]]),
  );
}

/** Runs a body for all rows at once. */
export function overRows(
  evaluation: Evaluation,
  step: LoopStep,
  rows: Version,
  targets: readonly Target[],
  state: State,
): State {
  const names = targets.map((target) => target[0] ?? '');
  const [only = ''] = names;
  const record =
    targets.length === 1 &&
    step.kind === 'for-query' &&
    (lookup(state, only)?.kind === 'record' || lookup(state, only) === null);
  const alias = record ? only : 'each_row';
  const columns = record
    ? rows.columns
    : (rows.columns?.map((column, index) => ({ ...column, name: names[index] ?? column.name })) ??
      names.map((name) => ({ name, type: null })));
  const renamed =
    !record &&
    rows.body.kind === 'query' &&
    rows.columns?.some((column, index) => column.name !== names[index]);
  const relation =
    renamed && rows.body.kind === 'query'
      ? evaluation.session.factory.make({
          ...rows,
          columns,
          keys: renamedKeys(rows, names),
          body: { ...rows.body, head: names },
        })
      : { ...rows, columns };
  const loop: LoopRows = { rows: relation, alias, record };
  const scalars = new Map<string, Value>(
    record
      ? []
      : names.map((name, index) => [
          name,
          {
            kind: 'scalar',
            sql: text(`each_row.${identifier(name)}`),
            type: columns?.[index]?.type ?? null,
          },
        ]),
  );
  if (record) scalars.set(only, { kind: 'record', row: relation });
  const accesses = new LoopAccesses();
  evaluation.loops.push(accesses);
  const before = withBlock(carried(step, { ...state, loop }), scalars);
  const flow = evaluation.run(step.body, before);
  evaluation.loops.pop();
  requireIndependence(evaluation, accesses, relation);
  if (flow.ending !== 'falls-through' && flow.ending !== 'next-row') {
    throw evaluation.refusal('loop', step.line, 'EXIT', 'The loop is left before its end.');
  }
  return afterLoop(evaluation, step, withoutBlock(flow.state), state);
}

function renamedKeys(rows: Version, names: readonly string[]): Version['keys'] {
  return rows.keys.map((key) =>
    key.map(
      (column) =>
        names[rows.columns?.findIndex((candidate) => candidate.name === column) ?? -1] ?? column,
    ),
  );
}

/** After the loop, variables that it set hold the value of its last iteration: not known. */
function afterLoop(evaluation: Evaluation, step: Step, after: State, before: State): State {
  const next: State = {
    ...after,
    loop: before.loop,
    variables: before.variables,
    lastRows: { kind: 'unknown', reason: 'A loop was done before.' },
  };
  return evaluation.forget(next, assignedIn(step), step.line);
}

/** Inside the loop a variable that it sets has no value until the iteration has set it. */
function carried(step: LoopStep, state: State): State {
  let next = state;
  for (const [name = ''] of step.body.flatMap((inner) => assignedIn(inner))) {
    if (lookup(state, name) === null) continue;
    const refusal = makeRefusal(
      'loop-carried',
      { line: step.line, construct: name },
      `${name} is carried from one iteration of the loop to the next.`,
    );
    next = withVariable(next, name, { kind: 'poison', refusal, type: declaredType(state, name) });
  }
  return next;
}

export function assignedIn(step: Step): readonly Target[] {
  const own =
    step.kind === 'assign'
      ? [step.target]
      : 'into' in step && step.into
        ? step.into
        : step.kind === 'diagnostics'
          ? step.items.map((item) => item.target)
          : [];
  return [
    ...own,
    ...bodiesOf(step)
      .flat()
      .flatMap((inner) => assignedIn(inner)),
  ];
}

/** EXIT and CONTINUE. */
export function applyExit(
  evaluation: Evaluation,
  step: Extract<Step, { kind: 'exit' }>,
  state: State,
): Flow {
  const ending = step.again ? 'next-row' : 'leaves-loop';
  if (step.condition === null) return { state, ending };
  const value = evaluateExpression(evaluation, step.condition, state);
  if (value.constant !== undefined)
    return value.constant === true ? { state, ending } : { state, ending: 'falls-through' };
  if (step.again && state.loop) {
    return {
      state: {
        ...state,
        loop: rowsWhere(evaluation, state.loop, sql`(${value.sql}) is not true`, step),
      },
      ending: 'falls-through',
    };
  }
  throw evaluation.refusal(
    'loop',
    step.line,
    `EXIT WHEN ${step.condition.text}`,
    'The loop is left before its end, under a condition on the row at hand.',
  );
}
