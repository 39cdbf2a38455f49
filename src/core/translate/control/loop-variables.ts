/** Variables that are set inside a loop: a column of the loop's rows. */
import { loopValue, withColumns } from './loop-rows.ts';
import { asType, declaredType } from './expressions.ts';
import type { ExpressionValue } from './expressions.ts';
import type { Evaluation } from '../evaluate.ts';
import { from, plainText, sql, text } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { Target } from '../program.ts';
import { isRecord, withVariable } from '../state.ts';
import type { LoopRows, State } from '../state.ts';
import type { Version } from '../version.ts';

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
  const lastRows = stillKnown(state.lastRows, loopValue(loop, column), name);
  return withVariable({ ...state, loop: next, lastRows }, name, {
    kind: 'scalar',
    sql: loopValue(loop, column),
    type: held.type,
  });
}

/** A count is computed where it is used: by then a variable that it depends on must be the same. */
function stillKnown(rows: State['lastRows'], value: Fragment, name: string): State['lastRows'] {
  if (rows.kind !== 'each') return rows;
  const used = plainText([...(rows.found ?? []), ...(rows.count ?? [])]);
  if (!used.includes(plainText(value))) return rows;
  return { kind: 'unknown', reason: `${name} has changed since the last statement.` };
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
  const [first = []] = targets;
  const record = first[0] ?? '';
  // Each field of a record is a column of its own.
  const fields =
    targets.length === 1 && first.length === 1 && isRecord(state, record) ? query.columns : null;
  const names = fields
    ? fields.map((field) => `${record}_${field.name}`)
    : targets.map((target) => target.join('_'));
  const body = query.body.kind === 'query' ? query.body.sql : sql`select * from ${from(query)}`;
  const head = names.map((name) => identifier(`v_${name}`)).join(', ');
  const joined = sql`\nleft join lateral (\n    select true as is_found, found_row.*\n    from (\n    ${body}\n    ) as found_row\n    limit 1\n) as looked_up (is_found, ${head}) on true`;
  const added = names.map((name, index) => {
    const declared = fields ? null : declaredType(state, name);
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
  const found = loopValue(loop, flag.name);
  let result: State = {
    ...state,
    loop: next,
    lastRows: { kind: 'each', found, count: sql`(case when ${found} then 1 else 0 end)` },
  };
  if (fields) {
    const values = fields.map(({ name, type }) => {
      const value = { sql: loopValue(loop, `v_${record}_${name}`), type };
      return [name, value] as const;
    });
    return withVariable(result, record, { kind: 'fields', fields: new Map(values) });
  }
  for (const item of added) {
    result = withVariable(result, item.name.slice(2), {
      kind: 'scalar',
      sql: loopValue(loop, item.name),
      type: item.type,
    });
  }
  return result;
}
