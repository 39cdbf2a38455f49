/**
 * Values that a loop carries from one row to the next: running totals and the row before. Over a
 * total order they are window functions.
 */
import type { Evaluation } from '../evaluate.ts';
import type { Fragment } from '../fragment.ts';
import { sql } from '../fragment.ts';
import { increment } from '../postgres/stepping.ts';
import type { Step, Target } from '../program.ts';
import { makeRefusal } from '../refusals.ts';
import type { LoopRows, State } from '../state.ts';
import { isRecord, lookup, withVariable } from '../state.ts';
import type { LoopStep } from './loop-body.ts';
import { allSteps, assignedIn, ownTargets } from '../program.ts';
import { mentions, orderOf, resetBefore, totalInSegment, withSegments } from './carried-reset.ts';
import { loopValue, withColumns } from './loop-rows.ts';
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
  // A reset may ask for the row before: what is carried unconditionally comes first.
  for (const kind of ['always', 'with reset'] as const) {
    for (const inner of step.body) {
      if (inner.kind !== 'assign' || inner.target.length > 1) continue;
      const [name = ''] = inner.target;
      const initial = lookup(before, name);
      const times = assigned.filter((other) => other === name).length;
      if (initial?.kind !== 'scalar' || initial.type === null || !next.loop) continue;
      let value: Fragment | null = null;
      if (kind === 'always' && times === 1)
        value = valueBefore(evaluation, inner, name, assigned, initial.sql, next, loop);
      if (kind === 'with reset' && times === 2) {
        const reset = resetBefore(step.body, inner, name);
        if (reset) next = withSegments(evaluation, reset, next);
        if (reset) value = totalInSegment(evaluation, inner, reset, assigned, initial.sql, next);
      }
      if (value) next = withCarried(evaluation, next, name, initial.type, value, inner.line);
    }
  }
  return next;
}

/** The value with which an iteration begins becomes a column of the loop's rows. */
function withCarried(
  evaluation: Evaluation,
  state: State,
  name: string,
  type: string,
  value: Fragment,
  line: number,
): State {
  if (!state.loop) return state;
  const column = `${name}_before`;
  const typed = sql`cast(${value} as ${type})`;
  const title = `${name} as the iteration finds it`;
  const added = [{ name: column, type, value: typed }];
  const loop = withColumns(evaluation, state.loop, added, [], line, title);
  return withVariable({ ...state, loop }, name, {
    kind: 'scalar',
    sql: loopValue(loop, column),
    type,
  });
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

/** `n := n + 1` and nothing else: how often the loop went round, or a branch of it was taken. */
function countsIterations(steps: readonly Step[], name: string): boolean {
  const assigns = [...allSteps(steps)].filter((step) =>
    ownTargets(step).some((target) => target[0] === name),
  );
  return (
    assigns.length > 0 &&
    assigns.every((step) => {
      const summand = step.kind === 'assign' ? increment(step.expression, name) : null;
      return summand !== null && /^\d+$/u.test(summand.text.trim());
    })
  );
}

/** After a loop, variables that it set hold the value of its last iteration: not known. */
export function forget(
  state: State,
  body: readonly Step[],
  line: number,
  rowTargets: readonly Target[] = [],
): State {
  let next = state;
  const targets = [...rowTargets, ...body.flatMap((step) => assignedIn(step))];
  for (const [name = ''] of targets) {
    const value = lookup(state, name);
    if (value === null) continue;
    const refusal = makeRefusal(
      countsIterations(body, name) ? 'unprovable-count' : 'loop-carried',
      { line, construct: name },
      `After the loop ${name} holds the value of its last iteration.`,
    );
    next = withVariable(next, name, {
      kind: 'poison',
      refusal,
      type: 'type' in value ? (value.type ?? null) : null,
      record: isRecord(state, name),
    });
  }
  return next;
}
