/**
 * `.ckt` files: the changes of a source in commit order, one record a line, fields separated by tabs.
 *
 * | record | fields |
 * |---|---|
 * | `B` | position, milliseconds since 1970: a source transaction begins |
 * | `I` | table, values |
 * | `U` | table, values; `\U` where a value did not change and was not logged |
 * | `K` | table, count, old key, values: an update whose key changed, or of a table without a key (then the whole old row) |
 * | `D` | table, key (or the whole old row) |
 * | `T` | table: TRUNCATE |
 * | `A` | table, JSON of the mapping: a column was added |
 * | `C` | position: committed. Nothing after the last `C` counts |
 *
 * A table is its number in the plan. Values are wire text. The sequence number of a record is its line.
 */

/** A value that the log leaves out because it did not change (TOAST). */
export const UNCHANGED = '\\U';

export type Fields = readonly string[];

export type ChangeRecord =
  | { readonly kind: 'begin'; readonly position: string; readonly time: number }
  | { readonly kind: 'commit'; readonly position: string }
  | { readonly kind: 'truncate'; readonly table: number }
  | { readonly kind: 'add-column'; readonly table: number; readonly mapping: string }
  | RowChange;

export interface RowChange {
  readonly kind: 'insert' | 'update' | 'delete';
  readonly table: number;
  /** Key, or the whole row of a table without one; null for an insert or where the key stayed. */
  readonly old: Fields | null;
  /** All columns in order; null for a delete. */
  readonly row: Fields | null;
}

/** One line, without the line feed. */
export function encodeRecord(record: ChangeRecord): string {
  switch (record.kind) {
    case 'begin':
      return `B\t${record.position}\t${record.time}`;
    case 'commit':
      return `C\t${record.position}`;
    case 'truncate':
      return `T\t${record.table}`;
    case 'add-column':
      return `A\t${record.table}\t${record.mapping}`;
    case 'insert':
      return `I\t${record.table}\t${(record.row ?? []).join('\t')}`;
    case 'delete':
      return `D\t${record.table}\t${(record.old ?? []).join('\t')}`;
    case 'update': {
      const row = (record.row ?? []).join('\t');
      return record.old === null
        ? `U\t${record.table}\t${row}`
        : `K\t${record.table}\t${record.old.length}\t${record.old.join('\t')}\t${row}`;
    }
  }
}

/** The record of a line. Throws `RangeError` on what no writer of ours wrote. */
export function decodeRecord(line: string): ChangeRecord {
  const [kind = '', first = '', ...rest] = line.split('\t');
  const table = Number(first);
  switch (kind) {
    case 'B':
      return { kind: 'begin', position: first, time: Number(rest[0]) };
    case 'C':
      return { kind: 'commit', position: first };
    case 'T':
      return { kind: 'truncate', table };
    case 'A':
      return { kind: 'add-column', table, mapping: rest.join('\t') };
    case 'I':
      return { kind: 'insert', table, old: null, row: rest };
    case 'U':
      return { kind: 'update', table, old: null, row: rest };
    case 'D':
      return { kind: 'delete', table, old: rest, row: null };
    case 'K': {
      const count = Number(rest[0]);
      return { kind: 'update', table, old: rest.slice(1, 1 + count), row: rest.slice(1 + count) };
    }
    default:
      throw new RangeError(`"${kind.slice(0, 20)}" is no kind of change record`);
  }
}
