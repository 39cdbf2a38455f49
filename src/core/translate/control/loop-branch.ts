/** IF inside a loop: each side for the rows for which it is taken, then together again. */
import { loopValue, rowsFrom, rowsWhere, withColumns } from './loop-rows.ts';
import { evaluateExpression } from './expressions.ts';
import type { Evaluation, Flow } from '../evaluate.ts';
import { sql, text } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { IfArm, Step } from '../program.ts';
import { shorten } from '../refusals.ts';
import { lookup } from '../state.ts';
import type { LoopRows, State } from '../state.ts';
import type { ColumnInfo, Version } from '../version.ts';

/** IF inside a loop: each side is done for the rows for which it is taken. */
export function ifOverLoop(
  evaluation: Evaluation,
  step: Extract<Step, { kind: 'if' }>,
  state: State,
): Flow {
  return {
    state: armsOverLoop(evaluation, step.arms, step.otherwise, state),
    ending: 'falls-through',
  };
}

function armsOverLoop(
  evaluation: Evaluation,
  arms: readonly IfArm[],
  otherwise: readonly Step[],
  state: State,
): State {
  const [arm, ...rest] = arms;
  const { loop } = state;
  if (!loop || !arm) return runInLoop(evaluation, otherwise, state);
  const value = evaluateExpression(evaluation, arm.condition, state);
  if (value.constant !== undefined) {
    return value.constant === true
      ? runInLoop(evaluation, arm.body, state)
      : armsOverLoop(evaluation, rest, otherwise, state);
  }
  evaluation.session.branches.push({ line: arm.line, label: shorten(`if ${arm.condition.text}`) });
  const column = `is_case_${arm.line}`;
  const marked = withColumns(
    evaluation,
    loop,
    [{ name: column, type: 'boolean', value: sql`(${value.sql}) is true` }],
    [],
    arm.line,
    shorten(`if ${arm.condition.text}`),
  );
  const condition = loopValue(loop, column);
  const taken = runInLoop(evaluation, arm.body, {
    ...state,
    loop: rowsWhere(evaluation, marked, condition, arm),
  });
  const before = {
    ...taken,
    loop: rowsWhere(evaluation, marked, sql`not ${condition}`, arm),
    variables: state.variables,
    lastRows: state.lastRows,
  };
  const other = armsOverLoop(evaluation, rest, otherwise, before);
  return rejoin(evaluation, marked, taken, other, arm.line);
}

/** Steps of a loop's body; leaving the loop early is no falling through. */
function runInLoop(evaluation: Evaluation, steps: readonly Step[], state: State): State {
  const flow = evaluation.run(steps, state);
  if (flow.ending === 'falls-through') return flow.state;
  if (flow.ending === 'next-row' && flow.state.loop) {
    // The rows that go on to the next iteration take no further part.
    return {
      ...flow.state,
      loop: { ...flow.state.loop, rows: { ...flow.state.loop.rows, body: { kind: 'empty' } } },
    };
  }
  throw evaluation.refusal(
    'loop',
    steps[0]?.line ?? 0,
    flow.ending,
    'The loop, or the routine, is left from inside the loop.',
  );
}

/** The rows of both sides together again, with the variables that either side has set. */
function rejoin(
  evaluation: Evaluation,
  before: LoopRows,
  taken: State,
  other: State,
  line: number,
): State {
  const sides = [taken, other].filter((side) => side.loop?.rows.body.kind !== 'empty');
  const differing = differingVariables(taken, other);
  const columns = commonColumns(sides);
  for (const [name, type] of differing) columns.set(`v_${name}`, { name: `v_${name}`, type });
  const list = [...columns.values()];
  const inputs = sides.flatMap((side) =>
    side.loop ? [aligned(evaluation, side, side.loop, list, line)] : [],
  );
  const [only] = inputs;
  const rows =
    inputs.length === 1 && only
      ? only
      : evaluation.session.factory.make({
          ...before.rows,
          title: 'rows of the loop after the condition',
          lines: { first: line, last: line },
          columns: list,
          body: inputs.length === 0 ? { kind: 'empty' } : { kind: 'union', inputs },
        });
  const variables = taken.variables.map((block, index) => {
    const result = new Map(block);
    for (const [name, value] of block) {
      const theirs = other.variables[index]?.get(name);
      const type = differing.get(name);
      if (theirs?.kind === 'poison' || theirs === undefined) result.set(name, theirs ?? value);
      else if (value.kind === 'scalar' && type !== undefined) {
        result.set(name, { kind: 'scalar', sql: loopValue(before, `v_${name}`), type });
      }
    }
    return result;
  });
  // Both sides have written to the same tables one after the other: the later state has both.
  return {
    ...other,
    variables,
    lastRows: { kind: 'unknown', reason: 'The statement before depends on a condition.' },
    loop: { ...before, rows },
  };
}

/** Scalars that the two sides leave with different values, and their types. */
function differingVariables(taken: State, other: State): Map<string, string | null> {
  const found = new Map<string, string | null>();
  for (const [index, block] of taken.variables.entries()) {
    for (const [name, value] of block) {
      const theirs = other.variables[index]?.get(name);
      if (theirs && theirs !== value && value.kind === 'scalar' && theirs.kind === 'scalar')
        found.set(name, value.type ?? theirs.type);
    }
  }
  return found;
}

/** Columns that the rows of every side have. */
function commonColumns(sides: readonly State[]): Map<string, ColumnInfo> {
  const [first, ...others] = sides.map((side) => side.loop?.rows.columns ?? []);
  const common = (first ?? []).filter((column) =>
    others.every((columns) => columns.some((candidate) => candidate.name === column.name)),
  );
  return new Map(common.map((column) => [column.name, column]));
}

/** The rows of one side, with its values of the variables that the sides set differently. */
function aligned(
  evaluation: Evaluation,
  side: State,
  loop: LoopRows,
  columns: readonly ColumnInfo[],
  line: number,
): Version {
  const list = columns.map((column) => {
    const variable = column.name.startsWith('v_') ? lookup(side, column.name.slice(2)) : null;
    const value =
      variable?.kind === 'scalar'
        ? variable.sql
        : text(`${identifier(loop.alias)}.${identifier(column.name)}`);
    return sql`${value} as ${identifier(column.name)}`;
  });
  const lines = list.flatMap((item, index) => (index === 0 ? item : sql`,\n    ${item}`));
  return evaluation.session.factory.make({
    ...loop.rows,
    columns,
    lines: { first: line, last: line },
    body: { kind: 'query', head: null, sql: sql`select\n    ${lines}\nfrom ${rowsFrom(loop)}` },
  });
}
