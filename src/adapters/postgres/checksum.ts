/** Counts and digests of rows, computed where the rows are. */
import { createHash } from 'node:crypto';
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

/** A function takes at most 100 arguments. */
const ARGUMENTS = 90;

function joined(columns: readonly Compared[]): string {
  let parts = columns.map((column) => `coalesce(${textOf(column)}, ${NULL_MARK})`);
  while (parts.length > 1) {
    const groups = Array.from({ length: Math.ceil(parts.length / ARGUMENTS) }, (_, index) =>
      parts.slice(index * ARGUMENTS, (index + 1) * ARGUMENTS),
    );
    parts = groups.map((group) => `concat_ws(${SEPARATOR}, ${group.join(', ')})`);
  }
  return parts[0] ?? '';
}

/** The texts of a database as the bytes that they are in UTF-8: two sides may have two encodings. */
type Utf8 = (text: string) => string;

async function utf8Of(client: pg.Client): Promise<Utf8> {
  const [row] = await query(client, 'SHOW server_encoding');
  // By bytes too where the column has a collation that takes different texts for equal.
  return row?.[0] === 'UTF8'
    ? (text) => `(${text}) COLLATE "C"`
    : (text) => `convert_to(${text}, 'UTF8')`;
}

function digest(table: ComparedTable, utf8: Utf8): string {
  const values = table.columns.map(({ name, digest: template, textual }) => {
    const value = fill(template, ident(name));
    return textual ? utf8(value) : value;
  });
  const texts = table.columns.map(({ name, digest: template }) => ({ name, template }));
  return table.native
    ? `hash_record_extended(ROW(${values.join(', ')}), 0)`
    : `('x' || substr(md5(${utf8(joined(texts))}), 1, 15))::bit(60)::bigint`;
}

/** A key as text, which is compared by its bytes. */
const keyOf = (table: ComparedTable) => `(${joined(table.key)}) COLLATE "C"`;

const bucketOf = (table: ComparedTable, count: number, utf8: Utf8) =>
  `mod(('x' || substr(md5(${utf8(joined(table.key))}), 1, 8))::bit(32)::bigint, ${count})`;

function pieceCondition(table: ComparedTable, piece: Piece, utf8: Utf8): string {
  if (piece.kind === 'all') return 'true';
  if (piece.kind === 'bucket') return `${bucketOf(table, piece.of, utf8)} = ${piece.bucket}`;
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
    `THEN ${start} || '... (' || ${size} || ' in all, MD5 ' || md5(${digested}) || ')' ELSE ${text} END`
  );
}

/** Compares on a session of its own, opened at the first question. */
export function comparedSide(url: string): ComparedSide & { close(): Promise<void> } {
  let opened: Promise<pg.Client> | null = null;
  let encoding: Promise<Utf8> | null = null;
  const open = () => (opened ??= openClient(url));
  const ask = async (sql: string) => query(await open(), sql);
  const utf8 = () => (encoding ??= open().then(utf8Of));
  const close = async () => {
    const client = await opened?.catch(() => null);
    opened = null;
    encoding = null;
    if (client !== null && client !== undefined) await drop(client);
  };
  const sums = async (table: ComparedTable, piece: string) => {
    const rows = await ask(
      `SELECT ${piece}, count(*), coalesce(sum(${digest(table, await utf8())}), 0) FROM ${tableName(table.name)} GROUP BY 1`,
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
          WHERE ${pieceCondition(table, piece, await utf8())}) x WHERE n % ${rows} = 0 ORDER BY k`,
      );
      return found.map(([bound]) => bound ?? '');
    },
    async sumBuckets(table, count) {
      return sums(table, bucketOf(table, count, await utf8()));
    },
    async digests(table, piece) {
      const rows = await ask(
        `SELECT ${keyOf(table)}, sum(${digest(table, await utf8())}) FROM ${tableName(table.name)}
          WHERE ${pieceCondition(table, piece, await utf8())} GROUP BY 1`,
      );
      return new Map(rows.map(([key, sum]) => [key ?? '', sum ?? '']));
    },
    async rows(table, piece, keys) {
      if (keys.length === 0) return new Map();
      // A key of the other side may have characters that this one has not.
      const wanted = keys.map((key) => literal(createHash('md5').update(key).digest('hex')));
      const rows = await ask(
        `SELECT ${keyOf(table)}, ${table.columns.map(shown).join(', ')} FROM ${tableName(table.name)}
          WHERE ${pieceCondition(table, piece, await utf8())}
            AND md5(${(await utf8())(joined(table.key))}) IN (${wanted.join(', ')})`,
      );
      return new Map(rows.map(([key, ...values]) => [key ?? '', values]));
    },
    cancel: close,
    close,
  };
}
