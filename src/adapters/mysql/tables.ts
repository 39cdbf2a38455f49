/** The tables of a server, for the first draft of a plan. */
import type { QualifiedName } from '../../core/catalog/types.ts';
import { query, withSession } from './move_session.ts';
import { followProblems } from './replication.ts';
import { literal } from './sql.ts';

export interface FoundTables {
  /** The database that the URL names; empty where it names none. */
  readonly database: string;
  readonly tables: readonly QualifiedName[];
  /** The log tells their changes. */
  readonly followable: boolean;
}

const SYSTEM = `('mysql', 'sys', 'information_schema', 'performance_schema')`;

/** Base tables of `databases`, of the one that the URL names where these are null, else of all that are not the server's. */
export async function findTables(
  url: string,
  databases: readonly string[] | null,
): Promise<FoundTables> {
  const tables = await withSession(url, undefined, async (connection) => {
    const [row] = await query(connection, 'SELECT DATABASE()');
    const database = row?.[0] ?? '';
    const wanted = databases ?? (database === '' ? null : [database]);
    const rows = await query(
      connection,
      `SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES
        WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ${SYSTEM}
          AND ${wanted === null ? 'TRUE' : `TABLE_SCHEMA IN (${wanted.map(literal).join(', ')})`}
        ORDER BY TABLE_SCHEMA, TABLE_NAME`,
    );
    return {
      database,
      tables: rows.map(([schema, name]) => ({ schema: schema ?? '', name: name ?? '' })),
    };
  });
  return { ...tables, followable: (await followProblems(url)).length === 0 };
}
