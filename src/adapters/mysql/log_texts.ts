/** Values of a logged row as binary strings of UTF-8, whatever their column's character set. */
import { qualified } from '../../core/catalog/names.ts';
import { MoveError } from '../../core/movement/errors.ts';
import type { TableMapping } from '../../core/movement/model.ts';
import type { LoggedRow } from '../../core/movement/row.ts';
import { toBinary } from '../../core/movement/wire.ts';
import { decoded, hasAll } from './characters.ts';
import type { Characters } from './characters.ts';

/** Under this name the decoder takes every byte for the character of its number. */
const BYTES = 'iso-8859-1';
/** What the decoder reads as the server does. */
const UNICODE = /^(?:utf|ucs|gb18030)/;
/** Types whose values the log has as numbers: the decoder has their labels as text. */
const LABELLED: readonly unknown[] = [247, 248];

/** The character sets of columns that are read as bytes. */
const CHARSETS = new WeakMap<object, string>();

export interface LoggedColumn {
  readonly name: string;
  /** Null for what is not text. */
  readonly charset: string | null;
  /** Its text comes as the bytes of its character set. */
  readonly asBytes: boolean;
}

/** What the bytes of a character set stand for. */
export type CharactersOf = (charset: string) => Promise<Characters>;

/** The columns that an event of the decoder describes; null where it does not. */
function entriesOf(event: object): readonly object[] | null {
  const id = Number(Reflect.get(event, 'tableId'));
  const entry: unknown = Reflect.get(Object(Reflect.get(event, 'tableMap')), id);
  const columns: unknown = Reflect.get(Object(entry), 'columns');
  return Array.isArray(columns) ? columns.map((column: unknown) => Object(column)) : null;
}

const isLabelled = (entry: object) => LABELLED.includes(Reflect.get(entry, 'type'));

/** Has to be called before the decoder reads the rows that follow. */
export function keepBytes(event: object): void {
  for (const entry of entriesOf(event) ?? []) {
    const charset: unknown = Reflect.get(entry, 'charset');
    if (typeof charset !== 'string' || UNICODE.test(charset) || isLabelled(entry)) continue;
    CHARSETS.set(entry, charset);
    Reflect.set(entry, 'charset', BYTES);
  }
}

/** Names and character sets; null where the log does not tell them. */
export function loggedColumns(event: object): readonly LoggedColumn[] | null {
  return (
    entriesOf(event)?.map((entry) => {
      const name = String(Reflect.get(entry, 'name'));
      const kept = CHARSETS.get(entry);
      if (kept !== undefined) return { name, charset: kept, asBytes: true };
      const charset: unknown = Reflect.get(entry, 'charset');
      return { name, charset: typeof charset === 'string' ? charset : null, asBytes: false };
    }) ?? null
  );
}

/** Reads rows of a table; throws where a text can't be told from its bytes. */
export async function rowReader(
  mapping: TableMapping,
  columns: readonly LoggedColumn[],
  charactersOf: CharactersOf,
): Promise<(row: unknown) => LoggedRow> {
  const sets = new Map<string, Characters>();
  for (const { charset } of columns)
    if (charset !== null && !UNICODE.test(charset)) sets.set(charset, await charactersOf(charset));
  return (row) => {
    const values = Object(row);
    return columns.map((column) => text(mapping, column, Reflect.get(values, column.name), sets));
  };
}

function text(
  mapping: TableMapping,
  { name, charset, asBytes }: LoggedColumn,
  value: unknown,
  sets: ReadonlyMap<string, Characters>,
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
  const characters = sets.get(charset ?? '');
  if (characters === undefined) return toBinary(value);
  const read = asBytes ? decoded(characters, value) : label(characters, value);
  if (read === null) throw undecoded(mapping, name, charset ?? '');
  return read;
}

function label(characters: Characters, text: string): string | null {
  return hasAll(characters, text) ? toBinary(text) : null;
}

function undecoded({ source }: TableMapping, column: string, charset: string): MoveError {
  const table = qualified(source);
  return new MoveError(
    'unrepresentable-value',
    `${table}.${column} is in the character set ${charset}, and a change has bytes that are not known to stand for a character. ` +
      `Load the table without changes (Mode "load"), or convert the column to utf8mb4.`,
    table,
  );
}
