/** EXECUTE: where the text is constant, it is that statement. */
import type { Evaluation } from '../evaluate.ts';
import { constantOf } from '../postgres/constants.ts';
import { splitStatements } from '../postgres/split.ts';
import type { CodeText, Step } from '../program.ts';
import type { State, Value } from '../state.ts';
import { withBlock, withoutBlock } from '../state.ts';
import { constantVariable, evaluateExpression } from './expressions.ts';

export function applyDynamic(
  evaluation: Evaluation,
  step: Extract<Step, { kind: 'execute' }>,
  state: State,
): State {
  const statement = constantOf(step.expression.text, (path) => constantVariable(state, path));
  if (typeof statement !== 'string') {
    const named = /\b(quote_ident|%I|format)\b/u.test(step.expression.text)
      ? 'parameter-in-name'
      : 'dynamic-sql';
    throw evaluation.refusal(
      named,
      step.line,
      `EXECUTE ${step.expression.text}`,
      'The text of the statement is not known before the run.',
    );
  }
  const inner = withUsing(evaluation, step.using, state);
  const parts = splitStatements(statement);
  let after = inner;
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    const code = {
      text: part.text,
      line: step.line,
      comments: index === 0 ? step.expression.comments : [],
    };
    after = evaluation.statement(code, after, last ? step.into : null, last && step.strict);
  }
  return { ...withoutBlock(after), lastRows: withoutFound(after.lastRows) };
}

/** EXECUTE sets ROW_COUNT, but not FOUND, which still tells of a statement before. */
function withoutFound(rows: State['lastRows']): State['lastRows'] {
  if (rows.kind === 'rows') return { ...rows, dynamic: true };
  return rows.kind === 'each' ? { ...rows, found: null } : rows;
}

/** The values of USING as `$1`, `$2`, … in a block of their own. */
export function withUsing(evaluation: Evaluation, using: readonly CodeText[], state: State): State {
  const parameters = new Map<string, Value>();
  for (const [index, code] of using.entries()) {
    const value = evaluateExpression(evaluation, code, state);
    parameters.set(`$${index + 1}`, { kind: 'scalar', sql: value.sql, type: value.type });
  }
  return withBlock(state, parameters);
}
