/** Rows of which some values are left out: a TOAST value that an update has not touched. */
import type { FieldText } from './changes.ts';
import { UNCHANGED } from './changes.ts';
import type { ColumnMapping, TableMapping } from './model.ts';
import { movedColumns } from './types/map.ts';

export interface Patch {
  /** The columns whose values are there, the key's among them. */
  readonly columns: readonly ColumnMapping[];
  readonly rows: readonly FieldText[];
  /** Those of them that change: names in the target. */
  readonly changed: readonly string[];
}

/** One patch for each set of columns that is there; rows that change nothing are in none. */
export function patchesOf(mapping: TableMapping, rows: readonly FieldText[]): readonly Patch[] {
  const columns = movedColumns(mapping);
  const groups = Map.groupBy(rows, (row) =>
    row
      .split('\t')
      .map((field) => (field === UNCHANGED ? '0' : '1'))
      .join(''),
  );
  return [...groups]
    .map(([present, group]): Patch => {
      const kept = columns.filter((_, index) => present.charAt(index) === '1');
      return {
        columns: kept,
        rows: group.map((row) =>
          row
            .split('\t')
            .filter((field) => field !== UNCHANGED)
            .join('\t'),
        ),
        changed: kept
          .filter(({ source }) => !mapping.key.includes(source))
          .map(({ target }) => target),
      };
    })
    .filter(({ changed }) => changed.length > 0);
}
