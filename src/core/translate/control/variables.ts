/** Variables: assignments and SELECT INTO. */
import { asType, declaredType } from './expressions.ts';
import type { ExpressionValue } from './expressions.ts';
import { loopValue, withColumns } from './loop-rows.ts';
import { assignInLoop, selectIntoInLoop } from './loop-variables.ts';
import type { Evaluation } from '../evaluate.ts';
import { from, sql } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import type { Target } from '../program.ts';
import { isRecord, lookup, withVariable } from '../state.ts';
import type { State, Value } from '../state.ts';
import { ROW_COUNT } from '../version.ts';
import type { Version } from '../version.ts';

/** Puts a value into a variable, as its type holds it. In a loop each row has its own. */
export function assignValue(
  evaluation: Evaluation,
  state: State,
  target: Target,
  value: ExpressionValue,
  line: number,
): State {
  const [name = '', field] = target;
  if (field !== undefined) return assignField(evaluation, state, name, field, value, line);
  if (state.loop && lookup(state, name))
    return assignInLoop(evaluation, state, state.loop, name, value, line);
  const held = asType(value, declaredType(state, name));
  const next: Value = {
    kind: 'scalar',
    sql: held.sql,
    type: held.type,
    ...(held.constant === undefined ? {} : { constant: held.constant }),
  };
  return withVariable(state, name, next);
}

/** Puts a value into one field of a record; the others stay. */
function assignField(
  evaluation: Evaluation,
  state: State,
  name: string,
  field: string,
  value: ExpressionValue,
  line: number,
): State {
  const record = lookup(state, name);
  const { loop } = state;
  const ofLoop = loop?.record === true && loop.alias === name;
  const fields = ofLoop ? null : fieldsOf(record);
  const type = ofLoop
    ? loop.rows.columns?.find((column) => column.name === field)?.type
    : fields?.get(field)?.type;
  if (type === undefined || type === null)
    throw evaluation.refusal(
      'statement',
      line,
      `${name}.${field}`,
      "The record's fields and their types can't be told from the text.",
    );
  const held = asType(value, type);
  if (!loop)
    return withVariable(state, name, {
      kind: 'fields',
      fields: new Map(fields).set(field, { sql: held.sql, type }),
    });
  const column = ofLoop ? field : `v_${name}_${field}`;
  const added = [{ name: column, type, value: held.sql }];
  const rows = withColumns(evaluation, loop, added, [], line, `${name}.${field} := …`);
  const lastRows = { kind: 'unknown', reason: `${name}.${field} has changed since.` } as const;
  const next: State = { ...state, loop: rows, lastRows };
  if (ofLoop) return next;
  return withVariable(next, name, {
    kind: 'fields',
    fields: new Map(fields).set(field, { sql: loopValue(rows, column), type }),
  });
}

function fieldsOf(record: Value | null): Extract<Value, { kind: 'fields' }>['fields'] | null {
  if (record?.kind === 'fields') return record.fields;
  if (record?.kind !== 'record' || record.row.columns === null) return null;
  const { row } = record;
  return new Map(
    (row.columns ?? []).map(({ name, type }) => {
      return [name, { sql: sql`(select ${identifier(name)} from ${from(row)})`, type }] as const;
    }),
  );
}

/** Puts the first row of a relation, or the number of its rows, into variables. */
export function assignQuery(
  evaluation: Evaluation,
  state: State,
  targets: readonly Target[],
  rows: Version,
  line: number,
): State {
  const [target] = targets;
  if (!target) return state;
  const count = evaluation.session.factory.make({
    label: ROW_COUNT,
    title: 'number of rows that the statement before wrote',
    lines: { first: line, last: line },
    columns: [{ name: 'value', type: 'bigint' }],
    keys: [[]],
    change: null,
    owner: null,
    dataFree: false,
    body: { kind: 'query', head: null, sql: sql`select count(*) as value from ${from(rows)}` },
  });
  return assignValue(
    evaluation,
    state,
    target,
    { sql: sql`(select value from ${from(count)})`, type: 'bigint' },
    line,
  );
}

/** SELECT … INTO: the first row of a query; NULLs where there is none. */
export function selectInto(
  evaluation: Evaluation,
  state: State,
  targets: readonly Target[],
  query: Version,
  strict: boolean,
  line: number,
): State {
  if (state.loop) return selectIntoInLoop(evaluation, state, state.loop, targets, query, line);
  const { session } = evaluation;
  const single = query.keys.some((key) => key.length === 0);
  const names = targets.map((target) => target.join('_'));
  const [only = ''] = names;
  const record = targets.length === 1 && isRecord(state, only);
  const outputs = query.columns?.map((column) => column.name);
  const columns = record
    ? query.columns
    : names.map((name, index) => ({ name, type: query.columns?.[index]?.type ?? null }));
  const body = query.body.kind === 'query' ? query.body.sql : sql`select * from ${from(query)}`;
  if (strict)
    evaluation.raiseWhen(
      sql`(select count(*) from ${from(query)}) <> 1`,
      'query returned no rows or more than one row',
      line,
    );
  const row = session.factory.make({
    ...query,
    label: targets.length === 1 ? only : 'variables',
    title: `select into ${names.join(', ')}`,
    columns,
    keys: [[]],
    body: {
      kind: 'query',
      head:
        record ||
        (outputs?.length === names.length && outputs.every((name, index) => name === names[index]))
          ? null
          : names,
      sql: single || strict ? body : sql`select *\nfrom (\n${body}\n) as first_row\nlimit 1`,
    },
  });
  if (outputs && !record && outputs.length < names.length) {
    throw evaluation.refusal(
      'missing-column',
      line,
      names.join(', '),
      `The query gives ${outputs.length} columns for ${names.length} variables.`,
    );
  }
  let next: State = { ...state, lastRows: { kind: 'rows', rows: row } };
  if (record) return withVariable(next, only, { kind: 'record', row });
  for (const [index, target] of targets.entries()) {
    const value = {
      sql: sql`(select ${identifier(names[index] ?? '')} from ${from(row)})`,
      type: query.columns?.[index]?.type ?? null,
    };
    next = assignValue(evaluation, next, target, value, line);
  }
  return next;
}
