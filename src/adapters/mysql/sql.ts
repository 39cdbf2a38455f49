/** Spelling of names and values in MySQL's SQL, for the statements that move data. */
import { sameName } from '../../core/catalog/names.ts';
import type { QualifiedName } from '../../core/catalog/types.ts';
import type { KeyColumn, KeyRange } from '../../core/movement/model.ts';

export function ident(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

export function tableName(name: QualifiedName): string {
  return `${ident(name.schema)}.${ident(name.name)}`;
}

/** Whether two names mean one table: on some servers case does not matter, and the log has lower case. */
export type SameTable = (a: QualifiedName, b: QualifiedName) => boolean;

export function sameTable(ignoresCase: boolean): SameTable {
  if (!ignoresCase) return sameName;
  const lower = ({ schema, name }: QualifiedName) => ({
    schema: schema.toLowerCase(),
    name: name.toLowerCase(),
  });
  return (a, b) => sameName(lower(a), lower(b));
}

export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\0', '\\0')}'`;
}

const NUMERIC = /^(?:tinyint|smallint|mediumint|int|bigint|decimal)/;
const BINARY = /^(?:binary|varbinary)/;

/** Text of a key column that a literal of it can be made from again. */
export function keyText(column: KeyColumn): string {
  return BINARY.test(column.baseType)
    ? `HEX(${ident(column.name)})`
    : `CAST(${ident(column.name)} AS CHAR)`;
}

/** A quoted number would be compared as a double, which loses digits of a bigint. */
function keyLiteral(column: KeyColumn, value: string): string {
  if (NUMERIC.test(column.baseType) && /^-?\d+(?:\.\d+)?$/.test(value)) return value;
  if (BINARY.test(column.baseType)) return `x'${value.replaceAll(/[^0-9A-Fa-f]/g, '')}'`;
  return literal(value);
}

/** `(a, b) op (x, y)` spelled so that an index is used. */
function beyond(
  key: readonly KeyColumn[],
  bound: readonly string[],
  strict: '>' | '<',
  last: '>' | '<=',
): string {
  const [column, ...others] = key;
  if (column === undefined) return 'TRUE';
  const name = ident(column.name);
  const value = keyLiteral(column, bound[0] ?? '');
  if (others.length === 0) return `${name} ${last} ${value}`;
  return (
    `${name} ${strict}= ${value} AND (${name} ${strict} ${value} OR ` +
    `(${beyond(others, bound.slice(1), strict, last)}))`
  );
}

/** A condition for the rows of `range`; `TRUE` where it has no bounds. */
export function rangeCondition(key: readonly KeyColumn[], range: KeyRange): string {
  const parts: string[] = [];
  if (range.lower !== null) parts.push(`(${beyond(key, range.lower, '>', '>')})`);
  if (range.upper !== null) parts.push(`(${beyond(key, range.upper, '<', '<=')})`);
  return parts.length === 0 ? 'TRUE' : parts.join(' AND ');
}
