/** Spelling of names and values in PostgreSQL's SQL, for the statements that move data. */
import type { QualifiedName } from '../../core/catalog/types.ts';
import type { KeyColumn, KeyRange } from '../../core/movement/model.ts';

export function ident(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function tableName(name: QualifiedName): string {
  return `${ident(name.schema)}.${ident(name.name)}`;
}

export function literal(text: string): string {
  return text.includes('\\')
    ? ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${text.replaceAll("'", "''")}'`;
}

function keyRow(key: readonly KeyColumn[]): string {
  return `(${key.map((column) => ident(column.name)).join(', ')})`;
}

function boundRow(key: readonly KeyColumn[], bound: readonly string[]): string {
  return `(${key.map((column, index) => `${literal(bound[index] ?? '')}::${column.type}`).join(', ')})`;
}

/** A condition for the rows of `range`; `true` where it has no bounds. */
export function rangeCondition(key: readonly KeyColumn[], range: KeyRange): string {
  const parts: string[] = [];
  if (range.lower !== null) parts.push(`${keyRow(key)} > ${boundRow(key, range.lower)}`);
  if (range.upper !== null) parts.push(`${keyRow(key)} <= ${boundRow(key, range.upper)}`);
  return parts.length === 0 ? 'true' : parts.join(' AND ');
}
