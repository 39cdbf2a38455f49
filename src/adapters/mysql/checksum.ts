/** Counts and digests of rows, computed where the rows are. */
import type { Connection } from 'mysql2';
import { fill } from '../../core/movement/types/map.ts';
import type { ComparedSide, ComparedTable, Piece } from '../../ports/move.ts';
import { drop, openConnection, query } from './move_session.ts';
import { ident, literal, tableName } from './sql.ts';

/** Between columns, and for NULL: characters that data does not hold. */
const SEPARATOR = `'\u0001'`;
const NULL_MARK = `'\u0002'`;

const textOf = (column: { name: string; template: string }) =>
  `CAST(${fill(column.template, ident(column.name))} AS CHAR CHARACTER SET utf8mb4)`;

function joined(columns: readonly { name: string; template: string }[]): string {
  const parts = columns.map((column) => `IFNULL(${textOf(column)}, ${NULL_MARK})`);
  return parts.length === 1 ? (parts[0] ?? '') : `CONCAT_WS(${SEPARATOR}, ${parts.join(', ')})`;
}

const digest = (table: ComparedTable) =>
  `CAST(CONV(SUBSTR(MD5(${joined(table.columns)}), 1, 15), 16, 10) AS UNSIGNED)`;

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
      `SELECT ${piece} AS piece, COUNT(*), SUM(${digest(table)}) FROM ${tableName(table.name)} GROUP BY piece`,
    );
    return rows.map(([name, count, sum]) => ({
      piece: name ?? '',
      rows: Number(count),
      sum: sum ?? '',
    }));
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
        `CASE WHEN ${key} < ${min} THEN 0 WHEN ${key} > ${max} THEN ${last} ELSE (${key} - ${min}) DIV ${width} END`,
      );
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
        `SELECT ${joined(table.key)}, ${table.columns.map(textOf).join(', ')} FROM ${tableName(table.name)}
          WHERE ${pieceCondition(table, piece)} AND CAST(${joined(table.key)} AS BINARY) IN (${wanted})`,
      );
      return new Map(rows.map(([key, ...values]) => [key ?? '', values]));
    },
    cancel: close,
    close,
  };
}
