/** One snapshot of the source, read in ranges of the key. */
import type pg from 'pg';
import { qualified } from '../../core/catalog/names.ts';
import type { QualifiedName } from '../../core/catalog/types.ts';
import type { KeyColumn, KeyRange, TableMapping } from '../../core/movement/model.ts';
import { refusalMessage } from '../../core/movement/row.ts';
import { fill, movedColumns } from '../../core/movement/types/map.ts';
import type { Snapshot, SnapshotReader, Waiting } from '../../ports/move.ts';
import { copyOut } from './copy.ts';
import { drop, openClient, query } from './move_session.ts';
import { withExportedSnapshot } from './replication.ts';
import type { ExportedSnapshot } from './replication.ts';
import { ident, literal, rangeCondition, tableName } from './sql.ts';

/** `translate` rewrites what only COPY can read; given for targets that are not PostgreSQL. */
export function openSnapshot(
  url: string,
  exact: boolean,
  translate: (() => (chunk: Buffer) => Buffer) | null,
  waiting: Waiting,
): Promise<Snapshot> {
  const open = async (exported: ExportedSnapshot | null): Promise<Snapshot> => {
    const client = await openClient(url);
    await query(client, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    if (exported !== null)
      await query(client, `SET TRANSACTION SNAPSHOT ${literal(exported.name)}`);
    // The snapshot is taken by the first statement, not by BEGIN.
    await query(client, 'SELECT 1');
    return {
      position: exported?.position ?? null,
      reader: readerOf(client, translate),
      close: () => drop(client),
    };
  };
  return exact ? withExportedSnapshot(url, waiting, open) : open(null);
}

function readerOf(
  client: pg.Client,
  translate: (() => (chunk: Buffer) => Buffer) | null,
): SnapshotReader {
  return {
    async extent(table, key) {
      const column = ident(key.name);
      const rows = await query(
        client,
        `SELECT min(${column}), max(${column}) FROM ${tableName(table)}`,
      );
      const [min, max] = rows[0] ?? [];
      return min === null || min === undefined || max === null || max === undefined
        ? null
        : [BigInt(min), BigInt(max)];
    },
    bound: (table, key, lower, rows) => boundAfter(client, table, key, lower, rows),
    read(mapping, key, range, form) {
      const columns = movedColumns(mapping)
        .map((column) => fill(column.read, ident(column.source)))
        .join(', ');
      return copyOut(
        client,
        `COPY (SELECT ${columns} FROM ${tableName(mapping.source)} WHERE ${rangeCondition(key, range)}) TO STDOUT (FORMAT ${form})`,
        translate?.() ?? null,
      );
    },
    findRefused: (mapping, key, range) => findRefused(client, mapping, key, range),
    countNulled: () => Promise.resolve(0),
  };
}

async function boundAfter(
  client: pg.Client,
  table: QualifiedName,
  key: readonly KeyColumn[],
  lower: readonly string[] | null,
  rows: number,
): Promise<readonly string[] | null> {
  const columns = key.map((column) => ident(column.name)).join(', ');
  const found = await query(
    client,
    `SELECT ${key.map((column) => `${ident(column.name)}::text`).join(', ')} FROM ${tableName(table)}
      WHERE ${rangeCondition(key, { lower, upper: null })} ORDER BY ${columns} OFFSET ${rows - 1} LIMIT 1`,
  );
  return found[0]?.map((value) => value ?? '') ?? null;
}

async function findRefused(
  client: pg.Client,
  mapping: TableMapping,
  key: readonly KeyColumn[],
  range: KeyRange,
): Promise<string | null> {
  for (const column of mapping.columns) {
    for (const refusal of column.refuses) {
      const keys = mapping.key.map((name) => `${ident(name)}::text`);
      const found = await query(
        client,
        `SELECT ${keys.length > 0 ? keys.join(', ') : '1'} FROM ${tableName(mapping.source)}
          WHERE ${rangeCondition(key, range)} AND (${fill(refusal.sql, ident(column.source))}) LIMIT 1`,
      );
      const row = found[0];
      if (row !== undefined) {
        const at = mapping.key.map((name, index) => `${name} = ${row[index] ?? 'NULL'}`);
        return refusalMessage(qualified(mapping.source), at, column.source, refusal.values);
      }
    }
  }
  return null;
}
