/** Picks a few rows out of many that show as much as possible. */
import type { MadeRow } from '../rows/rows.ts';

/** Columns with more values than this tell rows apart, and show nothing besides. */
const MOST_VALUES = 8;

/**
 * Up to `count` rows: the first one, then whichever shows the most values, NULLs among them, that no
 * row before it has shown. Of equals the earlier one, so that equal input gives equal rows.
 */
export function mostTelling(rows: readonly MadeRow[], count: number): readonly MadeRow[] {
  const columns = fewValued(rows);
  const seen = new Set<string>();
  const picked = new Set<MadeRow>();
  const news = (row: MadeRow) => shown(row, columns).filter((value) => !seen.has(value)).length;
  for (let next = rows[0]; next !== undefined && picked.size < count;) {
    picked.add(next);
    for (const value of shown(next, columns)) seen.add(value);
    const left = rows.filter((row) => !picked.has(row));
    const most = Math.max(...left.map(news));
    next = left.find((row) => news(row) === most);
  }
  return [...picked];
}

function fewValued(rows: readonly MadeRow[]): readonly string[] {
  return Object.keys(rows[0] ?? {}).filter((column) => {
    const values = new Set(rows.map((row) => row[column] ?? null));
    return values.size > 1 && values.size <= MOST_VALUES;
  });
}

function shown(row: MadeRow, columns: readonly string[]): readonly string[] {
  return columns.map((column) => JSON.stringify([column, row[column] ?? null]));
}
