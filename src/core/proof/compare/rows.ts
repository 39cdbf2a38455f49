/**
 * SQL that says whether two relations hold the same multiset of rows.
 *
 * Every value is compared as the text that PostgreSQL prints, byte by byte: so types without an
 * equality of their own (json, xml) can be compared, NULL equals NULL, NaN equals NaN, and 1.0 is
 * not 1.00. Two things are the same on purpose: -0 and 0, and blanks at the end of a char(n).
 */
import { PROOF_SCHEMA, quoteIdentifier, quoteName } from '../names.ts';
import type { Relation, RelationColumn } from './relations.ts';

/**
 * Two floats are equal if they differ by at most this part of the larger one. A sum of floats
 * depends on the order of its rows in its last bits, which neither side promises.
 */
export const FLOAT_TOLERANCE = { 'double precision': 1e-12, real: 1e-5 } as const;

/** A column of the comparison: its name, and the SQL that gives its canonical text. */
export interface ComparedColumn {
  readonly name: string;
  readonly sql: string;
  readonly float: keyof typeof FLOAT_TOLERANCE | null;
}

/** `alias` is the relation's in the query that `rowsSql` makes. */
export function comparedColumn(column: RelationColumn): ComparedColumn {
  const value = `r.${quoteIdentifier(column.name)}`;
  const sql = column.float ? `(${value} + 0)::text` : `${value}::text`;
  const float = column.float ? (column.base === 'real' ? 'real' : 'double precision') : null;
  return { name: column.name, sql, float };
}

/** All rows of a relation in canonical form, one text column for each compared one. */
export function rowsSql(
  relation: Pick<Relation, 'name'>,
  columns: readonly ComparedColumn[],
  joins = '',
): string {
  const list = columns.map(({ sql, name }) => `(${sql}) COLLATE "C" AS ${quoteIdentifier(name)}`);
  return `SELECT ${list.join(', ')} FROM ${quoteName(relation.name)} AS r ${joins}`;
}

const OTHER = `${PROOF_SCHEMA}.other`;
/** Rows that only the procedure's side has, and that only the model's side has. */
export const ONLY_PROCEDURE = `${PROOF_SCHEMA}.only_procedure`;
export const ONLY_MODEL = `${PROOF_SCHEMA}.only_model`;

/** Makes room for the other side's rows, which are then copied in with `COPY_IN`. */
export function prepareSql(columns: readonly ComparedColumn[]): string {
  const list = columns.map(({ name }) => `${quoteIdentifier(name)} text COLLATE "C"`);
  return `DROP TABLE IF EXISTS ${OTHER}, ${ONLY_PROCEDURE}, ${ONLY_MODEL};
    CREATE UNLOGGED TABLE ${OTHER} (${list.join(', ')})`;
}

export const COPY_IN = `COPY ${OTHER} FROM STDIN`;

export function copyOutSql(rows: string): string {
  return `COPY (${rows}) TO STDOUT`;
}

/** Keeps what the procedure's side has more of. `rows` are this side's, as `rowsSql` gives them. */
export function missingSql(rows: string): string {
  return `CREATE UNLOGGED TABLE ${ONLY_PROCEDURE} AS (SELECT * FROM ${OTHER} EXCEPT ALL ${rows})`;
}

/** Keeps what this side has more of. */
export function extraSql(rows: string): string {
  return `CREATE UNLOGGED TABLE ${ONLY_MODEL} AS (${rows} EXCEPT ALL SELECT * FROM ${OTHER})`;
}

export function countSql(rows: string): string {
  return `SELECT count(*) FROM (${rows}) AS counted`;
}

export const MISSING_COUNT = `SELECT count(*) FROM ${ONLY_PROCEDURE}`;

export const DIFFERENCE_COUNTS = `
  SELECT (SELECT count(*) FROM ${OTHER}),
         (SELECT count(*) FROM ${ONLY_PROCEDURE}), (SELECT count(*) FROM ${ONLY_MODEL})`;

/**
 * Takes away rows that differ only in floats that are as good as equal: among rows that are equal
 * in all other columns, the n-th of one side by its floats must be close to the n-th of the other.
 */
export function closeFloatsSql(columns: readonly ComparedColumn[]): string {
  const floats = columns.filter((column) => column.float !== null);
  const others = columns.filter((column) => column.float === null);
  const key = `md5(ROW(${others.map(({ name }) => quoteIdentifier(name)).join(', ')})::text)`;
  const order = floats.map(({ name }) => `${quoteIdentifier(name)}::float8`).join(', ');
  const numbered = (table: string) =>
    `SELECT ctid AS sprocket_place, ${key} AS sprocket_key,
            row_number() OVER (PARTITION BY ${key} ORDER BY ${order}) AS sprocket_n, *
       FROM ${table}`;
  const close = floats.map(({ name, float }) => {
    const [a, b] = [`p.${quoteIdentifier(name)}`, `m.${quoteIdentifier(name)}`];
    return `(${a} IS NOT DISTINCT FROM ${b} OR ${closeSql(a, b, float ?? 'double precision')})`;
  });
  return `
    CREATE TEMP TABLE close_pairs AS
      SELECT p.sprocket_place AS p, m.sprocket_place AS m
        FROM (${numbered(ONLY_PROCEDURE)}) AS p JOIN (${numbered(ONLY_MODEL)}) AS m USING (sprocket_key, sprocket_n)
       WHERE ${close.join(' AND ')};
    DELETE FROM ${ONLY_PROCEDURE} WHERE ctid IN (SELECT p FROM close_pairs);
    DELETE FROM ${ONLY_MODEL} WHERE ctid IN (SELECT m FROM close_pairs);
    DROP TABLE close_pairs`;
}

/** NaN and infinity have no neighbours: only finite numbers are close to each other. */
function closeSql(a: string, b: string, type: keyof typeof FLOAT_TOLERANCE): string {
  const finite = (value: string) => `${value} NOT IN ('NaN', 'Infinity', '-Infinity')`;
  const size = (value: string) => `abs(${value}::float8)`;
  return `CASE WHEN ${finite(a)} AND ${finite(b)}
    THEN abs(${a}::float8 - ${b}::float8) <= ${FLOAT_TOLERANCE[type]} * greatest(${size(a)}, ${size(b)}) END`;
}

export function firstRowsSql(table: string, limit: number): string {
  return `SELECT * FROM ${table} AS r ORDER BY r::text LIMIT ${limit}`;
}
