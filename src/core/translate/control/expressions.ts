/** Expressions of the routine, and values as a variable of a type holds them. */
import type { Evaluation } from '../evaluate.ts';
import { from, plainText, sql, text, versionsIn } from '../fragment.ts';
import type { Fragment } from '../fragment.ts';
import { literal } from '../identifiers.ts';
import { constantOf } from '../postgres/constants.ts';
import { bindExpression } from '../postgres/expression.ts';
import { canonicalType } from '../postgres/tree.ts';
import type { CodeText } from '../program.ts';
import { castType } from '../rules/context.ts';
import { lookup } from '../state.ts';
import type { Constant, State } from '../state.ts';

export interface ExpressionValue {
  readonly sql: Fragment;
  readonly type: string | null;
  readonly constant?: Constant;
}

/** The value of an expression of the routine. */
export function evaluateExpression(
  evaluation: Evaluation,
  code: CodeText,
  state: State,
): ExpressionValue {
  const constant = constantOf(code.text, (path) => constantVariable(state, path));
  if (constant !== undefined) return { ...constantValue(constant), constant };
  const bound = bindExpression(code, evaluation.environment(state));
  if (state.loop) {
    // The expression belongs to the row at hand, so it stays where it is.
    evaluation.loops.at(-1)?.read(bound.loopReads, code.line);
    return { sql: sql`(${bound.sql})`, type: bound.type };
  }
  if (bound.queries) {
    // An expression that reads tables is computed once, in a step of its own.
    const version = evaluation.session.factory.make({
      label: 'value',
      title: 'value of an expression',
      lines: { first: code.line, last: code.line },
      columns: [{ name: 'value', type: bound.type }],
      keys: [[]],
      change: null,
      owner: null,
      dataFree: false,
      body: { kind: 'query', head: null, sql: sql`select ${bound.sql} as value` },
    });
    return { sql: sql`(select value from ${from(version)})`, type: bound.type };
  }
  return { sql: isSimple(bound.sql) ? bound.sql : sql`(${bound.sql})`, type: bound.type };
}

function isSimple(fragment: Fragment): boolean {
  return fragment.length === 1 && /^[\w.]*$/u.test(plainText(fragment));
}

export function constantVariable(state: State, path: readonly string[]): Constant | undefined {
  const value = path.length === 1 ? lookup(state, path[0] ?? '') : null;
  return value?.kind === 'scalar' ? value.constant : undefined;
}

export function constantValue(constant: Constant): ExpressionValue {
  if (constant === null) return { sql: text('null'), type: null };
  if (typeof constant === 'number')
    return {
      // Bare, `-1` would not be cast as a whole, and beside a minus sign it would begin a comment.
      sql: text(constant < 0 ? `(${constant})` : String(constant)),
      type: Number.isInteger(constant) && Math.abs(constant) < 2 ** 31 ? 'integer' : null,
    };
  if (typeof constant === 'boolean') return { sql: text(String(constant)), type: 'boolean' };
  return { sql: text(literal(constant)), type: null };
}

/** A value as a variable of a declared type holds it. */
export function asType(value: ExpressionValue, declared: string | null): ExpressionValue {
  if (declared === null || declared === value.type)
    return { ...value, type: declared ?? value.type };
  const textual =
    /^(text|character varying|name)$/u.test(declared) && typeof value.constant === 'string';
  if (declared.endsWith('[]') && typeof value.constant === 'string') {
    return {
      sql: sql`cast(${value.sql} as ${declared})`,
      type: declared,
      constant: value.constant,
    };
  }
  if (textual) return { ...value, type: declared };
  const constant = value.constant;
  const keep =
    constant !== undefined &&
    (constant === null ||
      (typeof constant === 'number' &&
        /^(integer|bigint|smallint)$/u.test(declared) &&
        Number.isInteger(constant)) ||
      (typeof constant === 'boolean' && declared === 'boolean'));
  const cast = { sql: sql`cast(${value.sql} as ${castType(declared)})`, type: declared };
  return keep ? { ...cast, constant } : cast;
}

/** The declared type of a variable; null for records and unknown types. */
export function declaredType(state: State, name: string): string | null {
  const value = lookup(state, name);
  return value && 'type' in value ? (value.type ?? null) : null;
}

export function declaration(type: string | null): string | null {
  if (type === null || /%|\brecord\b|refcursor/iu.test(type)) return null;
  return canonicalType(type);
}

/** Whether an expression reads a relation. */
export function readsRelation(fragment: Fragment): boolean {
  return versionsIn(fragment).length > 0;
}
