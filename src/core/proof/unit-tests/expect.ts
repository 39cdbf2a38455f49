/** What a unit test expects, from what the procedure itself gave on the few rows. */
import type { FixtureRows } from '../../project/types.ts';
import { onlyColumns } from '../../project/unit-tests.ts';

/** More rows, or longer texts, and nobody reads the test. */
const MOST_ROWS = 20;
const MOST_CHARACTERS = 200;

/** A table before a call and after it. */
export interface Change {
  readonly before: FixtureRows;
  readonly after: FixtureRows;
}

export interface Expectation {
  /** All rows afterwards, and those of them that were not there before. */
  readonly whole: FixtureRows;
  readonly changes: FixtureRows;
}

/**
 * `calls`: the same call from the same rows, each at another time and in another time zone. Columns
 * that differ are left out; null where other things differ, or where there is nothing to see.
 */
export function expectationOf(
  calls: readonly Change[],
  leftOut: readonly string[],
): Expectation | null {
  const [first, ...others] = calls;
  if (first === undefined) return null;
  const { columns } = first.after;
  const lasting = columns.filter(
    (column) =>
      !leftOut.includes(column) &&
      others.every(({ after }) =>
        sameRows(onlyColumns(after, [column]), onlyColumns(first.after, [column])),
      ),
  );
  const whole = onlyColumns(first.after, lasting);
  if (
    lasting.length === 0 ||
    !others.every(({ after }) => sameRows(onlyColumns(after, lasting), whole))
  ) {
    return null;
  }
  const before = new Map<string, number>();
  for (const row of first.before.rows) before.set(key(row), (before.get(key(row)) ?? 0) + 1);
  const isOld = (row: FixtureRows['rows'][number]) => {
    const left = before.get(key(row)) ?? 0;
    before.set(key(row), left - 1);
    return left > 0;
  };
  const fresh = first.after.rows.filter((row) => !isOld(row));
  const isQuiet = fresh.length === 0 && first.before.rows.length === first.after.rows.length;
  if (isQuiet || !isReadable(whole)) return null;
  return { whole, changes: onlyColumns({ columns, rows: fresh }, lasting) };
}

export function isReadable({ rows }: FixtureRows): boolean {
  return (
    rows.length <= MOST_ROWS &&
    rows.every((row) => row.every((value) => (value ?? '').length <= MOST_CHARACTERS))
  );
}

function sameRows(a: FixtureRows, b: FixtureRows): boolean {
  const sorted = ({ rows }: FixtureRows) => rows.map(key).toSorted();
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function key(row: readonly (string | null)[]): string {
  return JSON.stringify(row);
}
