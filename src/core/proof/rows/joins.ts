/** By which columns rows of one table find those of another. */
import { qualified } from '../../catalog/names.ts';
import type { Column, Table } from '../../catalog/types.ts';
import { columnPlace } from '../hints/places.ts';
import type { HintBook } from '../hints/places.ts';
import { familyOf } from './values.ts';

/**
 * Columns of a table that hold what columns of the other hold, each with the other's. Left out are
 * those whose foreign key might not allow the other's values.
 */
export function joinsOf(
  hints: HintBook,
  table: Table,
  other: Table,
): readonly (readonly [string, string])[] {
  const free = [...other.columns];
  const root = (of: Table, column: Column) => hints.rootOf(columnPlace(of.name, column.name));
  return table.columns.flatMap((column): [string, string][] => {
    const isAlike = (one: Column) =>
      root(other, one) === root(table, column) &&
      familyOf(one.baseType) === familyOf(column.baseType) &&
      mayTake(table, column, other, one);
    const at = free.findIndex(isAlike);
    const [found] = at < 0 ? [] : free.splice(at, 1);
    return found === undefined ? [] : [[column.name, found.name]];
  });
}

function mayTake(table: Table, column: Column, other: Table, one: Column): boolean {
  const wanted = parentsOf(table, column);
  const given = [...parentsOf(other, one), JSON.stringify([qualified(other.name), [one.name]])];
  return wanted.every((parent) => given.includes(parent));
}

/** What a column's foreign keys refer to; of a key of several columns, with all of them. */
function parentsOf({ foreignKeys }: Table, { name }: Column): readonly string[] {
  return foreignKeys
    .filter(({ columns }) => columns.includes(name))
    .map(({ references, referencedColumns, columns }) =>
      JSON.stringify([
        qualified(references),
        referencedColumns,
        ...(columns.length > 1 ? [columns] : []),
      ]),
    );
}
