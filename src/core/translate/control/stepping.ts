/** `WHILE v <= last LOOP … v := v + step; END LOOP`: a loop over generate_series. */
import type { Evaluation } from '../evaluate.ts';
import type { Fragment } from '../fragment.ts';
import { plainText, sql, versionsIn } from '../fragment.ts';
import type { ExpressionValue } from './expressions.ts';
import { identifier } from '../identifiers.ts';
import { increment, upperBound } from '../postgres/stepping.ts';
import type { Step } from '../program.ts';
import type { State } from '../state.ts';
import type { Version } from '../version.ts';
import { lookup } from '../state.ts';
import { assignedIn } from '../program.ts';
import { overRows } from './loop-body.ts';
import { readsTable } from './paging.ts';
import { assignedBefore, rangedLoop } from './ranges.ts';
import { evaluateExpression } from './expressions.ts';

type While = Extract<Step, { kind: 'while' }>;

/** Null where the loop has another form. */
export function steppedLoop(evaluation: Evaluation, step: While, state: State): State | null {
  const form = formOf(step);
  if (!form) return null;
  const { variable, body, bound, stride } = form;
  const before = lookup(state, variable);
  if (before?.kind !== 'scalar' || before.type === null) return null;
  const last = evaluateExpression(evaluation, bound.limit, state);
  const by = evaluateExpression(evaluation, stride, state);
  const column = identifier(variable);
  const type = before.type;
  const growth = type === 'date' ? dateStep(by) : by.sql;
  if (!growth) return null;
  const series = sql`generate_series(${before.sql}, ${last.sql}, ${growth}) as series (${column})`;
  const exclusive = bound.inclusive ? sql`` : sql`\nwhere ${column} < ${last.sql}`;
  const rows = evaluation.session.factory.make({
    label: `each_${variable}`,
    title: `while ${step.condition?.text ?? variable}`,
    lines: { first: step.line, last: step.line },
    columns: [{ name: variable, type }],
    keys: [[variable]],
    change: null,
    owner: null,
    dataFree: false,
    body: {
      kind: 'query',
      head: null,
      sql: sql`select cast(${column} as ${type}) as ${column}\nfrom ${series}${exclusive}`,
    },
  });
  const after =
    rangedLoop(evaluation, step, { variable, type, stride, body, turns: rows }, state) ??
    overRows(
      evaluation,
      { ...step, body },
      { rows, order: [{ column: variable, direction: '' }] },
      [[variable]],
      state,
    );
  requireSteadyEnd(evaluation, step, [last.sql, by.sql].flatMap(versionsIn), state, after);
  return after;
}

/** How far the loop goes is asked anew in each turn: what it writes must not move its end. */
function requireSteadyEnd(
  evaluation: Evaluation,
  step: While,
  read: readonly Version[],
  before: State,
  after: State,
): void {
  for (const [table, { version }] of after.tables) {
    if (version === before.tables.get(table)?.version) continue;
    if (!read.some((one) => readsTable(one, table))) continue;
    throw evaluation.refusal(
      'loop-carried',
      step.line,
      `WHILE ${step.condition?.text ?? ''}`.trim(),
      `The loop writes ${table}, and how far it goes depends on its rows.`,
    );
  }
}

/**
 * A date grows by whole days or by an interval; a series over dates knows only intervals. Hours
 * would be lost in each turn, as the variable holds a date, but not in the series.
 */
function dateStep(by: ExpressionValue): Fragment | null {
  if (by.type === 'interval')
    return /hour|minute|second|\d:\d/iu.test(plainText(by.sql)) ? null : by.sql;
  return by.type !== null && DAYS.has(by.type) ? sql`${by.sql} * interval '1 day'` : null;
}

const DAYS: ReadonlySet<string> = new Set(['smallint', 'integer']);

interface Form {
  readonly variable: string;
  readonly body: readonly Step[];
  readonly bound: NonNullable<ReturnType<typeof upperBound>>;
  readonly stride: Extract<Step, { kind: 'assign' }>['expression'];
}

function formOf(step: While): Form | null {
  const last = step.body.at(-1);
  const first = step.body[0];
  const exits =
    step.condition === null && first?.kind === 'exit' && !first.again ? first.condition : null;
  const bound = step.condition
    ? upperBound(step.condition, false)
    : exits
      ? upperBound(exits, true)
      : null;
  if (
    !bound ||
    last?.kind !== 'assign' ||
    last.target.length !== 1 ||
    last.target[0] !== bound.variable
  )
    return null;
  const body = step.body.slice(exits ? 1 : 0, -1);
  const stride = increment(last.expression, bound.variable, assignedBefore(body, null));
  const set = body.flatMap((inner) => assignedIn(inner)).map((target) => target[0]);
  // The bound and the step must stay what they are while the loop goes on.
  if (
    !stride ||
    set.includes(bound.variable) ||
    set.some((name) => name && mentions(bound.limit.text, name))
  )
    return null;
  if (set.some((name) => name && mentions(stride.text, name))) return null;
  return { variable: bound.variable, body, bound, stride };
}

function mentions(expression: string, name: string): boolean {
  return expression.toLowerCase().includes(name.toLowerCase());
}
