/** Counts and digests of rows, computed where the rows are. */
import type pg from 'pg';
import { SHOWN_LENGTH } from '../../core/movement/compare.ts';
import { fill } from '../../core/movement/types/map.ts';
import type { ComparedSide, ComparedTable, Piece } from '../../ports/move.ts';
import { drop, openClient, query } from './move_session.ts';
import { ident, literal, tableName } from './sql.ts';

/** Between columns, and for NULL: characters that data does not hold. */
const SEPARATOR = `E'\\x01'`;
const NULL_MARK = `E'\\x02'`;

interface Compared {
  readonly name: string;
  readonly template: string;
}

const textOf = (column: Compared) => `(${fill(column.template, ident(column.name))})::text`;

function joined(columns: readonly Compared[]): string {
  const parts = columns.map((column) => `coalesce(${textOf(column)}, ${NULL_MARK})`);
  return parts.length === 1 ? (parts[0] ?? '') : `concat_ws(${SEPARATOR}, ${parts.join(', ')})`;
}

function digest(table: ComparedTable): string {
  return table.native
    ? `hash_record_extended(ROW(${table.columns.map((column) => fill(column.digest, ident(column.name))).join(', ')}), 0)`
    : `('x' || substr(md5(${joined(table.columns.map(({ name, digest: template }) => ({ name, template })))}), 1, 15))::bit(60)::bigint`;
}

const bucketOf = (table: ComparedTable, count: number) =>
  `mod(('x' || substr(md5(${joined(table.key)}), 1, 8))::bit(32)::bigint, ${count})`;

function pieceCondition(table: ComparedTable, piece: Piece): string {
  if (piece.kind === 'all') return 'true';
  if (piece.kind === 'bucket') return `${bucketOf(table, piece.of)} = ${piece.bucket}`;
  const key = ident(table.key[0]?.name ?? '');
  const lower = piece.lower === null ? 'true' : `${key} >= ${BigInt(piece.lower)}`;
  const upper = piece.upper === null ? 'true' : `${key} < ${BigInt(piece.upper)}`;
  return `${lower} AND ${upper}`;
}

/** A value for people. */
function shown(column: ComparedTable['columns'][number]): string {
  const name = ident(column.name);
  const text = textOf(column);
  const [size, start, digested] = column.bytes
    ? [`length(${name})`, `encode(substr(${name}, 1, ${SHOWN_LENGTH / 2}), 'hex')`, name]
    : [`length(${text})`, `left(${text}, ${SHOWN_LENGTH})`, text];
  return (
    `CASE WHEN ${size} > ${column.bytes ? SHOWN_LENGTH / 2 : SHOWN_LENGTH} ` +
    `THEN ${start} || '… (' || ${size} || ' in all, MD5 ' || md5(${digested}) || ')' ELSE ${text} END`
  );
}

/** Compares on a session of its own, opened at the first question. */
export function comparedSide(url: string): ComparedSide & { close(): Promise<void> } {
  let opened: Promise<pg.Client> | null = null;
  const ask = async (sql: string) => query(await (opened ??= openClient(url)), sql);
  const close = async () => {
    const client = await opened?.catch(() => null);
    opened = null;
    if (client !== null && client !== undefined) await drop(client);
  };
  const sums = async (table: ComparedTable, piece: string) => {
    const rows = await ask(
      `SELECT ${piece}, count(*), coalesce(sum(${digest(table)}), 0) FROM ${tableName(table.name)} GROUP BY 1`,
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
      const rows = await ask(`SELECT min(${key}), max(${key}) FROM ${tableName(table.name)}`);
      const [min, max] = rows[0] ?? [];
      return typeof min === 'string' && typeof max === 'string' ? [BigInt(min), BigInt(max)] : null;
    },
    sumRanges(table, min, max, width) {
      const key = ident(table.key[0]?.name ?? '');
      const last = (max - min) / width;
      // Whole numbers divide fast; the difference of two far ones is more than a bigint holds.
      const small =
        max - min < 2n ** 62n && /^(?:smallint|integer|bigint)$/.test(table.key[0]?.baseType ?? '');
      const piece = small
        ? `(${key}::bigint - (${min})) / ${width}`
        : `floor((${key}::numeric - (${min})) / ${width})::bigint`;
      return sums(
        table,
        `CASE WHEN ${key} < ${min} THEN 0 WHEN ${key} > ${max} THEN ${last} ELSE ${piece} END`,
      );
    },
    async bounds(table, piece, rows) {
      const key = ident(table.key[0]?.name ?? '');
      const found = await ask(
        `SELECT k FROM (SELECT ${key} AS k, row_number() OVER (ORDER BY ${key}) AS n FROM ${tableName(table.name)}
          WHERE ${pieceCondition(table, piece)}) x WHERE n % ${rows} = 0 ORDER BY k`,
      );
      return found.map(([bound]) => bound ?? '');
    },
    sumBuckets: (table, count) => sums(table, bucketOf(table, count)),
    async digests(table, piece) {
      const rows = await ask(
        `SELECT ${joined(table.key)}, sum(${digest(table)}) FROM ${tableName(table.name)}
          WHERE ${pieceCondition(table, piece)} GROUP BY 1`,
      );
      return new Map(rows.map(([key, sum]) => [key ?? '', sum ?? '']));
    },
    async rows(table, piece, keys) {
      if (keys.length === 0) return new Map();
      const rows = await ask(
        `SELECT ${joined(table.key)}, ${table.columns.map(shown).join(', ')} FROM ${tableName(table.name)}
          WHERE ${pieceCondition(table, piece)} AND ${joined(table.key)} IN (${keys.map(literal).join(', ')})`,
      );
      return new Map(rows.map(([key, ...values]) => [key ?? '', values]));
    },
    cancel: close,
    close,
  };
}
