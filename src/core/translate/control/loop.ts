/** FOR loops: unrolled over few constants, else done for all rows of their query at once. */
import type { Evaluation, Flow } from '../evaluate.ts';
import { sql, text } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import { constantArray, constantOf } from '../postgres/constants.ts';
import { withUsing } from './dynamic.ts';
import { overRows } from './loop-body.ts';
import type { LoopQuery } from './loop-body.ts';
import { readStatement } from '../postgres/statement.ts';
import type { CodeText, LoopSource, Step, Target } from '../program.ts';
import type { State, Value } from '../state.ts';
import { withBlock, withoutBlock } from '../state.ts';
import { rowsWhere } from './loop-rows.ts';
import { assignValue } from './variables.ts';
import { constantValue, constantVariable, evaluateExpression } from './expressions.ts';
import type { ExpressionValue } from './expressions.ts';

/** More iterations than this are not written out one by one. */
const UNROLL = 24;

type ForQuery = Extract<Step, { kind: 'for-query' }>;
type ForRange = Extract<Step, { kind: 'for-range' }>;
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
  return overRows(
    evaluation,
    step,
    { rows, order: [{ column: step.variable, direction: step.reverse ? 'desc' : '' }] },
    [[step.variable]],
    state,
  );
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
function loopQuery(
  evaluation: Evaluation,
  source: LoopSource,
  state: State,
  line: number,
): LoopQuery {
  let code: CodeText;
  let inner = state;
  if (source.kind === 'dynamic') {
    const dynamic = dynamicQuery(evaluation, source, state, line);
    return loopQuery(evaluation, { kind: 'query', query: dynamic.code }, dynamic.state, line);
  }
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
  evaluation.loops.at(-1)?.read(bound.query.loopReads, line);
  const rows = evaluation.session.factory.make({
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
  return { rows, order: bound.query.order };
}

/** EXECUTE in place of a loop's query: its text must be constant. */
function dynamicQuery(
  evaluation: Evaluation,
  source: Extract<LoopSource, { kind: 'dynamic' }>,
  state: State,
  line: number,
): { readonly code: CodeText; readonly state: State } {
  const query = constantOf(source.expression.text, (path) => constantVariable(state, path));
  if (typeof query !== 'string') {
    const construct = `FOR … IN EXECUTE ${source.expression.text}`;
    throw evaluation.refusal(
      'dynamic-sql',
      line,
      construct,
      'The text of the query is not known before the run.',
    );
  }
  const code = { text: query.trim(), line, comments: [] };
  return { code, state: withUsing(evaluation, source.using, state) };
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
