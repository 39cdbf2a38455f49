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

/** How far a file reaches: in values of a numeric key, and over `rows` rows where that has gaps or is another key. */
export interface Stride {
  readonly values: bigint;
  readonly rows: number;
}

/** A file may hold this many times the rows that it should, where a stretch of a numeric key is fuller than the last. */
const MOST_OVER = 16n;

/**
 * True where the key has gaps, so that a stretch of it may hold far more rows than the last one did: the source is to be
 * asked where `rows` of them end. Else a stretch of `values` holds at most `MOST_OVER` times as many, and asking would cost
 * a walk over the index for nothing.
 */
export function hasGaps({ values, rows }: Stride): boolean {
  return values > BigInt(rows) * MOST_OVER;
}

/**
 * The next stride, from what the last file held and weighed: gaps in a key are crossed in doubling steps, heavy
 * stretches cut to size.
 */
export function nextStride(
  { values, rows }: Stride,
  held: { readonly rows: number; readonly bytes: number },
  wanted: number,
): Stride {
  const { bytes } = held;
  const fitting = held.rows === 0 ? rows : Math.floor((wanted * held.rows) / Math.max(1, bytes));
  // What one file weighs says only so much about the next.
  const near = Math.max(Math.ceil(rows / 4), Math.min(rows * 4, fitting));
  return { values: nextValues(values, bytes, wanted), rows: Math.min(MAX_ROWS, Math.max(1, near)) };
}

function nextValues(values: bigint, bytes: number, wanted: number): bigint {
  if (bytes * 2 < wanted) return values * 2n;
  if (bytes > wanted * 2) return values > 1n ? values / 2n : 1n;
  return values;
}
