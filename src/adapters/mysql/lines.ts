/**
 * Lines of wire text, made by the server as far as it does that well.
 *
 * Putting fields together in SQL is cheaper than taking rows apart here. Two things the server does badly:
 * REPLACE takes time by the square of what it replaces (a megabyte of short lines: 12 seconds), and a text larger than
 * `max_allowed_packet` becomes NULL. So columns that may be large come as they are, and are escaped here.
 */
import { convertValue } from '../../core/movement/convert.ts';
import type { ColumnMapping, TableMapping } from '../../core/movement/model.ts';
import { fill, movedColumns } from '../../core/movement/types/map.ts';
import { encodeField } from '../../core/movement/wire.ts';
import { ident } from './sql.ts';

const LARGE = /^(?:text|mediumtext|longtext|json|blob|mediumblob|longblob)\b/;
const SIZED = /^var(?:char|binary)\((\d+)\)/;
const LARGEST_SMALL = 1000;

function isLarge({ sourceType }: ColumnMapping): boolean {
  return LARGE.test(sourceType) || Number(SIZED.exec(sourceType)?.[1] ?? 0) > LARGEST_SMALL;
}

/** Bytes, which travel as digits; what is read of any other large column is text. */
const isBytes = ({ convert }: ColumnMapping) => convert === 'bytea' || convert === 'blob-hex';

/**
 * What would end a field or a line is escaped. In bytes of UTF-8, where these four stand for nothing else: it finds them
 * there in half the time that it takes in characters.
 */
const escaped = (read: string) =>
  String.raw`REPLACE(REPLACE(REPLACE(REPLACE(CAST(${read} AS BINARY), '\\', '\\\\'), '\t', '\\t'), '\n', '\\n'), '\r', '\\r')`;

/** A column in SQL; NULL also where it would be larger than `max_allowed_packet`. */
function valueSql(column: ColumnMapping): string {
  const name = ident(column.source);
  if (isLarge(column)) return isBytes(column) ? name : fill(column.read, name);
  const read = fill(column.read, name);
  return column.escape ? escaped(read) : read;
}

/** Of a large column only whether it is NULL. */
function fieldSql(column: ColumnMapping): string {
  // The only conversion that gives NULL for a value; dates are never too large.
  if (column.convert === 'zero-date-null') return String.raw`IFNULL(${valueSql(column)}, '\\N')`;
  const value = isLarge(column) ? `''` : valueSql(column);
  if (!column.nullable) return value;
  return String.raw`IF(${ident(column.source)} IS NULL, '\\N', ${value})`;
}

function encoded(column: ColumnMapping, value: Buffer): Buffer {
  const text = value.toString('latin1');
  const field = isBytes(column) ? convertValue(column.convert, column.argument, text) : text;
  const escapedField = encodeField(field);
  return escapedField === text ? value : Buffer.from(escapedField, 'latin1');
}

/** The last byte of the text for NULL; before a large value stands a tab, or nothing. */
const NULL_END = 'N'.charCodeAt(0);

export interface Lines {
  /** The select list: stretches of a line, and between them the large columns. */
  readonly select: string;
  /** The bytes of a row's line; null where the server left out what was too large for it. */
  readonly assemble: (row: readonly unknown[]) => readonly Buffer[] | null;
}

/** How the rows of a table are read. */
export function linesOf(mapping: TableMapping): Lines {
  const columns = movedColumns(mapping);
  const large = columns.filter(isLarge);
  const stretches: string[] = [];
  let stretch: string[] = [];
  for (const [index, column] of columns.entries()) {
    stretch.push(fieldSql(column));
    if (isLarge(column)) {
      stretches.push(`CONCAT(${stretch.join(', ')})`);
      stretch = [];
    }
    stretch.push(index === columns.length - 1 ? String.raw`'\n'` : String.raw`'\t'`);
  }
  stretches.push(`CONCAT(${stretch.join(', ')})`);

  const select = stretches
    .map((sql, index) => {
      const column = large[index];
      return column === undefined ? sql : `${sql}, ${valueSql(column)}`;
    })
    .join(', ');
  const assemble = (row: readonly unknown[]): readonly Buffer[] | null => {
    const line: Buffer[] = [];
    for (let at = 0; at < stretches.length; at += 1) {
      const before = row[at * 2];
      if (!Buffer.isBuffer(before)) return null;
      line.push(before);
      const column = large[at];
      const value = row[at * 2 + 1];
      if (column === undefined) continue;
      if (Buffer.isBuffer(value)) line.push(encoded(column, value));
      else if (before.at(-1) !== NULL_END) return null;
    }
    return line;
  };
  return { select, assemble };
}
