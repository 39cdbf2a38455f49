/** How a table is cut into files, and how it is walked when both sides are compared. */
import type { KeyColumn } from './model.ts';

const FALLBACK_ROW_BYTES = 100;
const MAX_ROWS = 5_000_000;
const WHOLE_NUMBERS = ['smallint', 'integer', 'bigint', 'tinyint', 'mediumint', 'int'];

/**
 * Rows for the first file of a table, from the table's estimates, which may be old or missing: a part of what
 * `chunkBytes` would hold. What it weighs says how to go on.
 */
export function firstRows(
  estimatedRows: number,
  estimatedBytes: number,
  chunkBytes: number,
): number {
  const known = estimatedRows > 0 && estimatedBytes > 0;
  const rowBytes = known
    ? Math.max(8, estimatedBytes / estimatedRows) * 4
    : FALLBACK_ROW_BYTES * 64;
  return Math.min(MAX_ROWS, Math.max(1, Math.floor(chunkBytes / rowBytes)));
}

/** True where the key is one whole number: its range can be cut without reading it. */
export function isNumericKey(key: readonly KeyColumn[]): boolean {
  return (
    key.length === 1 &&
    key[0] !== undefined &&
    WHOLE_NUMBERS.includes(key[0].baseType.replace(' unsigned', ''))
  );
}

/**
 * How far the next file reaches, in values of a numeric key or in rows, from what the last one weighed: gaps
 * in a key are crossed in doubling steps, heavy stretches cut to size.
 */
export function nextStep(step: bigint, bytes: number, wanted: number): bigint {
  if (bytes * 2 < wanted) return step * 2n;
  if (bytes > wanted * 2) return step > 1n ? step / 2n : 1n;
  return step;
}
