/** PostgreSQL as the target of a move. */
import type pg from 'pg';
import { travelsBinary } from '../../core/movement/types/binary.ts';
import { movedColumns } from '../../core/movement/types/map.ts';
import type { MoveTarget, TargetTransaction } from '../../ports/move.ts';
import { ConnectionLost } from '../../ports/move.ts';
import { applyStep, load } from './apply.ts';
import { comparedSide } from './checksum.ts';
import { addColumn, addConstraints, addKeyAndIndexes, columnTypes, createTable } from './ddl.ts';
import { createMoveMetadata } from './metadata_move.ts';
import { drop, openClient, query, statementsOf, withSession } from './move_session.ts';
import { tableName } from './sql.ts';

/** Staged rows are few and the table is large: every other join would read the table whole. */
const APPLY_SETTINGS =
  'SET enable_hashjoin = off; SET enable_mergejoin = off; SET synchronous_commit = on';

/** The default of 64 MB sends the keys of a few million rows through files; a restore's session asks for as much. */
const KEY_SETTINGS = `SELECT set_config('maintenance_work_mem', '256MB', false)
  WHERE pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes('256MB')`;

export function openPostgresTarget(url: string): MoveTarget {
  const side = comparedSide(url);
  const idle: pg.Client[] = [];
  let main: Promise<pg.Client> | null = null;

  const onMain = async <T>(use: (client: pg.Client) => Promise<T>): Promise<T> => {
    try {
      return await use(await (main ??= openClient(url)));
    } catch (error) {
      if (error instanceof ConnectionLost) main = null;
      throw error;
    }
  };
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other: the driver is to get a statement only when it is done with the one before. */
  const withMain = <T>(use: (client: pg.Client) => Promise<T>): Promise<T> => {
    const done = last.then(() => onMain(use));
    last = done.catch(() => undefined);
    return done;
  };
  /** What takes long must not hold up what is asked meanwhile: the action, the marks. */
  const withOwn = (stopping: AbortSignal, use: (client: pg.Client) => Promise<void>) =>
    withSession(url, stopping, { label: 'sprocket keys' }, async (client) => {
      await query(client, KEY_SETTINGS);
      await use(client);
    });
  const started = async (client: pg.Client): Promise<pg.Client> => {
    try {
      await query(client, `${APPLY_SETTINGS}; BEGIN`);
      return client;
    } catch (error) {
      await drop(client);
      throw error;
    }
  };
  /** A session that waited may have died with its server; a new one says whether that is still away. */
  const ready = async (): Promise<pg.Client> => {
    for (let pooled = idle.pop(); pooled !== undefined; pooled = idle.pop()) {
      const alive = await started(pooled).catch(() => null);
      if (alive !== null) return alive;
    }
    return started(await openClient(url, { label: 'sprocket load' }));
  };
  const begin = async (): Promise<TargetTransaction> => {
    const client = await ready();
    return {
      ...statementsOf(client),
      load: (mapping, pieces, form) => load(client, mapping, pieces, form),
      apply: (mapping, step) => applyStep(client, mapping, step),
      addColumn: (mapping, column, missing) => addColumn(client, mapping, column, missing),
      async empty(tables) {
        if (tables.length > 0) await query(client, `TRUNCATE ${tables.map(tableName).join(', ')}`);
      },
      async commit() {
        await query(client, 'COMMIT');
        idle.push(client);
      },
      rollback: () => drop(client),
    };
  };
  return {
    dialect: 'postgres',
    capabilities: { exactCollation: 'C', transactionalDdl: true },
    statements: {
      query: (sql, parameters) => withMain((client) => query(client, sql, parameters)),
      change: (sql, parameters) =>
        withMain((client) => statementsOf(client).change(sql, parameters)),
    },
    async claim(name) {
      const client = await openClient(url, { label: 'sprocket claim' });
      const lost = new Promise<never>((_, reject) => {
        client.once('end', () =>
          reject(new ConnectionLost('the session that holds the claim ended')),
        );
      });
      lost.catch(() => undefined);
      const rows = await query(client, 'SELECT pg_try_advisory_lock(hashtextextended(?, 0))', [
        name,
      ]);
      if (rows[0]?.[0] === 't') return { lost, release: () => client.end() };
      await client.end();
      return null;
    },
    createMetadata: (schema) => withMain((client) => createMoveMetadata(client, schema)),
    async hasTypes(types) {
      const rows = await withMain((client) =>
        query(
          client,
          `SELECT t FROM json_array_elements_text(?::json) t WHERE to_regtype(t) IS NOT NULL`,
          [JSON.stringify(types)],
        ),
      );
      return new Set(rows.map((row) => row[0] ?? ''));
    },
    createTable: (mapping, source) => withMain((client) => createTable(client, mapping, source)),
    async isEmpty(table) {
      const rows = await withMain((client) =>
        query(client, `SELECT NOT EXISTS (SELECT 1 FROM ${tableName(table)})`),
      );
      return rows[0]?.[0] === 't';
    },
    async takesBinary(mapping) {
      if (!travelsBinary(mapping)) return false;
      // A table that was there before the plan may have types of its own.
      const types = await withMain((client) => columnTypes(client, mapping.target));
      return movedColumns(mapping).every(
        (column) => types.get(column.target) === column.targetType,
      );
    },
    addKeyAndIndexes: (mapping, stopping) =>
      withOwn(stopping, (client) => addKeyAndIndexes(client, mapping)),
    addConstraints: (mapping, moved, stopping) =>
      withOwn(stopping, (client) => addConstraints(client, mapping, moved)),
    begin,
    side,
    async close() {
      await side.close();
      const open = main === null ? null : await main.catch(() => null);
      await Promise.all([...idle, ...(open === null ? [] : [open])].map((client) => client.end()));
    },
  };
}
