/** Values of expressions that are known without a database: constants and what is made of them. */
import type { A_Expr, FuncCall, Node } from 'libpg-query';
import type { Constant } from '../state.ts';
import { identifier, literal } from '../identifiers.ts';
import { parseSql } from './parser.ts';
import { columnPath, functionPath, typeText } from './tree.ts';

export type KnownVariable = (path: readonly string[]) => Constant | undefined;

/** The value of an expression's text; undefined where it is not known. */
export function constantOf(expression: string, variable: KnownVariable): Constant | undefined {
  const select = parseSql(`select ${expression}`).stmts?.[0]?.stmt;
  if (!select || !('SelectStmt' in select) || select.SelectStmt.fromClause) return undefined;
  const target = select.SelectStmt.targetList?.[0];
  const value = target && 'ResTarget' in target ? target.ResTarget.val : undefined;
  return value ? evaluate(value, variable) : undefined;
}

function evaluate(node: Node, variable: KnownVariable): Constant | undefined {
  if ('A_Const' in node) {
    const { ival, sval, boolval, isnull } = node.A_Const;
    if (isnull) return null;
    if (sval) return sval.sval ?? '';
    if (boolval) return boolval.boolval ?? false;
    // Numbers with a point, and those beyond an integer, stay as they are written: digits count.
    return ival ? (ival.ival ?? 0) : undefined;
  }
  if ('ColumnRef' in node) return variable(columnPath(node.ColumnRef));
  if ('TypeCast' in node && node.TypeCast.arg)
    return castConstant(evaluate(node.TypeCast.arg, variable), typeText(node.TypeCast.typeName));
  if ('FuncCall' in node) return callConstant(node.FuncCall, variable);
  if ('A_Expr' in node) return operatorConstant(node.A_Expr, variable);
  if ('BoolExpr' in node) {
    const values = (node.BoolExpr.args ?? []).map((argument) => evaluate(argument, variable));
    if (values.some((value) => value === undefined || value === null)) return undefined;
    if (node.BoolExpr.boolop === 'NOT_EXPR') return !values[0];
    return node.BoolExpr.boolop === 'AND_EXPR' ? values.every(Boolean) : values.some(Boolean);
  }
  if ('NullTest' in node && node.NullTest.arg) {
    const value = evaluate(node.NullTest.arg, variable);
    if (value === undefined) return undefined;
    return (value === null) === (node.NullTest.nulltesttype === 'IS_NULL');
  }
  if ('CoalesceExpr' in node) {
    for (const argument of node.CoalesceExpr.args ?? []) {
      const value = evaluate(argument, variable);
      if (value !== null) return value;
    }
    return null;
  }
  return undefined;
}

function castConstant(value: Constant | undefined, type: string | null): Constant | undefined {
  if (value === undefined || value === null) return value;
  if (type === 'text' || type === 'character varying' || type === 'regclass' || type === 'name')
    return String(value);
  if (type === 'integer' || type === 'bigint') {
    const number = Number(value);
    return Number.isInteger(number) ? number : undefined;
  }
  return undefined;
}

function operatorConstant(node: A_Expr, variable: KnownVariable): Constant | undefined {
  if (node.kind !== 'AEXPR_OP' || !node.rexpr) return undefined;
  const operator = node.name?.[0] && 'String' in node.name[0] ? node.name[0].String.sval : '';
  const right = evaluate(node.rexpr, variable);
  if (!node.lexpr) return operator === '-' && typeof right === 'number' ? -right : undefined;
  const left = evaluate(node.lexpr, variable);
  if (left === undefined || right === undefined) return undefined;
  if (left === null || right === null) return null;
  if (operator === '||') return String(left) + String(right);
  if (operator === '=' && typeof left === typeof right) return left === right;
  if ((operator === '<>' || operator === '!=') && typeof left === typeof right)
    return left !== right;
  if (typeof left !== 'number' || typeof right !== 'number') return undefined;
  if (operator === '+') return integer(left + right);
  if (operator === '-') return integer(left - right);
  if (operator === '*') return integer(left * right);
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  if (operator === '>') return left > right;
  if (operator === '>=') return left >= right;
  return undefined;
}

/** An integer of the database; undefined where the sum is beyond it, and ends in an error there. */
function integer(value: number): number | undefined {
  return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? value : undefined;
}

function callConstant(call: FuncCall, variable: KnownVariable): Constant | undefined {
  const values = (call.args ?? []).map((argument) => evaluate(argument, variable));
  const known = values.filter((value) => value !== undefined);
  if (known.length !== values.length) return undefined;
  const [first] = known;
  switch (functionPath(call).join('.')) {
    case 'format':
      return formatConstant(known);
    case 'quote_ident':
      return typeof first === 'string' ? identifier(first) : undefined;
    case 'quote_literal':
      return typeof first === 'string' ? literal(first) : undefined;
    case 'quote_nullable':
      return first === null ? 'NULL' : literal(String(first));
    case 'concat':
      return known.map((value) => (value === null ? '' : String(value))).join('');
    case 'lower':
      return typeof first === 'string' ? first.toLowerCase() : undefined;
    case 'upper':
      return typeof first === 'string' ? first.toUpperCase() : undefined;
    case 'chr':
      return typeof first === 'number' ? String.fromCodePoint(first) : undefined;
    default:
      return undefined;
  }
}

/** PostgreSQL's format() for `%s`, `%I`, `%L`, `%%` and positions such as `%1$I`. */
function formatConstant(values: readonly Constant[]): string | undefined {
  const [pattern, ...rest] = values;
  if (typeof pattern !== 'string') return undefined;
  let next = 0;
  let known = true;
  const result = pattern.replaceAll(
    /%(?:(\d+)\$)?([sIL%])/gu,
    (_whole, position: string | undefined, kind: string) => {
      if (kind === '%') return '%';
      const index = position === undefined ? next : Number(position) - 1;
      next = index + 1;
      const value = rest[index];
      if (value === undefined) known = false;
      if (kind === 'L') return value === null ? 'NULL' : literal(String(value));
      if (kind === 'I') return identifier(String(value));
      return value === null ? '' : String(value);
    },
  );
  return known ? result : undefined;
}

/** Elements of a constant array: `array['a', 'b']` or `'{a,b}'::text[]`; null where not known. */
export function constantArray(
  expression: string,
  variable: KnownVariable,
): readonly Constant[] | null {
  const select = parseSql(`select ${expression}`).stmts?.[0]?.stmt;
  const target = select && 'SelectStmt' in select ? select.SelectStmt.targetList?.[0] : undefined;
  let node = target && 'ResTarget' in target ? target.ResTarget.val : undefined;
  while (node && 'TypeCast' in node) node = node.TypeCast.arg;
  if (!node) return null;
  if (!('A_ArrayExpr' in node)) {
    const literal = evaluate(node, variable);
    return typeof literal === 'string' ? arrayLiteral(literal) : null;
  }
  const values = (node.A_ArrayExpr.elements ?? []).map((element) => evaluate(element, variable));
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? known : null;
}

/** Elements of an array literal such as `{a,b,NULL}`; null for quoted and nested ones. */
function arrayLiteral(literal: string): readonly Constant[] | null {
  const inner = /^\{([^{}"\\]*)\}$/u.exec(literal)?.[1];
  if (inner === undefined) return null;
  if (inner.trim() === '') return [];
  return inner.split(',').map((element) => {
    const value = element.trim();
    return value.toUpperCase() === 'NULL' ? null : value;
  });
}
