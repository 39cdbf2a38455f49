/** Counts and digests of rows, computed where the rows are. */
import type { Connection } from 'mysql2';
import { qualified } from '../../core/catalog/names.ts';
import { SHOWN_LENGTH } from '../../core/movement/compare.ts';
import { MoveError } from '../../core/movement/errors.ts';
import { fill } from '../../core/movement/types/map.ts';
import type { ComparedSide, ComparedTable, Piece } from '../../ports/move.ts';
import { drop, openConnection, query } from './move_session.ts';
import { ident, literal, tableName } from './sql.ts';

/** Between columns, and for NULL: characters that data does not hold. */
const SEPARATOR = `'\u0001'`;
const NULL_MARK = `'\u0002'`;

type Compared = Omit<ComparedTable['columns'][number], 'digest' | 'bytes' | 'textual'>;

const textOf = (column: Compared) =>
  `CAST(${fill(column.template, ident(column.name))} AS CHAR CHARACTER SET utf8mb4)`;

/** NULL where the text would be larger than `max_allowed_packet`: that must not look like a value that is NULL. */
function joined(columns: readonly Compared[]): string {
  const parts = columns.map((column) =>
    column.loosens
      ? `IFNULL(${textOf(column)}, ${NULL_MARK})`
      : `IF(${ident(column.name)} IS NULL, ${NULL_MARK}, ${textOf(column)})`,
  );
  return parts.length === 1 ? (parts[0] ?? '') : `CONCAT(${parts.join(`, ${SEPARATOR}, `)})`;
}

const digested = ({ columns }: ComparedTable): readonly Compared[] =>
  columns.map((column) => ({ ...column, template: column.digest }));

const digest = (table: ComparedTable) =>
  `CAST(CONV(SUBSTR(MD5(${joined(digested(table))}), 1, 15), 16, 10) AS UNSIGNED)`;

const bucketOf = (table: ComparedTable, count: number) =>
  `CAST(CONV(SUBSTR(MD5(${joined(table.key)}), 1, 8), 16, 10) AS UNSIGNED) % ${count}`;

function pieceCondition(table: ComparedTable, piece: Piece): string {
  if (piece.kind === 'all') return 'TRUE';
  if (piece.kind === 'bucket') return `${bucketOf(table, piece.of)} = ${piece.bucket}`;
  const key = ident(table.key[0]?.name ?? '');
  const lower = piece.lower === null ? 'TRUE' : `${key} >= ${BigInt(piece.lower)}`;
  const upper = piece.upper === null ? 'TRUE' : `${key} < ${BigInt(piece.upper)}`;
  return `${lower} AND ${upper}`;
}

/** A value for people. */
function shown(column: ComparedTable['columns'][number]): string {
  const name = ident(column.name);
  const text = textOf(column);
  const [size, start, digested] = column.bytes
    ? [`LENGTH(${name})`, `LOWER(HEX(LEFT(${name}, ${SHOWN_LENGTH / 2})))`, name]
    : [`CHAR_LENGTH(${text})`, `LEFT(${text}, ${SHOWN_LENGTH})`, text];
  return (
    `CASE WHEN ${size} > ${column.bytes ? SHOWN_LENGTH / 2 : SHOWN_LENGTH} ` +
    `THEN CONCAT(${start}, '... (', ${size}, ' in all, MD5 ', MD5(${digested}), ')') ELSE ${text} END`
  );
}

/** As a decimal where it may be more than a bigint holds. */
const difference = (key: string, min: bigint) =>
  min < 0n ? `(CAST(${key} AS DECIMAL(20)) - (${min}))` : `(${key} - ${min})`;

function tooLarge({ name }: ComparedTable): MoveError {
  const table = qualified(name);
  return new MoveError(
    'unrepresentable-value',
    `${table} has rows that make more text than the server's max_allowed_packet, so that they can't be compared. ` +
      `Raise it there, up to 1 GB, and verify again.`,
    table,
  );
}

/** Compares on a session of its own, opened at the first question. */
export function comparedSide(url: string): ComparedSide & { close(): Promise<void> } {
  let opened: Promise<Connection> | null = null;
  const ask = async (sql: string) => query(await (opened ??= openConnection(url)), sql);
  const close = async () => {
    const connection = await opened?.catch(() => null);
    opened = null;
    if (connection !== null && connection !== undefined) drop(connection);
  };
  const sums = async (table: ComparedTable, piece: string) => {
    const rows = await ask(
      `SELECT piece, COUNT(*), SUM(d), COUNT(d) FROM (SELECT ${piece} AS piece, ${digest(table)} AS d FROM ${tableName(table.name)}) x GROUP BY piece`,
    );
    return rows.map(([name, count, sum, digested]) => {
      if (digested !== count) throw tooLarge(table);
      return { piece: name ?? '', rows: Number(count), sum: sum ?? '' };
    });
  };
  return {
    async extent(table) {
      const key = ident(table.key[0]?.name ?? '');
      const rows = await ask(`SELECT MIN(${key}), MAX(${key}) FROM ${tableName(table.name)}`);
      const [min, max] = rows[0] ?? [];
      return typeof min === 'string' && typeof max === 'string' ? [BigInt(min), BigInt(max)] : null;
    },
    sumRanges(table, min, max, width) {
      const key = ident(table.key[0]?.name ?? '');
      const last = (max - min) / width;
      return sums(
        table,
        `CASE WHEN ${key} < ${min} THEN 0 WHEN ${key} > ${max} THEN ${last} ELSE ${difference(key, min)} DIV ${width} END`,
      );
    },
    async bounds(table, piece, rows) {
      const key = ident(table.key[0]?.name ?? '');
      const found = await ask(
        `SELECT k FROM (SELECT ${key} AS k, ROW_NUMBER() OVER (ORDER BY ${key}) AS n FROM ${tableName(table.name)}
          WHERE ${pieceCondition(table, piece)}) x WHERE n % ${rows} = 0 ORDER BY k`,
      );
      return found.map(([bound]) => bound ?? '');
    },
    sumBuckets: (table, count) => sums(table, bucketOf(table, count)),
    async digests(table, piece) {
      const rows = await ask(
        `SELECT k, SUM(d) FROM (SELECT CAST(${joined(table.key)} AS BINARY) AS k, ${digest(table)} AS d FROM ${tableName(table.name)}
          WHERE ${pieceCondition(table, piece)}) x GROUP BY k`,
      );
      return new Map(rows.map(([key, sum]) => [key ?? '', sum ?? '']));
    },
    async rows(table, piece, keys) {
      if (keys.length === 0) return new Map();
      const wanted = keys.map((key) => `BINARY ${literal(key)}`).join(', ');
      const rows = await ask(
        `SELECT ${joined(table.key)}, ${table.columns.map(shown).join(', ')} FROM ${tableName(table.name)}
          WHERE ${pieceCondition(table, piece)} AND CAST(${joined(table.key)} AS BINARY) IN (${wanted})`,
      );
      return new Map(rows.map(([key, ...values]) => [key ?? '', values]));
    },
    cancel: close,
    close,
  };
}
