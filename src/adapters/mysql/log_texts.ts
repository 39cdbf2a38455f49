/** Values of a logged row as binary strings of UTF-8, whatever their column's character set. */
import { qualified } from '../../core/catalog/names.ts';
import { MoveError } from '../../core/movement/errors.ts';
import type { TableMapping } from '../../core/movement/model.ts';
import type { LoggedRow } from '../../core/movement/row.ts';
import { toBinary } from '../../core/movement/wire.ts';

/** MySQL's latin1 is Windows' cp1252, but keeps the five bytes that this leaves open, which the decoder loses. */
const WESTERN = 'latin1';
/** Under this name the decoder takes every byte for the character of its number. */
const BYTES = 'iso-8859-1';
const WINDOWS =
  '\u20ac\u0081\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u008d\u017d\u008f' +
  '\u0090\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u009d\u017e\u0178';
/** What these hold is any character, also the one that the decoder puts for what it does not know. */
const UNICODE = /^(?:utf|ucs|gb18030)/;
const UNKNOWN = '\ufffd';

interface LoggedColumn {
  readonly name: string;
  /** Null for what is not text. */
  readonly charset: string | null;
}

/** The columns that an event of the decoder describes; null where it does not. */
function entriesOf(event: object): readonly object[] | null {
  const id = Number(Reflect.get(event, 'tableId'));
  const entry: unknown = Reflect.get(Object(Reflect.get(event, 'tableMap')), id);
  const columns: unknown = Reflect.get(Object(entry), 'columns');
  return Array.isArray(columns) ? columns.map((column: unknown) => Object(column)) : null;
}

/** Has to be called before the decoder reads the rows that follow. */
export function keepBytes(event: object): void {
  for (const entry of entriesOf(event) ?? [])
    if (Reflect.get(entry, 'charset') === WESTERN) Reflect.set(entry, 'charset', BYTES);
}

/** Names and character sets; null where the log does not tell them. */
export function loggedColumns(event: object): readonly LoggedColumn[] | null {
  return (
    entriesOf(event)?.map((entry) => {
      const charset: unknown = Reflect.get(entry, 'charset');
      const name = String(Reflect.get(entry, 'name'));
      return { name, charset: typeof charset === 'string' ? charset : null };
    }) ?? null
  );
}

/** Reads rows of a table; throws where a text can't be told from its bytes. */
export function rowReader(
  mapping: TableMapping,
  columns: readonly LoggedColumn[],
): (row: unknown) => LoggedRow {
  return (row) => {
    const values = Object(row);
    return columns.map((column) => text(mapping, column, Reflect.get(values, column.name)));
  };
}

function text(
  mapping: TableMapping,
  { name, charset }: LoggedColumn,
  value: unknown,
): string | null {
  if (value === null) return null;
  if (Buffer.isBuffer(value)) {
    // Not decoded though it is text.
    if (charset !== null) throw undecoded(mapping, name, charset);
    return value.toString('latin1');
  }
  if (typeof value !== 'string') {
    // An enum whose value was no label comes as undefined.
    return value === undefined ? '' : String(value);
  }
  if (charset === BYTES) return toBinary(value.replaceAll(/[\u0080-\u009f]/g, windows));
  if (charset !== null && !UNICODE.test(charset) && value.includes(UNKNOWN))
    throw undecoded(mapping, name, charset);
  return toBinary(value);
}

const windows = (character: string) => WINDOWS.charAt(character.charCodeAt(0) - 0x80);

function undecoded({ source }: TableMapping, column: string, charset: string): MoveError {
  const table = qualified(source);
  return new MoveError(
    'unrepresentable-value',
    `${table}.${column} is in the character set ${charset}, and a change has bytes that are not known to stand for a character. ` +
      `Load the table without changes (Mode "load"), or convert the column to utf8mb4.`,
    table,
  );
}
