/** Variables: assignments, SELECT INTO, and expressions over them. */
import type { Evaluation } from '../evaluate.ts';
import type { Fragment } from '../fragment.ts';
import { from, plainText, sql, text, versionsIn } from '../fragment.ts';
import { identifier, literal } from '../identifiers.ts';
import { constantOf } from '../postgres/constants.ts';
import { bindExpression } from '../postgres/expression.ts';
import { canonicalType } from '../postgres/tree.ts';
import type { CodeText, Target } from '../program.ts';
import { castType } from '../rules/context.ts';
import type { Constant, State, Value } from '../state.ts';
import { lookup, withVariable } from '../state.ts';
import { assignInLoop, selectIntoInLoop } from './loop-rows.ts';
import type { Version } from '../version.ts';

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
      sql: text(String(constant)),
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

/** Puts a value into a variable, as its type holds it. In a loop each row has its own. */
export function assignValue(
  evaluation: Evaluation,
  state: State,
  target: Target,
  value: ExpressionValue,
  line: number,
): State {
  const [name = '', field] = target;
  if (state.loop && lookup(state, name))
    return assignInLoop(evaluation, state, state.loop, name, value, line);
  if (field !== undefined)
    throw evaluation.refusal(
      'loop',
      line,
      target.join('.'),
      'A field of a record is set by itself.',
    );
  const held = asType(value, declaredType(state, name));
  const next: Value = {
    kind: 'scalar',
    sql: held.sql,
    type: held.type,
    ...(held.constant === undefined ? {} : { constant: held.constant }),
  };
  return withVariable(state, name, next);
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
    label: 'row_count',
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

function isRecord(state: State, name: string): boolean {
  return lookup(state, name)?.kind === 'record';
}

/** Whether an expression reads a relation. */
export function readsRelation(fragment: Fragment): boolean {
  return versionsIn(fragment).length > 0;
}
