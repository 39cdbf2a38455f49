/** One snapshot of the source, read in ranges of the key. */
import type { Connection } from 'mysql2';
import { qualified } from '../../core/catalog/names.ts';
import type { KeyColumn, KeyRange, TableMapping } from '../../core/movement/model.ts';
import { refusalMessage } from '../../core/movement/row.ts';
import { fill } from '../../core/movement/types/map.ts';
import type { Snapshot, SnapshotReader } from '../../ports/move.ts';
import { serverAbilities } from './abilities.ts';
import { copyOut } from './copy.ts';
import { lineColumns } from './lines.ts';
import { drop, openConnection, query } from './move_session.ts';
import { logPosition, noLog } from './replication.ts';
import { ident, keyText, rangeCondition, tableName } from './sql.ts';

/** The session's snapshot and its place in the log; where the server can't tell, under a lock of a moment. */
export async function openSnapshot(url: string, exact: boolean): Promise<Snapshot> {
  const connection = await openConnection(url);
  await query(connection, 'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  const position = await beginSnapshot(connection, exact);
  return {
    position,
    reader: readerOf(connection),
    close: async () => drop(connection),
  };
}

const BEGIN = 'START TRANSACTION WITH CONSISTENT SNAPSHOT';

/** Gives the snapshot's place in the log where it is to be `exact`. */
async function beginSnapshot(connection: Connection, exact: boolean): Promise<string | null> {
  const { snapshotTellsPosition } = await serverAbilities(connection);
  if (!exact || snapshotTellsPosition) {
    await query(connection, BEGIN);
    return exact ? snapshotPosition(connection) : null;
  }
  // Writers wait behind one who waits for this lock: better to try again than to wait long.
  await query(connection, 'SET SESSION lock_wait_timeout = 3');
  await query(connection, 'FLUSH TABLES WITH READ LOCK');
  try {
    await query(connection, BEGIN);
    return await logPosition(connection);
  } finally {
    await query(connection, 'UNLOCK TABLES');
  }
}

async function snapshotPosition(connection: Connection): Promise<string> {
  const rows = await query(connection, `SHOW STATUS LIKE 'binlog_snapshot_%'`);
  const status = new Map(rows.map((row) => [(row[0] ?? '').toLowerCase(), row[1] ?? '']));
  const file = status.get('binlog_snapshot_file') ?? '';
  const offset = status.get('binlog_snapshot_position') ?? '';
  if (file === '' || offset === '') throw noLog();
  return `${file}:${offset}`;
}

/** `column = value` for each column of the first such row's key; null where there is no such row. */
async function findRow(
  connection: Connection,
  mapping: TableMapping,
  condition: string,
): Promise<readonly string[] | null> {
  const keys = mapping.key.map((name) => `CAST(${ident(name)} AS CHAR)`);
  const rows = await query(
    connection,
    `SELECT ${keys.length > 0 ? keys.join(', ') : '1'} FROM ${tableName(mapping.source)} WHERE ${condition} LIMIT 1`,
  );
  const row = rows[0];
  return row === undefined
    ? null
    : mapping.key.map((name, index) => `${name} = ${row[index] ?? 'NULL'}`);
}

function readerOf(connection: Connection): SnapshotReader {
  return {
    async extent(table, key) {
      const column = ident(key.name);
      const rows = await query(
        connection,
        `SELECT MIN(${column}), MAX(${column}) FROM ${tableName(table)}`,
      );
      const [min, max] = rows[0] ?? [];
      return typeof min === 'string' && typeof max === 'string' ? [BigInt(min), BigInt(max)] : null;
    },
    async bound(table, key, lower, rows) {
      const found = await query(
        connection,
        `SELECT ${key.map(keyText).join(', ')} FROM ${tableName(table)}
          WHERE ${rangeCondition(key, { lower, upper: null })}
          ORDER BY ${key.map((column) => ident(column.name)).join(', ')} LIMIT 1 OFFSET ${rows - 1}`,
      );
      return found[0]?.map((value) => value ?? '') ?? null;
    },
    read(mapping, key, range) {
      return copyOut(
        connection,
        lineColumns(mapping),
        `FROM ${tableName(mapping.source)} WHERE ${rangeCondition(key, range)}`,
      );
    },
    findRefused: (mapping, key, range) => findRefused(connection, mapping, key, range),
    async countNulled(mapping) {
      const zero = mapping.columns.filter((column) => column.convert === 'zero-date-null');
      if (zero.length === 0) return 0;
      const counts = zero.map((column) => {
        const name = ident(column.source);
        return `COUNT(${name}) - COUNT(${fill(column.read, name)})`;
      });
      const rows = await query(
        connection,
        `SELECT ${counts.join(' + ')} FROM ${tableName(mapping.source)}`,
      );
      return Number(rows[0]?.[0] ?? 0);
    },
  };
}

async function findRefused(
  connection: Connection,
  mapping: TableMapping,
  key: readonly KeyColumn[],
  range: KeyRange,
): Promise<string | null> {
  for (const column of mapping.columns) {
    for (const refusal of column.refuses) {
      const at = await findRow(
        connection,
        mapping,
        `${rangeCondition(key, range)} AND (${fill(refusal.sql, ident(column.source))})`,
      );
      if (at !== null)
        return refusalMessage(qualified(mapping.source), at, column.source, refusal.values);
    }
  }
  return null;
}
