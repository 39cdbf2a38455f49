/**
 * Values that a loop carries from one row to the next: running totals and the row before. Over a
 * total order they are window functions.
 */
import type { Evaluation } from '../evaluate.ts';
import type { Fragment } from '../fragment.ts';
import { sql, text } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import { increment } from '../postgres/stepping.ts';
import { scan } from '../postgres/parser.ts';
import type { CodeText, Step, Target } from '../program.ts';
import { makeRefusal } from '../refusals.ts';
import type { LoopRows, State } from '../state.ts';
import { lookup, withVariable } from '../state.ts';
import type { LoopStep } from './loop-body.ts';
import { assignedIn } from '../program.ts';
import { withColumns } from './loop-rows.ts';
import { evaluateExpression } from './expressions.ts';

type Assign = Extract<Step, { kind: 'assign' }>;

/** Gives the variables that can be told the value that they have when an iteration begins. */
export function carriedValues(
  evaluation: Evaluation,
  step: LoopStep,
  state: State,
  before: State,
): State {
  const { loop } = state;
  if (!loop?.order || step.body.some((inner) => inner.kind === 'exit')) return state;
  const assigned = step.body
    .flatMap((inner) => assignedIn(inner))
    .map((target) => target.join('.'));
  let next = state;
  for (const inner of step.body) {
    if (inner.kind !== 'assign' || inner.target.length > 1) continue;
    const [name = ''] = inner.target;
    const initial = lookup(before, name);
    const once = assigned.filter((other) => other === name).length === 1;
    if (!once || initial?.kind !== 'scalar' || initial.type === null) continue;
    const value = valueBefore(evaluation, inner, name, assigned, initial.sql, next, loop);
    if (!value || !next.loop) continue;
    const column = `${name}_before`;
    const typed = sql`cast(${value} as ${initial.type})`;
    const rows = withColumns(
      evaluation,
      next.loop,
      [{ name: column, type: initial.type, value: typed }],
      [],
      inner.line,
      `${name} as the iteration finds it`,
    );
    next = withVariable({ ...next, loop: rows }, name, {
      kind: 'scalar',
      sql: text(`${identifier(loop.alias)}.${identifier(column)}`),
      type: initial.type,
    });
  }
  return next;
}

function valueBefore(
  evaluation: Evaluation,
  step: Assign,
  name: string,
  assigned: readonly string[],
  initial: Fragment,
  state: State,
  loop: LoopRows,
): Fragment | null {
  const order = orderOf(loop);
  const summand = increment(step.expression, name);
  const code = summand ?? step.expression;
  if (assigned.some((other) => mentions(code, other))) return null;
  const value = evaluateExpression(evaluation, code, state);
  if (value.sql.some((part) => part.kind === 'poison' || part.kind === 'version')) return null;
  if (!summand) return sql`lag(${value.sql}, 1, ${initial}) over (order by ${order})`;
  const frame = sql`over (order by ${order} rows between unbounded preceding and 1 preceding)`;
  // A sum leaves NULLs out; adding one by one, a single NULL stays for good.
  return sql`case when bool_or(${value.sql} is null) ${frame} then null else ${initial} + coalesce(sum(${value.sql}) ${frame}, 0) end`;
}

function orderOf(loop: LoopRows): string {
  return (loop.order ?? [])
    .map((sort) => `${identifier(loop.alias)}.${identifier(sort.column)} ${sort.direction}`.trim())
    .join(', ');
}

function mentions(code: CodeText, name: string): boolean {
  return scan(code.text).some((token) => token.text.toLowerCase() === name.toLowerCase());
}

/** After a loop, variables that it set hold the value of its last iteration: not known. */
export function forget(state: State, targets: readonly Target[], line: number): State {
  let next = state;
  for (const [name = ''] of targets) {
    const value = lookup(state, name);
    if (value === null) continue;
    const refusal = makeRefusal(
      'loop-carried',
      { line, construct: name },
      `After the loop ${name} holds the value of its last iteration.`,
    );
    next = withVariable(next, name, {
      kind: 'poison',
      refusal,
      type: 'type' in value ? (value.type ?? null) : null,
    });
  }
  return next;
}
