/**
 * Types of expressions, as far as their text and the catalog tell. Null means: not known, so the
 * translator writes a cast where the type matters.
 */
import type { FuncCall, Node } from 'libpg-query';
import { clockFunctionType, clockValueType } from './clock.ts';
import { findColumn } from './scope.ts';
import type { Scope } from './scope.ts';
import { columnPath, functionPath, typeText } from './tree.ts';

const SAME_AS_FIRST = new Set([
  'max',
  'min',
  'coalesce',
  'nullif',
  'lag',
  'lead',
  'first_value',
  'last_value',
  'abs',
]);
const TEXT_FUNCTIONS = new Set([
  'upper',
  'lower',
  'trim',
  'btrim',
  'ltrim',
  'rtrim',
  'concat',
  'concat_ws',
  'replace',
  'substring',
  'substr',
  'left',
  'right',
  'initcap',
  'to_char',
  'string_agg',
  'md5',
  'lpad',
  'rpad',
  'split_part',
  'regexp_replace',
  'format',
]);
const BIGINT_FUNCTIONS = new Set(['count', 'row_number', 'rank', 'dense_rank']);
const SUM_TYPES: Readonly<Record<string, string>> = {
  smallint: 'bigint',
  integer: 'bigint',
  bigint: 'numeric',
  real: 'real',
  'double precision': 'double precision',
};
const COMPARISONS = new Set(['=', '<>', '<', '>', '<=', '>=', '!=', '~', '~*', '!~']);
const INTEGERS = ['smallint', 'integer', 'bigint'];

/** What a name that is no column stands for, where it is a variable. */
export type VariableType = (path: readonly string[]) => string | null;

export function typeOf(
  node: Node | undefined,
  scope: Scope | null,
  variable: VariableType,
): string | null {
  if (node === undefined) return null;
  if ('ColumnRef' in node) {
    const path = columnPath(node.ColumnRef);
    const found = findColumn(scope, path);
    if (found === 'maybe') return null;
    return found ? found.column.type : variable(path);
  }
  if ('TypeCast' in node) return typeText(node.TypeCast.typeName);
  if ('A_Const' in node) return constantType(node);
  if ('SQLValueFunction' in node) return clockValueType(node.SQLValueFunction.op);
  if ('BoolExpr' in node || 'NullTest' in node || 'BooleanTest' in node) return 'boolean';
  if ('CoalesceExpr' in node) return common(node.CoalesceExpr.args ?? [], scope, variable);
  if ('MinMaxExpr' in node) return common(node.MinMaxExpr.args ?? [], scope, variable);
  if ('CaseExpr' in node) {
    const results = (node.CaseExpr.args ?? []).map((arm) =>
      'CaseWhen' in arm ? arm.CaseWhen.result : undefined,
    );
    if (node.CaseExpr.defresult) results.push(node.CaseExpr.defresult);
    return common(
      results.filter((result) => result !== undefined),
      scope,
      variable,
    );
  }
  if ('FuncCall' in node) return functionType(node.FuncCall, scope, variable);
  if ('A_Expr' in node && node.A_Expr.kind === 'AEXPR_OP') {
    const operator =
      node.A_Expr.name?.map((part) => ('String' in part ? part.String.sval : '')).join('.') ?? '';
    if (COMPARISONS.has(operator)) return 'boolean';
    const left = typeOf(node.A_Expr.lexpr, scope, variable);
    const right = typeOf(node.A_Expr.rexpr, scope, variable);
    if ('+-*/%'.includes(operator) && left !== null && right !== null) {
      if (INTEGERS.includes(left) && INTEGERS.includes(right)) {
        return INTEGERS[Math.max(INTEGERS.indexOf(left), INTEGERS.indexOf(right))] ?? null;
      }
    }
  }
  return null;
}

function constantType(node: Node): string | null {
  if (!('A_Const' in node)) return null;
  const constant = node.A_Const;
  if (constant.ival) return 'integer';
  if (constant.boolval) return 'boolean';
  // A number too large for an integer is scanned as a float; its type is bigint or numeric.
  return null;
}

function isUntyped(node: Node): boolean {
  return 'A_Const' in node && (node.A_Const.sval !== undefined || node.A_Const.isnull === true);
}

/** The one type that all arguments have; untyped literals take the type of the others. */
function common(
  nodes: readonly Node[],
  scope: Scope | null,
  variable: VariableType,
): string | null {
  const typed = nodes.filter((node) => !isUntyped(node));
  const types = new Set(typed.map((node) => typeOf(node, scope, variable)));
  const [only] = types;
  return types.size === 1 && only !== undefined ? only : null;
}

function functionType(call: FuncCall, scope: Scope | null, variable: VariableType): string | null {
  const path = functionPath(call);
  const name = path.at(-1) ?? '';
  if (path.length > 1) return null;
  const clock = clockFunctionType(name);
  if (clock !== null) return clock;
  const first = call.args?.[0];
  if (BIGINT_FUNCTIONS.has(name)) return 'bigint';
  if (TEXT_FUNCTIONS.has(name)) return 'text';
  if (SAME_AS_FIRST.has(name)) return typeOf(first, scope, variable);
  if (name === 'sum') {
    const type = typeOf(first, scope, variable);
    return type === null
      ? null
      : (SUM_TYPES[type] ?? (type.startsWith('numeric') ? 'numeric' : null));
  }
  if (name === 'bool_or' || name === 'bool_and') return 'boolean';
  return null;
}
