/** What a log says that can't be followed: where the rows of a table are no longer known, or only parts of them. */
import { qualified } from '../../core/catalog/names.ts';
import { MoveError } from '../../core/movement/errors.ts';
import { movedColumns } from '../../core/movement/types/map.ts';
import type { FollowedTable } from '../../ports/move.ts';

/** What was done to a table by statements after which its rows are not those that were followed. */
export const DONE = {
  drop: 'dropped',
  'drop-schema': 'dropped with its database',
  rename: 'renamed',
  replace: 'replaced (CREATE OR REPLACE TABLE)',
  partition: 'altered (rows came or went with a partition or a tablespace)',
} as const;

export function loggedAsStatement(table: FollowedTable): MoveError {
  return writtenWith(table, 'binlog_format', 'ROW', 'does not say which rows changed');
}

function writtenWith(
  { mapping }: FollowedTable,
  setting: string,
  needed: string,
  lack: string,
): MoveError {
  const name = qualified(mapping.source);
  return new MoveError(
    'not-configured',
    `${name} was written by a session whose ${setting} is not ${needed}, so that the log ${lack}. ` +
      `Let that session set it to ${needed}, or connect anew; then reset the pipelines and load again.`,
    name,
  );
}

/** A bit for each column that the event has; the decoder gives NULL for the others. */
function lacks(bits: unknown, places: readonly number[]): boolean {
  if (!Buffer.isBuffer(bits)) return true;
  return places.some((place) => ((bits[place >> 3] ?? 0) & (1 << (place & 7))) === 0);
}

/** Throws where a session left columns out of its rows: what is left out would pass for NULL. */
export function assertWholeRows(
  event: object,
  table: FollowedTable,
  names: readonly string[],
): void {
  // Columns that the target computes itself need not be there.
  const places = movedColumns(table.mapping).map(({ source }) => names.indexOf(source));
  const after: unknown = Reflect.get(event, 'columns_present_bitmap2');
  const isPart =
    lacks(Reflect.get(event, 'columns_present_bitmap'), places) ||
    (after !== undefined && lacks(after, places));
  if (isPart) throw writtenWith(table, 'binlog_row_image', 'FULL', 'has only parts of its rows');
}
