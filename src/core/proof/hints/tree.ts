/** Small readers of the parse tree, for hints. */
import type { Node } from 'libpg-query';
import type { QualifiedName } from '../../catalog/types.ts';
import { clockFunctionType, clockValueType } from '../../translate/postgres/clock.ts';
import { functionPath, names, walk } from '../../translate/postgres/tree.ts';
import { columnPlace } from './places.ts';
import type { Hint, Place } from './places.ts';

/** What a query can see of the world outside of it. */
export interface HintWorld {
  /** Columns of a table or view; null where there is none of that name. */
  relation(schema: string | null, name: string): KnownRelation | null;
  /** A name that is no column: a variable or parameter; null outside of routines. */
  variable(name: string): Place | null;
  /** Parameters of a stored routine that takes so many arguments, in order; none where there is no such. */
  parameters(path: readonly string[], count: number): readonly Place[];
}

export interface KnownRelation {
  readonly name: QualifiedName;
  readonly columns: readonly string[];
  /** For views: where each column comes from. */
  readonly sources: ReadonlyMap<string, Place | null> | null;
}

/** Columns by name, each with the place that its values come from as they are. */
export type Outputs = ReadonlyMap<string, Place | null>;

/** Functions that give their first argument back, or something like it. */
const TRANSPARENT = new Set([
  'upper',
  'lower',
  'initcap',
  'trim',
  'btrim',
  'ltrim',
  'rtrim',
  'lpad',
  'rpad',
  'replace',
  'left',
  'right',
  'substring',
  'substr',
  'split_part',
  'coalesce',
  'nullif',
  'abs',
  'round',
  'min',
  'max',
  'first_value',
  'last_value',
  'lag',
  'lead',
  'date_trunc',
]);

/** What a function that reads a text says of its first argument. */
export function hintOfCall(functionName: string, format: string | null): Hint | null {
  switch (functionName) {
    case 'to_date':
      return format === null ? { kind: 'cast', type: 'date' } : { kind: 'format', value: format };
    case 'to_timestamp':
      return format === null ? null : { kind: 'format', value: format };
    case 'to_number':
      return { kind: 'cast', type: 'numeric' };
    default:
      return null;
  }
}

export function passesValuesOn(functionName: string): boolean {
  return TRANSPARENT.has(functionName);
}

export function outputsOf({ name, columns, sources }: KnownRelation): Outputs {
  return sources ?? new Map(columns.map((column) => [column, columnPlace(name, column)]));
}

export function renamed(outputs: Outputs, columns: readonly string[]): Outputs {
  if (columns.length === 0) return outputs;
  return new Map([...outputs].map(([name, place], index) => [columns[index] ?? name, place]));
}

export function targetNames(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((node) => ('ResTarget' in node ? [node.ResTarget.name ?? ''] : []));
}

/** The text of a constant, also a negative number or a cast one; null for anything else. */
export function literalOf(node: Node | undefined): string | null {
  if (node === undefined) return null;
  if ('TypeCast' in node) return literalOf(node.TypeCast.arg);
  if ('A_Expr' in node) {
    const inner = literalOf(node.A_Expr.rexpr);
    const negative = node.A_Expr.lexpr === undefined && names(node.A_Expr.name)[0] === '-';
    return negative && inner !== null ? `-${inner}` : null;
  }
  if (!('A_Const' in node) || node.A_Const.isnull) return null;
  const { sval, ival, fval, boolval } = node.A_Const;
  if (sval) return sval.sval ?? '';
  if (ival) return String(ival.ival ?? 0);
  if (fval) return fval.fval ?? '0';
  return boolval ? String(boolval.boolval ?? false) : null;
}

export function readsClock(node: Node): boolean {
  let found = false;
  walk(node, (inner) => {
    if (!isNode(inner)) return;
    if ('SQLValueFunction' in inner) found ||= clockValueType(inner.SQLValueFunction.op) !== null;
    if ('FuncCall' in inner) {
      found ||= clockFunctionType(functionPath(inner.FuncCall).at(-1) ?? '') !== null;
    }
  });
  return found;
}

/** Nodes of the tree are objects with one key that is their kind. */
export function isNode(value: object): value is Node {
  const keys = Object.keys(value);
  return keys.length === 1 && /^[A-Z]/u.test(keys[0] ?? '');
}
