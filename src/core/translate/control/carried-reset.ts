/**
 * A running total that begins anew under a condition: `IF group changes THEN v := 0; END IF;
 * v := v + x`. The rows from one reset to the next are a segment, and the total runs within it.
 */
import type { Evaluation } from '../evaluate.ts';
import type { Fragment } from '../fragment.ts';
import { sql } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import { scan } from '../postgres/parser.ts';
import { increment } from '../postgres/stepping.ts';
import type { CodeText, Step } from '../program.ts';
import { assignedIn } from '../program.ts';
import type { LoopRows, State } from '../state.ts';
import { evaluateExpression } from './expressions.ts';
import { loopValue, withColumns } from './loop-rows.ts';

type Assign = Extract<Step, { kind: 'assign' }>;

interface Reset {
  readonly condition: CodeText;
  readonly value: CodeText;
  readonly line: number;
}

/** The IF before an increment that gives the variable another value, and does nothing else. */
export function resetBefore(body: readonly Step[], increments: Assign, name: string): Reset | null {
  const at = body.findIndex(
    (step) => step.kind === 'if' && assignedIn(step).some((target) => target[0] === name),
  );
  const step = body[at];
  if (step?.kind !== 'if' || at > body.indexOf(increments)) return null;
  const [arm, ...more] = step.arms;
  if (!arm || more.length + step.otherwise.length > 0) return null;
  const value = arm.body.find(
    (inner): inner is Assign => inner.kind === 'assign' && inner.target.join('.') === name,
  );
  const changed = body
    .slice(0, at)
    .flatMap((inner) => assignedIn(inner).map(([first = '']) => first));
  // The condition is asked of the values with which the iteration began.
  if (!value || [name, ...changed].some((other) => mentions(arm.condition, other))) return null;
  return { condition: arm.condition, value: value.expression, line: step.line };
}

const segmentOf = (reset: Reset): string => `segment_${reset.line}`;

/** Numbers the segments; 0 before the first reset. */
export function withSegments(evaluation: Evaluation, reset: Reset, state: State): State {
  const { loop } = state;
  const name = segmentOf(reset);
  if (!loop || loop.rows.columns?.some((column) => column.name === name)) return state;
  const { sql: condition } = evaluateExpression(evaluation, reset.condition, state);
  const frame = `over (order by ${orderOf(loop)} rows unbounded preceding)`;
  const value = sql`count(*) filter (where ${condition}) ${frame}`;
  const title = `rows between one reset and the next`;
  const added = [{ name, type: 'bigint', value }];
  return { ...state, loop: withColumns(evaluation, loop, added, [], reset.line, title) };
}

/** The total of the rows before in the same segment; null where it can't be told. */
export function totalInSegment(
  evaluation: Evaluation,
  step: Assign,
  reset: Reset,
  assigned: readonly string[],
  initial: Fragment,
  state: State,
): Fragment | null {
  const { loop } = state;
  const summand = increment(step.expression, step.target[0] ?? '');
  if (!loop || !summand) return null;
  if (assigned.some((name) => mentions(summand, name) || mentions(reset.value, name))) return null;
  const value = evaluateExpression(evaluation, summand, state).sql;
  const start = evaluateExpression(evaluation, reset.value, state).sql;
  if ([...value, ...start].some(({ kind }) => kind === 'poison' || kind === 'version')) return null;
  const segment = loopValue(loop, segmentOf(reset));
  const within = sql`over (partition by ${segment} order by ${orderOf(loop)}`;
  const before = sql`${within} rows between unbounded preceding and 1 preceding)`;
  const base = sql`case when ${segment} = 0 then ${initial} else first_value(${start}) ${within}) end`;
  // A sum leaves NULLs out; adding one by one, a single NULL stays for good.
  return sql`case when bool_or(${value} is null) ${before} then null else ${base} + coalesce(sum(${value}) ${before}, 0) end`;
}

export function orderOf(loop: LoopRows): string {
  return (loop.order ?? [])
    .map((sort) => `${identifier(loop.alias)}.${identifier(sort.column)} ${sort.direction}`.trim())
    .join(', ');
}

export function mentions(code: CodeText, name: string): boolean {
  return scan(code.text).some((token) => token.text.toLowerCase() === name.toLowerCase());
}
