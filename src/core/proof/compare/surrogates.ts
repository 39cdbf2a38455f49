/**
 * Comparing surrogate keys up to renaming.
 *
 * Which row gets which number is nobody's promise; which row a number stands for is. So each number
 * is replaced by a token of the row that it stands for, made of the row's other columns, in which
 * references to other numbers are replaced in the same way. Starting from rows without references,
 * tokens are refined until they no longer tell more rows apart.
 *
 * A number that a row had before the run and still has is not renamed: other tables know it.
 */
import type { QualifiedName } from '../../catalog/types.ts';
import { PROOF_SCHEMA, quoteIdentifier, quoteName } from '../names.ts';
import type { Relation } from './relations.ts';
import { comparedColumn, rowsSql } from './rows.ts';
import type { ComparedColumn } from './rows.ts';

/** A column whose values come from a sequence. */
export interface SurrogateKey {
  readonly table: QualifiedName;
  readonly column: string;
  /** Whether rows that were there before the run keep their numbers. */
  readonly keeps: boolean;
}

/** A column that holds numbers of a surrogate key; `key` is its place in the list of keys. */
export interface Reference {
  readonly table: QualifiedName;
  readonly column: string;
  readonly key: number;
}

export function keptTable(key: number): string {
  return `${PROOF_SCHEMA}.kept_${key}`;
}

function tokenTable(key: number): string {
  return `${PROOF_SCHEMA}.token_${key}`;
}

/** Numbers as text. The copy of those before the run and of the procedure's side give the kept ones. */
export function numbersSql(key: SurrogateKey): string {
  const column = quoteIdentifier(key.column);
  return `SELECT DISTINCT ${column}::text FROM ${quoteName(key.table)} WHERE ${column} IS NOT NULL`;
}

export function prepareKeptSql(key: number): string {
  return `DROP TABLE IF EXISTS ${keptTable(key)};
    CREATE UNLOGGED TABLE ${keptTable(key)} (number text PRIMARY KEY)`;
}

/** Columns of the comparison with numbers replaced by tokens, and the joins that this takes. */
export function renamedColumns(
  relation: Relation,
  keys: readonly SurrogateKey[],
  references: readonly Reference[],
): { columns: readonly ComparedColumn[]; joins: string } {
  const joins: string[] = [];
  const columns = relation.columns.map((column): ComparedColumn => {
    const own = keys.findIndex((key) => isColumn(key, relation.name, column.name));
    const other = references.find((item) => isColumn(item, relation.name, column.name))?.key;
    const key = own >= 0 ? own : other;
    if (key === undefined) return comparedColumn(column);
    const alias = `k${joins.length}`;
    const value = `r.${quoteIdentifier(column.name)}::text`;
    joins.push(`LEFT JOIN ${tokenTable(key)} AS ${alias} ON ${alias}.number = ${value}`);
    return { name: column.name, sql: `coalesce(${alias}.token, ${value})`, float: null };
  });
  return { columns, joins: joins.join(' ') };
}

/** Makes the tokens of a key: kept numbers stand for themselves, others for the rest of their row. */
export function firstTokensSql(
  key: number,
  keys: readonly SurrogateKey[],
  relation: Relation,
  references: readonly Reference[],
): string {
  const content = relation.columns.filter(
    (column) =>
      !column.float &&
      !keys.some((item) => isColumn(item, relation.name, column.name)) &&
      !references.some((item) => isColumn(item, relation.name, column.name)),
  );
  return `DROP TABLE IF EXISTS ${tokenTable(key)};
    CREATE UNLOGGED TABLE ${tokenTable(key)} AS ${tokenRows(key, keys[key], relation, content.map(comparedColumn), '')};
    CREATE INDEX ON ${tokenTable(key)} (number)`;
}

/** Makes the tokens again from those that its references have now. */
export function nextTokensSql(
  key: number,
  keys: readonly SurrogateKey[],
  relation: Relation,
  references: readonly Reference[],
): string {
  const { columns, joins } = renamedColumns(relation, keys, references);
  const content = columns.filter(
    (column) => column.float === null && column.name !== keys[key]?.column,
  );
  const next = `${PROOF_SCHEMA}.next_token`;
  return `CREATE UNLOGGED TABLE ${next} AS ${tokenRows(key, keys[key], relation, content, joins)};
    DROP TABLE ${tokenTable(key)};
    ALTER TABLE ${next} RENAME TO token_${key};
    CREATE INDEX ON ${tokenTable(key)} (number)`;
}

/** How many rows the tokens tell apart: no more than before means that they are done. */
export function tokensToldApartSql(keys: readonly SurrogateKey[]): string {
  const counts = keys.map((_, key) => `(SELECT count(DISTINCT token) FROM ${tokenTable(key)})`);
  return `SELECT ${counts.join(' + ')}`;
}

function tokenRows(
  key: number,
  surrogate: SurrogateKey | undefined,
  relation: Relation,
  content: readonly ComparedColumn[],
  joins: string,
): string {
  if (surrogate === undefined) throw new RangeError(`there is no surrogate key ${key}`);
  const number = {
    name: 'number',
    sql: `r.${quoteIdentifier(surrogate.column)}::text`,
    float: null,
  };
  const values = content.map(({ sql }) => sql).join(', ');
  const token = {
    name: 'token',
    sql: `CASE WHEN EXISTS (SELECT FROM ${keptTable(key)} AS kept WHERE kept.number = ${number.sql})
      THEN 'number ' || ${number.sql} ELSE 'row ' || md5(ROW(${values})::text) END`,
    float: null,
  };
  const where = `WHERE r.${quoteIdentifier(surrogate.column)} IS NOT NULL`;
  // A number that two rows share stands for neither: the first by content will do, as on the other side.
  return `SELECT number, min(token) AS token FROM (${rowsSql(relation, [number, token], joins)} ${where}) AS t GROUP BY number`;
}

function isColumn(
  item: { readonly table: QualifiedName; readonly column: string },
  table: QualifiedName,
  column: string,
): boolean {
  return (
    item.table.schema === table.schema && item.table.name === table.name && item.column === column
  );
}
