/** Lays a table's rows in another order, to see whether a procedure's result depends on it. */
import type { Table } from '../catalog/types.ts';
import { quoteIdentifier, quoteName } from './names.ts';

export interface Permutation {
  readonly name: string;
  /** SQL that rows are ordered by when they are laid anew. */
  readonly order: string;
  /** Settings of the procedure's session: other plans also meet rows in another order. */
  readonly session: string;
}

export const PERMUTATIONS: readonly [Permutation, Permutation] = [
  { name: 'in reverse order', order: 'tableoid, ctid DESC', session: '' },
  {
    name: 'in a shuffled order',
    order: 'md5(ctid::text), tableoid',
    session: 'SET enable_hashagg = off; SET enable_hashjoin = off; SET enable_indexscan = off',
  },
];

/**
 * Statements that write a table's rows again. Triggers and foreign keys must not see it: the session
 * runs them with `session_replication_role = replica`.
 */
export function permuteSql(table: Table, { order }: Permutation): string {
  const name = quoteName(table.name);
  const columns = table.columns
    .filter(({ generatedSql }) => generatedSql === null)
    .map((column) => quoteIdentifier(column.name))
    .join(', ');
  return `
    CREATE TEMP TABLE sprocket_rows AS SELECT ${columns} FROM ${name} ORDER BY ${order};
    DELETE FROM ${name};
    INSERT INTO ${name} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM sprocket_rows;
    DROP TABLE sprocket_rows`;
}
