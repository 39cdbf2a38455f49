/** A logged row into the fields of a change record, column by column of the mapping. */
import { qualified } from '../catalog/names.ts';
import type { FieldText } from './changes.ts';
import { UNCHANGED } from './changes.ts';
import { convertValue } from './convert.ts';
import { MoveError, UnrepresentableValue } from './errors.ts';
import type { ColumnMapping, TableMapping } from './model.ts';
import { movedColumns } from './types/map.ts';
import { encodeField, fromBinary } from './wire.ts';

/** Values as the log gives them, as binary strings; undefined: not logged because unchanged. */
export type LoggedRow = readonly (string | null | undefined)[];

export interface RowEncoder {
  /** All moved columns, in the order of the mapping. */
  row(values: LoggedRow): FieldText;
  /** The key columns, or all where the table has no key. */
  identity(values: LoggedRow): FieldText;
}

/**
 * An encoder for rows whose values come in the order of `logged` (column names).
 * Throws `MoveError` from its functions where the target can't hold a value.
 */
export function rowEncoder(mapping: TableMapping, logged: readonly string[]): RowEncoder {
  const columns = movedColumns(mapping);
  const places = columns.map((column) => logged.indexOf(column.source));
  const keyColumns = columns.flatMap((column, index) =>
    mapping.key.length === 0 || mapping.key.includes(column.source) ? [index] : [],
  );

  const field = (index: number, values: LoggedRow): string => {
    const column = columns[index];
    const value = values[places[index] ?? -1];
    if (column === undefined || value === undefined) return UNCHANGED;
    if (value === null) return '\\N';
    if (column.convert === 'text') return encodeField(value);
    try {
      return encodeField(convertValue(column.convert, column.argument, value));
    } catch (error) {
      if (error instanceof UnrepresentableValue)
        throw refused(mapping, column, values, places, error);
      throw error;
    }
  };
  const all = columns.map((_, index) => index);
  const joined = (indexes: readonly number[], values: LoggedRow): FieldText => {
    let out = '';
    for (let at = 0; at < indexes.length; at += 1) {
      const text = field(indexes[at] ?? -1, values);
      out = at === 0 ? text : `${out}\t${text}`;
    }
    return out;
  };
  return {
    row: (values) => joined(all, values),
    identity: (values) => joined(keyColumns, values),
  };
}

function refused(
  mapping: TableMapping,
  column: ColumnMapping,
  values: LoggedRow,
  places: readonly number[],
  error: UnrepresentableValue,
): MoveError {
  const moved = movedColumns(mapping);
  const key = mapping.key.map((name) => {
    const at = moved.findIndex((candidate) => candidate.source === name);
    const value = values[places[at] ?? -1];
    return `${name} = ${value === null || value === undefined ? 'NULL' : fromBinary(value)}`;
  });
  const table = qualified(mapping.source);
  return new MoveError(
    'unrepresentable-value',
    refusalMessage(table, key, column.source, error.values),
    table,
  );
}

/** Names table, key, column and kind of value, and what a person can do. */
export function refusalMessage(
  table: string,
  key: readonly string[],
  column: string,
  values: string,
): string {
  const where = key.length > 0 ? ` at ${key.join(', ')}` : '';
  return (
    `${table}${where}: column ${column} holds what the target can't: ${values}. ` +
    `Change the value at the source, or leave the table out, then run again.`
  );
}

/** Places of the key among the moved columns, in the order that a logged row gives them; empty for a table without one. */
export function keyPlaces(mapping: TableMapping): readonly number[] {
  const columns = movedColumns(mapping);
  return columns.flatMap((column, index) => (mapping.key.includes(column.source) ? [index] : []));
}
