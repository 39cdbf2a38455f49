/**
 * Keeps made-up rows apart where a procedure picks one of several by an order: two rows that tie by
 * accident say more of who made them up than of the procedure.
 */
import type { MadeRow } from './rows.ts';

/** Rows that are equal in `partition` should differ in `order`, where there is one. */
export interface Ranking {
  readonly partition: readonly string[];
  readonly order: readonly string[];
}

export class Ties {
  readonly #rankings: readonly Ranking[];
  /** How many rows stand at each place of each ranking. */
  readonly #places = new Map<string, number>();

  constructor(rankings: readonly Ranking[], existing: readonly MadeRow[]) {
    this.#rankings = rankings.filter(({ order }) => order.length > 0);
    for (const row of existing) this.take(row);
  }

  take(row: MadeRow): void {
    this.#count(row, 1);
  }

  release(row: MadeRow): void {
    this.#count(row, -1);
  }

  /** The columns to change so that the row ties with none, as far as `values` has free ones. */
  untied(row: MadeRow, values: (column: string) => readonly string[]): MadeRow {
    let changes: MadeRow = {};
    for (const ranking of this.#rankings) {
      const changed = { ...row, ...changes };
      if (!this.#isTaken(ranking, changed)) continue;
      changes = { ...changes, ...this.#freePlace(ranking, changed, values) };
    }
    return changes;
  }

  #freePlace(
    ranking: Ranking,
    row: MadeRow,
    values: (column: string) => readonly string[],
  ): MadeRow {
    for (const column of ranking.order) {
      const free = values(column).find(
        (value) => !this.#isTaken(ranking, { ...row, [column]: value }),
      );
      if (free !== undefined) return { [column]: free };
    }
    return {};
  }

  #isTaken(ranking: Ranking, row: MadeRow): boolean {
    const place = placeIn(ranking, row);
    return place !== null && (this.#places.get(place) ?? 0) > 0;
  }

  #count(row: MadeRow, by: number): void {
    for (const ranking of this.#rankings) {
      const place = placeIn(ranking, row);
      if (place !== null) this.#places.set(place, (this.#places.get(place) ?? 0) + by);
    }
  }
}

/** Null where a column is left to its default: what it will hold is not known. */
function placeIn({ partition, order }: Ranking, row: MadeRow): string | null {
  const values = [...partition, ...order].map((column) => row[column]);
  if (values.includes(undefined)) return null;
  return JSON.stringify([partition, order, values]);
}
