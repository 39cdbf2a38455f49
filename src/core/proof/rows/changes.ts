/** Changes of inputs between two rounds: what a day brings to a source, and what should not happen. */
import type { Table } from '../../catalog/types.ts';
import type { Pools } from './pools.ts';
import { Random } from './random.ts';
import { RowMaker } from './rows.ts';
import type { MadeRow, Parents } from './rows.ts';
import { deleteSql, insertSql, updateSql } from './sql.ts';

const NEW_ROWS = 8;
const MOST_CHANGED = 12;

export interface ChangeInput {
  readonly table: Table;
  /** Some rows of the table, as text. */
  readonly rows: readonly MadeRow[];
  readonly firstFree: ReadonlyMap<string, bigint>;
  readonly parents: Parents;
  readonly seed: string;
}

/**
 * Deletions, updates, copies and new rows for one table, each a statement that may fail by itself:
 * where a constraint forbids a change, that change is left out.
 */
export function tableChanges(input: ChangeInput, pools: Pools): readonly string[] {
  const { table, rows } = input;
  const random = new Random(`${input.seed} ${table.name.schema}.${table.name.name}`);
  const part = Math.min(MOST_CHANGED, Math.max(1, Math.floor(rows.length / 5)));
  const [deleted, updated, copied] = [
    rows.slice(0, part),
    rows.slice(part, part * 3),
    rows.slice(part * 3, part * 4),
  ];
  const maker = new RowMaker(table, pools, random, input.parents, {
    existing: rows,
    nulls: true,
    tidy: false,
    firstFree: input.firstFree,
  });
  const fresh = Array.from({ length: NEW_ROWS }, () => maker.next()).filter((row) => row !== null);
  return [
    ...updated.flatMap((row) => updateOf(table, row, maker, random)),
    ...copied.flatMap((row) => {
      const twin = maker.twinOf(row);
      return twin === null ? [] : [insertSql(table, twin)];
    }),
    ...fresh.map((row) => insertSql(table, row)),
    ...deleted.map((row) => deleteSql(table, row)),
  ];
}

/** A few columns that are no part of a key get the values of a new row. */
function updateOf(table: Table, row: MadeRow, maker: RowMaker, random: Random): string[] {
  const values = maker.next();
  const keys = new Set(table.keys.flatMap(({ columns }) => columns));
  const free = table.columns.filter(
    ({ name, generatedSql, identity }) =>
      generatedSql === null && identity === null && !keys.has(name),
  );
  const chosen = free.filter(() => random.chance(0.4));
  const columns = (chosen.length > 0 ? chosen : free.slice(0, 1)).map(({ name }) => name);
  const changes = Object.fromEntries(
    columns.flatMap((name): [string, string | null][] => {
      const value = values?.[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  if (Object.keys(changes).length === 0) return [];
  return [updateSql(table, row, maker.changed(row, changes))];
}
