/**
 * Loops that insert a range of keys at a time: `v` to `v + step`, then on from there. Ranges that
 * touch without a gap are one range, from where the first begins to where the last one ends.
 */
import type { Evaluation } from '../evaluate.ts';
import { from, sql } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import { rangePage } from '../postgres/range-page.ts';
import type { RangePage } from '../postgres/range-page.ts';
import type { CodeText, Step } from '../program.ts';
import { assignedIn } from '../program.ts';
import type { State, Value } from '../state.ts';
import { lookup, withBlock, withoutBlock } from '../state.ts';
import type { Version } from '../version.ts';
import { forget } from './carried.ts';
import { asType, declaredType, evaluateExpression } from './expressions.ts';
import { isSteady } from './paging.ts';

type While = Extract<Step, { kind: 'while' }>;

export interface SteppedRange {
  readonly variable: string;
  readonly type: string;
  readonly stride: CodeText;
  readonly body: readonly Step[];
  /** One row for each turn of the loop, with the variable's value. */
  readonly turns: Version;
}

/** Null where the turns of the loop are not shown to be ranges of one insert. */
export function rangedLoop(
  evaluation: Evaluation,
  step: While,
  range: SteppedRange,
  state: State,
): State | null {
  const { variable, type, turns } = range;
  const statement = onlyInsert(range.body);
  const last = `last_${variable}`;
  if (state.loop || statement === null || lookup(state, last)) return null;
  if (commitsEmpty(range.body, state)) return null;
  const environment = evaluation.environment(state);
  const page = rangePage(statement.code, {
    variable,
    stride: range.stride,
    ends: assignedBefore(range.body, statement),
    changing: new Set(range.body.flatMap(assignedIn).map(([name = '']) => name)),
    last,
    columnsOf: (name) => environment.relation(name)?.columns ?? null,
  });
  if (page === null) return null;
  const ends = evaluation.session.factory.make({
    ...turns,
    label: `range_of_${variable}`,
    columns: [
      { name: variable, type },
      { name: last, type },
    ],
    keys: [[]],
    body: {
      kind: 'query',
      head: null,
      sql: sql`select min(${identifier(variable)}) as ${identifier(variable)}, max(${identifier(variable)}) as ${identifier(last)}\nfrom ${from(turns)}`,
    },
  });
  const valueOf = (name: string): Value => ({
    kind: 'scalar',
    sql: sql`(select ${identifier(name)} from ${from(ends)})`,
    type,
  });
  const started = withEnd(
    evaluation,
    page,
    withBlock(state, new Map([variable, last].map((name) => [name, valueOf(name)]))),
  );
  if (!isSteady(evaluation, page.whole, started)) return null;
  const flow = evaluation.run([{ ...statement, code: page.whole }], started);
  if (flow.ending !== 'falls-through') return null;
  return forget(withoutBlock(flow.state), step.body, step.line);
}

function withEnd(evaluation: Evaluation, { end }: RangePage, state: State): State {
  if (end === null) return state;
  const { sql: value, type } = evaluateExpression(evaluation, end.expression, state);
  const held = asType({ sql: value, type }, declaredType(state, end.variable));
  const inner = new Map(state.variables.at(-1)).set(end.variable, { kind: 'scalar', ...held });
  return { ...state, variables: [...state.variables.slice(0, -1), inner] };
}

/** A COMMIT that takes rows from a temporary table: the next turn would not find them. */
function commitsEmpty(body: readonly Step[], state: State): boolean {
  const commits = body.some(({ kind }) => kind === 'transaction');
  return commits && [...state.tables.values()].some(({ shape }) => shape.onCommit !== undefined);
}

/** The insert, where all else in the body only counts, reports or commits. */
function onlyInsert(body: readonly Step[]): Extract<Step, { kind: 'statement' }> | null {
  const statements = body.filter((step) => step.kind === 'statement');
  const [only] = statements;
  if (statements.length !== 1 || only?.into !== null) return null;
  const others = body.filter((step) => step.kind !== 'statement');
  return others.every(isAside) ? only : null;
}

function isAside(step: Step): boolean {
  if (step.kind === 'raise') return step.level === 'message';
  // A call could do anything.
  if (step.kind === 'assign')
    return step.target.length === 1 && !step.expression.text.includes('(');
  return step.kind === 'diagnostics' || (step.kind === 'transaction' && step.action === 'commit');
}

/** What variables hold that are set once in each turn, before the statement. */
export function assignedBefore(
  body: readonly Step[],
  statement: Step | null,
): ReadonlyMap<string, CodeText> {
  const set = body.flatMap(assignedIn).map(([name]) => name);
  const before = statement === null ? body : body.slice(0, body.indexOf(statement));
  return new Map(
    before.flatMap((step): [string, CodeText][] => {
      const [name = '', field] = step.kind === 'assign' ? step.target : [];
      const isOnce = set.indexOf(name) === set.lastIndexOf(name);
      return step.kind === 'assign' && field === undefined && isOnce
        ? [[name, step.expression]]
        : [];
    }),
  );
}
