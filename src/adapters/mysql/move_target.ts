/** MySQL or MariaDB as the target of a move. */
import type { Connection } from 'mysql2';
import { fitted } from '../../core/movement/names.ts';
import type { MoveTarget, TargetTransaction } from '../../ports/move.ts';
import { ConnectionLost } from '../../ports/move.ts';
import { applyStep, load } from './apply.ts';
import { comparedSide } from './checksum.ts';
import { addColumn, addConstraints, addIndexes, createTable } from './ddl.ts';
import { createMoveMetadata } from './metadata_move.ts';
import { change, drop, openConnection, query, statementsOf, withSession } from './move_session.ts';
import { ident, tableName } from './sql.ts';

const LOCK_NAME = 64;

export function openMysqlTarget(url: string): MoveTarget {
  const side = comparedSide(url);
  const idle: Connection[] = [];
  let main: Promise<Connection> | null = null;
  let exactCollation = 'utf8mb4_nopad_bin';
  let metadata: string | null = null;

  const withMain = async <T>(use: (connection: Connection) => Promise<T>): Promise<T> => {
    try {
      return await use(await (main ??= openConnection(url)));
    } catch (error) {
      if (error instanceof ConnectionLost) main = null;
      throw error;
    }
  };
  const started = async (connection: Connection): Promise<Connection> => {
    try {
      // A DELETE that joins wants some database to be the present one, whatever its tables say.
      if (metadata !== null) await query(connection, `USE ${ident(metadata)}`);
      await query(connection, 'START TRANSACTION');
      return connection;
    } catch (error) {
      drop(connection);
      throw error;
    }
  };
  /** A session that waited may have died with its server; a new one says whether that is still away. */
  const ready = async (): Promise<Connection> => {
    for (let pooled = idle.pop(); pooled !== undefined; pooled = idle.pop()) {
      const alive = await started(pooled).catch(() => null);
      if (alive !== null) return alive;
    }
    return started(await openConnection(url));
  };
  const begin = async (): Promise<TargetTransaction> => {
    const connection = await ready();
    return {
      ...statementsOf(connection),
      load: (mapping, pieces) => load(connection, mapping, pieces),
      apply: (mapping, step) => applyStep(connection, mapping, step),
      async addColumn(mapping, column, missing) {
        await addColumn(connection, mapping, column, missing);
        await query(connection, 'START TRANSACTION');
      },
      // TRUNCATE would end the transaction, and with it the promise that progress goes together with the rows.
      async empty(tables) {
        for (const table of tables) await change(connection, `DELETE FROM ${tableName(table)}`);
      },
      async commit() {
        await query(connection, 'COMMIT');
        idle.push(connection);
      },
      rollback: async () => drop(connection),
    };
  };
  return {
    dialect: 'mysql',
    get capabilities() {
      return { exactCollation, transactionalDdl: false };
    },
    statements: {
      query: (sql, parameters) => withMain((connection) => query(connection, sql, parameters)),
      change: (sql, parameters) => withMain((connection) => change(connection, sql, parameters)),
    },
    async claim(name) {
      const connection = await openConnection(url);
      const lost = new Promise<never>((_, reject) => {
        const gone = () => reject(new ConnectionLost('the session that holds the claim ended'));
        connection.once('error', gone);
        connection.once('end', gone);
      });
      lost.catch(() => undefined);
      const rows = await query(connection, 'SELECT GET_LOCK(?, 0)', [fitted(name, LOCK_NAME)]);
      const release = async () => {
        // A session that ends lets go of it too, but only once the server has seen that.
        await query(connection, 'SELECT RELEASE_LOCK(?)', [fitted(name, LOCK_NAME)]).catch(
          () => undefined,
        );
        drop(connection);
      };
      if (rows[0]?.[0] === '1') return { lost, release };
      drop(connection);
      return null;
    },
    createMetadata: (schema) =>
      withMain(async (connection) => {
        const known = await query(
          connection,
          `SELECT COLLATION_NAME FROM information_schema.COLLATIONS WHERE COLLATION_NAME IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin')`,
        );
        exactCollation = known[0]?.[0] ?? 'utf8mb4_bin';
        await createMoveMetadata(connection, schema);
        metadata = schema;
      }),
    // Types of its own are all that it has.
    hasTypes: async () => new Set(),
    createTable: (mapping) =>
      withMain((connection) => createTable(connection, mapping, exactCollation)),
    async isEmpty(table) {
      return withMain(
        async (connection) =>
          (await query(connection, `SELECT 1 FROM ${tableName(table)} LIMIT 1`)).length === 0,
      );
    },
    takesBinary: async () => false,
    // What takes long must not hold up what is asked meanwhile: the action, the marks.
    addKeyAndIndexes: (mapping, stopping) =>
      withSession(url, stopping, (connection) => addIndexes(connection, mapping, false)),
    addConstraints: (mapping, moved, stopping) =>
      withSession(url, stopping, (connection) => addConstraints(connection, mapping, moved)),
    begin,
    side,
    async close() {
      await side.close();
      const open = main === null ? null : await main.catch(() => null);
      for (const connection of [...idle, ...(open === null ? [] : [open])]) connection.destroy();
    },
  };
}
