/** Statements inside a loop, done for all rows of the loop at once. */
import type { BoundQuery, BoundWrite } from '../bound.ts';
import type { Evaluation, Flow } from '../evaluate.ts';
import type { Fragment } from '../fragment.ts';
import { from, sql, text } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { IfArm, Step, Target } from '../program.ts';
import { shorten } from '../refusals.ts';
import type { LoopRows, State } from '../state.ts';
import { lookup, withVariable } from '../state.ts';
import type { ColumnInfo, Version } from '../version.ts';
import type { ExpressionValue } from './variables.ts';
import { asType, declaredType, evaluateExpression } from './variables.ts';

function rowsFrom(loop: LoopRows): Fragment {
  return sql`${from(loop.rows)} as ${identifier(loop.alias)}`;
}

/** A write of the loop's body as one write over all rows. */
export function overLoop(evaluation: Evaluation, state: State, bound: BoundWrite): BoundWrite {
  const { loop } = state;
  if (!loop) return bound;
  const shape = evaluation.environment(state).shapeOf(bound.table.name)?.shape;
  evaluation.loops.at(-1)?.write(bound, shape?.columns?.map((column) => column.name) ?? []);
  if (bound.kind === 'merge')
    throw evaluation.refusal(
      'loop',
      bound.place.line,
      bound.place.construct,
      'A MERGE inside a loop is not turned into one statement.',
    );
  if (bound.returning)
    throw evaluation.refusal(
      'loop',
      bound.place.line,
      bound.place.construct,
      'RETURNING inside a loop gives one value an iteration.',
    );
  if (bound.kind === 'insert')
    return { ...bound, query: bound.query ? lateral(bound.query, loop) : bound.query };
  if (bound.kind === 'update') {
    if (!bound.singleMatch) {
      throw evaluation.refusal(
        'loop-order',
        bound.place.line,
        bound.place.construct,
        'Several iterations may update the same row; the last one wins, or they add up.',
      );
    }
    return { ...bound, from: bound.from ? sql`${rowsFrom(loop)}, ${bound.from}` : rowsFrom(loop) };
  }
  return { ...bound, using: bound.using ? sql`${rowsFrom(loop)}, ${bound.using}` : rowsFrom(loop) };
}

/** A query of the body, for every row of the loop. */
function lateral(query: BoundQuery, loop: LoopRows): BoundQuery {
  const one = query.keys.some((key) => key.length === 0);
  const names = query.columns?.map((column) => column.name) ?? [];
  const keys = one ? loop.rows.keys.flatMap((key) => keyInOutputs(key, query, names)) : [];
  return {
    ...query,
    keys,
    reads: [...query.reads, loop.rows],
    sql: sql`select body_row.*\nfrom ${rowsFrom(loop)}\ncross join lateral (\n    ${query.sql}\n) as body_row`,
  };
}

function keyInOutputs(
  key: readonly string[],
  query: BoundQuery,
  names: readonly string[],
): (readonly string[])[] {
  const outputs = key.map((column) => names[query.loopColumns.indexOf(column)]);
  const known = outputs.filter((output) => output !== undefined);
  return known.length === key.length ? [known] : [];
}

/** The loop's rows with more columns, or with other values in columns that they have. */
export function withColumns(
  evaluation: Evaluation,
  loop: LoopRows,
  added: readonly {
    readonly name: string;
    readonly type: string | null;
    readonly value: Fragment;
  }[],
  joined: Fragment,
  line: number,
  title: string,
): LoopRows {
  const { rows, alias } = loop;
  if (rows.columns === null) {
    throw evaluation.refusal(
      'loop',
      line,
      title,
      "The columns of the loop's query can't be told from its text.",
    );
  }
  const kept = rows.columns.filter((column) => !added.some((item) => item.name === column.name));
  const list = [
    ...kept
      .map((column) => `${identifier(alias)}.${identifier(column.name)}`)
      .map((value) => text(value)),
    ...added.map((item) => sql`${item.value} as ${identifier(item.name)}`),
  ];
  const columns: ColumnInfo[] = [...kept, ...added.map(({ name, type }) => ({ name, type }))];
  const lines = list.flatMap((item, index) => (index === 0 ? item : sql`,\n    ${item}`));
  return {
    ...loop,
    rows: evaluation.session.factory.make({
      ...rows,
      title,
      lines: { first: line, last: line },
      columns,
      body: {
        kind: 'query',
        head: null,
        sql: sql`select\n    ${lines}\nfrom ${rowsFrom(loop)}${joined}`,
      },
    }),
  };
}

/** Puts a value into a variable, one for each row of the loop. */
export function assignInLoop(
  evaluation: Evaluation,
  state: State,
  loop: LoopRows,
  name: string,
  value: ExpressionValue,
  line: number,
): State {
  const type = declaredType(state, name);
  const held = asType(value, type);
  const column = `v_${name}`;
  const next = withColumns(
    evaluation,
    loop,
    [{ name: column, type: held.type, value: held.sql }],
    [],
    line,
    `${name} := …`,
  );
  return withVariable({ ...state, loop: next }, name, {
    kind: 'scalar',
    sql: loopValue(loop, column),
    type: held.type,
  });
}

function loopValue(loop: LoopRows, column: string): Fragment {
  return text(`${identifier(loop.alias)}.${identifier(column)}`);
}

/** SELECT … INTO inside a loop: the first row of the query for each row of the loop. */
export function selectIntoInLoop(
  evaluation: Evaluation,
  state: State,
  loop: LoopRows,
  targets: readonly Target[],
  query: Version,
  line: number,
): State {
  const names = targets.map((target) => target.join('_'));
  const body = query.body.kind === 'query' ? query.body.sql : sql`select * from ${from(query)}`;
  const head = names.map((name) => identifier(`v_${name}`)).join(', ');
  const joined = sql`\nleft join lateral (\n    select true as is_found, found_row.*\n    from (\n    ${body}\n    ) as found_row\n    limit 1\n) as looked_up (is_found, ${head}) on true`;
  const added = names.map((name, index) => {
    const declared = declaredType(state, name);
    const held = asType(
      {
        sql: text(`looked_up.${identifier(`v_${name}`)}`),
        type: query.columns?.[index]?.type ?? null,
      },
      declared,
    );
    return { name: `v_${name}`, type: held.type, value: held.sql };
  });
  const flag = {
    name: `found_at_${line}`,
    type: 'boolean',
    value: text('coalesce(looked_up.is_found, false)'),
  };
  const next = withColumns(
    evaluation,
    loop,
    [...added, flag],
    joined,
    line,
    `select into ${names.join(', ')}`,
  );
  let result: State = {
    ...state,
    loop: next,
    lastRows: { kind: 'flag', sql: loopValue(loop, flag.name) },
  };
  for (const item of added) {
    result = withVariable(result, item.name.slice(2), {
      kind: 'scalar',
      sql: loopValue(loop, item.name),
      type: item.type,
    });
  }
  return result;
}

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

export function rowsWhere(
  evaluation: Evaluation,
  loop: LoopRows,
  condition: Fragment,
  at: { readonly line: number },
): LoopRows {
  return {
    ...loop,
    rows: evaluation.session.factory.make({
      ...loop.rows,
      title: 'rows of the loop for which the condition holds',
      lines: { first: at.line, last: at.line },
      body: {
        kind: 'query',
        head: null,
        sql: sql`select ${identifier(loop.alias)}.*\nfrom ${rowsFrom(loop)}\nwhere ${condition}`,
      },
    }),
  };
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
