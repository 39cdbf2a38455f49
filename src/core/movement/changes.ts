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

/**
 * Fields of a row as one text, separated by tabs. It is taken apart only where its parts are needed, which is seldom:
 * most rows go from the log into the target as they are.
 */
export type FieldText = string;

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
  readonly old: FieldText | null;
  /** All columns in order; null for a delete. */
  readonly row: FieldText | null;
}

/** Place after the `count`th tab from `from` on; the length of the text where there are fewer. */
export function afterTabs(text: string, from: number, count: number): number {
  let at = from;
  for (let tabs = 0; tabs < count; tabs += 1) {
    const next = text.indexOf('\t', at);
    if (next === -1) return text.length;
    at = next + 1;
  }
  return at;
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
      return `I\t${record.table}\t${record.row ?? ''}`;
    case 'delete':
      return `D\t${record.table}\t${record.old ?? ''}`;
    case 'update':
      return record.old === null
        ? `U\t${record.table}\t${record.row ?? ''}`
        : `K\t${record.table}\t${record.old.split('\t').length}\t${record.old}\t${record.row ?? ''}`;
  }
}

/** The record of a line. Throws `RangeError` on what no writer of ours wrote. */
export function decodeRecord(line: string): ChangeRecord {
  const end = line.indexOf('\t', 2);
  const first = end === -1 ? line.slice(2) : line.slice(2, end);
  const rest = end === -1 ? '' : line.slice(end + 1);
  const table = Number(first);
  switch (line.slice(0, 2)) {
    case 'B\t':
      return { kind: 'begin', position: first, time: Number(rest) };
    case 'C\t':
      return { kind: 'commit', position: first };
    case 'T\t':
      return { kind: 'truncate', table };
    case 'A\t':
      return { kind: 'add-column', table, mapping: rest };
    case 'I\t':
      return { kind: 'insert', table, old: null, row: rest };
    case 'U\t':
      return { kind: 'update', table, old: null, row: rest };
    case 'D\t':
      return { kind: 'delete', table, old: rest, row: null };
    case 'K\t': {
      const from = rest.indexOf('\t') + 1;
      const to = afterTabs(rest, from, Number.parseInt(rest, 10));
      return { kind: 'update', table, old: rest.slice(from, to - 1), row: rest.slice(to) };
    }
    default:
      throw new RangeError(`"${line.slice(0, 20)}" is no change record`);
  }
}
