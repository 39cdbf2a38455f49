/** What a routine gives back, and what it asks about its last statement. */
import type { Evaluation } from '../evaluate.ts';
import { readStatement } from '../postgres/statement.ts';
import type { CodeText, Step } from '../program.ts';
import { makeRefusal } from '../refusals.ts';
import type { State } from '../state.ts';
import { RESULT, withPoison, withVariable } from '../state.ts';
import { evaluateExpression } from './expressions.ts';
import { assignQuery } from './variables.ts';

/** RETURN: the value of a function; null where it gives none. */
export function applyReturn(evaluation: Evaluation, value: CodeText | null, state: State): State {
  if (value === null) return state;
  const result = evaluateExpression(evaluation, value, state);
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
  evaluation.session.returned.push(
    evaluation.session.factory.make({
      label: evaluation.routine.name.name,
      title: 'returned rows',
      lines: bound.lines,
      columns: bound.query.columns,
      keys: bound.query.keys,
      change: null,
      owner: null,
      dataFree: false,
      body: { kind: 'query', head: null, sql: bound.query.sql },
    }),
  );
  return state;
}

/** GET DIAGNOSTICS: the row count of the last statement, where it can be computed. */
export function applyDiagnostics(
  evaluation: Evaluation,
  step: Extract<Step, { kind: 'diagnostics' }>,
  state: State,
): State {
  let next = state;
  for (const { item, target } of step.items) {
    const rows = state.lastRows;
    const known = item === 'ROW_COUNT' && rows.kind === 'rows';
    next = known
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
