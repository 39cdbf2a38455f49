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

export function loggedAsStatement({ mapping }: FollowedTable): MoveError {
  const name = qualified(mapping.source);
  return new MoveError(
    'not-configured',
    `${name} was written by a session whose binlog_format is not ROW, so that the log does not say which rows changed. ` +
      `Let that session set it to ROW, or connect anew; then reset the pipelines and load again.`,
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
  { mapping }: FollowedTable,
  names: readonly string[],
): void {
  // Columns that the target computes itself need not be there.
  const places = movedColumns(mapping).map(({ source }) => names.indexOf(source));
  const after: unknown = Reflect.get(event, 'columns_present_bitmap2');
  const isPart =
    lacks(Reflect.get(event, 'columns_present_bitmap'), places) ||
    (after !== undefined && lacks(after, places));
  if (!isPart) return;
  const name = qualified(mapping.source);
  throw new MoveError(
    'not-configured',
    `${name} was written by a session whose binlog_row_image is not FULL, so that the log has only parts of its rows. ` +
      `Let that session set it to FULL, or connect anew; then reset the pipelines and load again.`,
    name,
  );
}
