/** What a routine gives back, and what it asks about its last statement. */
import type { BoundQuery } from '../bound.ts';
import type { Evaluation } from '../evaluate.ts';
import { join, sql } from '../fragment.ts';
import { identifier } from '../identifiers.ts';
import { readStatement } from '../postgres/statement.ts';
import type { CodeText, Step } from '../program.ts';
import { makeRefusal } from '../refusals.ts';
import type { State } from '../state.ts';
import { lookup, RESULT, withPoison, withVariable } from '../state.ts';
import type { Lines } from '../version.ts';
import { asType, declaration, evaluateExpression } from './expressions.ts';
import { rowsFrom } from './loop-rows.ts';
import { assignQuery, assignValue } from './variables.ts';

/** RETURN: the value of a function; null where it gives none. */
export function applyReturn(evaluation: Evaluation, value: CodeText | null, state: State): State {
  if (value === null) return state;
  const { returns, returnsSet } = evaluation.routine;
  const type = returnsSet ? null : declaration(returns);
  const result = asType(evaluateExpression(evaluation, value, state), type);
  return withVariable(state, RESULT, { kind: 'scalar', sql: result.sql, type: result.type });
}

/** RETURN QUERY: its rows are among those that the routine returns. */
export function applyReturnQuery(
  evaluation: Evaluation,
  step: Extract<Step, { kind: 'return-query' }>,
  state: State,
): State {
  if (step.query.kind !== 'query')
    throw evaluation.refusal(
      'dynamic-sql',
      step.line,
      'RETURN QUERY EXECUTE',
      'The returned query is made at run time.',
    );
  const [part] = readStatement(step.query.query, evaluation.environment(state));
  const bound = part?.bind(new Map());
  if (bound?.kind !== 'query')
    throw evaluation.refusal(
      'return-value',
      step.line,
      'RETURN QUERY',
      'The statement gives no rows.',
    );
  giveRows(evaluation, state, bound.query, bound.lines);
  return state;
}

/** RETURN NEXT: one row of a query or record, or of the values that the output variables have. */
export function applyReturnNext(
  evaluation: Evaluation,
  step: Extract<Step, { kind: 'return-next' }>,
  state: State,
): State {
  const lines = { first: step.line, last: step.line };
  const { parameters, name, returns } = evaluation.routine;
  const outputs = parameters.filter(({ mode }) => OUTPUTS.has(mode));
  const values =
    step.value === null
      ? outputs.map((output) => ({ text: output.name, line: step.line, comments: [] }))
      : fieldsOf(step.value, state);
  const types =
    values.length === outputs.length
      ? outputs.map(({ type }) => type)
      : values.length === 1 && returns
        ? [returns.replace(/^SETOF /u, '')]
        : [];
  const list = values.map((code, index) => {
    const { sql: value, type } = evaluateExpression(evaluation, code, state);
    const given = types[index];
    return given === undefined ? { value, type } : { value: sql`cast(${value} as ${given})`, type };
  });
  const columns = list.map(({ type }, index) => ({
    name: values.length === 1 ? name.name : `column${index + 1}`,
    type,
  }));
  const row = join(
    list.map(({ value }, index) => sql`${value} as ${identifier(columns[index]?.name ?? '')}`),
    ', ',
  );
  giveRows(evaluation, state, { sql: sql`select ${row}`, columns, keys: [[]] }, lines);
  return state;
}

const OUTPUTS: ReadonlySet<string> = new Set(['out', 'inout', 'table']);

/** The fields of a record, one by one; any other value is one. */
function fieldsOf(value: CodeText, state: State): readonly CodeText[] {
  const name = value.text.trim();
  const record = lookup(state, name.toLowerCase());
  const columns = record?.kind === 'record' ? record.row.columns : null;
  if (!columns) return [value];
  return columns.map((column) => ({ ...value, text: `${name}.${identifier(column.name)}` }));
}

/** Rows that the routine gives back, under the conditions on the way to the statement. */
function giveRows(
  evaluation: Evaluation,
  state: State,
  query: Pick<BoundQuery, 'sql' | 'columns' | 'keys'>,
  lines: Lines,
): void {
  const { session } = evaluation;
  const { loop } = state;
  const given = loop
    ? sql`select given_row.*\nfrom ${rowsFrom(loop)}\ncross join lateral (\n    ${query.sql}\n) as given_row`
    : query.sql;
  const conditions = [
    ...evaluation.path.map((condition) => sql`(${condition})`),
    ...session.returns.map(({ condition }) => sql`(${condition}) is not true`),
  ];
  const rows = session.factory.make({
    label: evaluation.routine.name.name,
    title: 'returned rows',
    lines,
    columns: query.columns,
    keys: loop ? [] : query.keys,
    change: null,
    owner: null,
    dataFree: false,
    body: {
      kind: 'query',
      head: null,
      sql:
        conditions.length === 0
          ? given
          : sql`select *\nfrom (\n${given}\n) as given_rows\nwhere ${join(conditions, '\n    and ')}`,
    },
  });
  session.returned.push(rows);
}

/** GET DIAGNOSTICS: the row count of the last statement, where it can be computed. */
export function applyDiagnostics(
  evaluation: Evaluation,
  step: Extract<Step, { kind: 'diagnostics' }>,
  state: State,
): State {
  let next = state;
  for (const { item, target } of step.items) {
    const rows = item === 'ROW_COUNT' ? state.lastRows : null;
    if (rows?.kind === 'each' && rows.count) {
      const value = { sql: rows.count, type: 'bigint' };
      next = assignValue(evaluation, next, target, value, step.line);
      continue;
    }
    next =
      rows?.kind === 'rows'
        ? assignQuery(evaluation, next, [target], rows.rows, step.line)
        : withPoison(
            next,
            target,
            makeRefusal(
              'unprovable-count',
              { line: step.line, construct: `GET DIAGNOSTICS ${item}` },
              "The value tells of the last statement and can't be computed from the tables.",
            ),
          );
  }
  return next;
}
