/** Lists of allowed values that CHECK constraints and enum types stand for. */
import type { Catalog, CheckConstraint, Column } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import { parseSql } from '../translate/postgres/parser.ts';
import { walk } from '../translate/postgres/tree.ts';

export interface AcceptedValues {
  readonly column: string;
  readonly values: readonly (string | number)[];
}

/** What a CHECK says of single columns, as `column = ANY (ARRAY[…])`, `IN (…)`, joined by AND. */
export function checkedValues(check: CheckConstraint): readonly AcceptedValues[] {
  const found: AcceptedValues[] = [];
  for (const condition of conjuncts(firstTarget(check.sql))) {
    const values = valueList(condition);
    if (values !== null) found.push(values);
  }
  return found;
}

export function enumValues(catalog: Catalog, column: Column): readonly string[] | null {
  const type = catalog.types.find(
    ({ name, kind }) =>
      kind === 'enum' && (column.type === qualified(name) || column.type === name.name),
  );
  return type?.labels ?? null;
}

type TreeNode = Readonly<Record<string, unknown>>;

function isNode(value: unknown): value is TreeNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The content of a node of one kind: `{ A_Const: { … } }` gives `{ … }`. */
function only(value: unknown, kind: string): TreeNode | null {
  const content = isNode(value) ? value[kind] : undefined;
  return isNode(content) ? content : null;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The expression, where the text is one; null where the parser does not take it. */
function firstTarget(sql: string): unknown {
  try {
    let target: unknown = null;
    walk(parseSql(`SELECT (${sql})`), (node) => {
      target ??= only(node, 'ResTarget')?.['val'] ?? null;
    });
    return target;
  } catch {
    return null;
  }
}

function conjuncts(node: unknown): readonly unknown[] {
  const and = only(node, 'BoolExpr');
  return and?.['boolop'] === 'AND_EXPR' ? list(and['args']).flatMap(conjuncts) : [node];
}

function valueList(node: unknown): AcceptedValues | null {
  const expression = only(node, 'A_Expr');
  const kind = expression?.['kind'];
  if (expression === null || (kind !== 'AEXPR_OP_ANY' && kind !== 'AEXPR_IN')) return null;
  const operator = only(list(expression['name'])[0], 'String');
  const column = columnName(expression['lexpr']);
  if (operator?.['sval'] !== '=' || column === null) return null;
  const items = arrayItems(expression['rexpr']);
  const values = items.map(constant);
  const known = values.filter((value) => value !== null);
  return known.length > 0 && known.length === values.length ? { column, values: known } : null;
}

function withoutCasts(node: unknown): unknown {
  const cast = only(node, 'TypeCast');
  return cast === null ? node : withoutCasts(cast['arg']);
}

function columnName(node: unknown): string | null {
  const reference = only(withoutCasts(node), 'ColumnRef');
  const fields = list(reference?.['fields']);
  const name = only(fields[0], 'String')?.['sval'];
  return fields.length === 1 && typeof name === 'string' ? name : null;
}

function arrayItems(node: unknown): readonly unknown[] {
  const plain = withoutCasts(node);
  const array = only(plain, 'A_ArrayExpr') ?? only(plain, 'List');
  return list(array?.['elements'] ?? array?.['items']);
}

function constant(node: unknown): string | number | null {
  const value = only(withoutCasts(node), 'A_Const');
  const text = only(value, 'sval')?.['sval'];
  if (typeof text === 'string') return text;
  const integer = only(value, 'ival');
  if (integer === null) return null;
  const number = integer['ival'] ?? 0;
  return typeof number === 'number' ? number : null;
}
