/** Statements that bring made-up rows into tables, and change rows that are there. */
import type { Table } from '../../catalog/types.ts';
import { quoteIdentifier, quoteLiteral, quoteName } from '../names.ts';
import type { MadeRow } from './rows.ts';

export function insertSql(table: Table, row: MadeRow): string {
  const columns = Object.keys(row);
  const values = Object.values(row).map(constant);
  const name = quoteName(table.name);
  if (columns.length === 0) return `INSERT INTO ${name} DEFAULT VALUES`;
  return `INSERT INTO ${name} (${columns.map(quoteIdentifier).join(', ')}) OVERRIDING SYSTEM VALUE VALUES (${values.join(', ')})`;
}

/** One row that is equal to `row` in all its columns, and no more than one. */
export function updateSql(table: Table, row: MadeRow, changes: MadeRow): string {
  const set = Object.entries(changes).map(
    ([column, value]) => `${quoteIdentifier(column)} = ${constant(value)}`,
  );
  return `UPDATE ${quoteName(table.name)} SET ${set.join(', ')} WHERE ${theRow(table, row)}`;
}

export function deleteSql(table: Table, row: MadeRow): string {
  return `DELETE FROM ${quoteName(table.name)} WHERE ${theRow(table, row)}`;
}

function theRow(table: Table, row: MadeRow): string {
  const same = Object.entries(row).map(
    ([column, value]) => `${quoteIdentifier(column)}::text IS NOT DISTINCT FROM ${constant(value)}`,
  );
  // Equal rows can't be told apart, so that any of them is the same one in every database.
  return `(tableoid, ctid) = (SELECT tableoid, ctid FROM ${quoteName(table.name)} WHERE ${same.join(' AND ')} LIMIT 1)`;
}

function constant(value: string | null): string {
  return value === null ? 'NULL' : quoteLiteral(value);
}

/** Up to so many rows as text, spread over the table and the same in every clone. */
export function someRowsSql(table: Table, limit: number): string {
  const columns = table.columns
    .filter(({ generatedSql }) => generatedSql === null)
    .map(({ name }) => `${quoteIdentifier(name)}::text AS ${quoteIdentifier(name)}`);
  const name = quoteName(table.name);
  return `SELECT ${columns.join(', ')} FROM ${name} AS r ORDER BY md5(r::text), r::text LIMIT ${limit}`;
}

/** Sets the sequences of a table past the values that were given by hand. */
export function advanceSequencesSql(table: Table): readonly string[] {
  return table.columns.flatMap((column) => {
    const { sequence } = column;
    if (sequence === null) return [];
    const value = `SELECT max(${quoteIdentifier(column.name)}) FROM ${quoteName(table.name)}`;
    return [
      `SELECT setval(${quoteLiteral(quoteName(sequence))}, greatest((${value}), 1), (${value}) IS NOT NULL)`,
    ];
  });
}
