/** Reads everything that Sprocket knows of a PostgreSQL database (version 13 or newer). */
import { z } from 'zod';
import type { Catalog } from '../../core/catalog/types.ts';
import { CatalogError } from '../../ports/catalog.ts';
import type { CatalogScope } from '../../ports/catalog.ts';
import { SqlError } from '../../ports/sandbox.ts';
import type { SqlSession } from '../../ports/sandbox.ts';
import { routines, sequences, tables, types, views } from './catalog-assemble.ts';
import type { RelationParts } from './catalog-assemble.ts';
import * as queries from './catalog-queries.ts';
import * as rows from './catalog-rows.ts';

const OLDEST_VERSION = 130_000;

/**
 * Reads the catalog in one read-only snapshot. The session must have no transaction open.
 * Objects of the system and of extensions are left out; every name in SQL text is qualified.
 * Throws `CatalogError`, or what the session throws where the connection is lost.
 */
export async function readCatalog(session: SqlSession, scope: CatalogScope = {}): Promise<Catalog> {
  await session.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    return await readInTransaction(session, scope);
  } catch (error) {
    throw readError(error);
  } finally {
    await session.query('ROLLBACK').catch(ignoreLostConnection);
  }
}

async function readInTransaction(session: SqlSession, scope: CatalogScope): Promise<Catalog> {
  const schemas = scope.schemas === undefined ? null : JSON.stringify(scope.schemas);
  const read = async <T>(sql: string, schema: z.ZodType<T>): Promise<readonly T[]> => {
    const result = await session.query(sql, sql.includes('$1') ? [schemas] : []);
    return result.rows.map(([json]) => schema.parse(JSON.parse(json ?? 'null')));
  };
  const [server] = await read(queries.SERVER, rows.serverSchema);
  if (server === undefined || server.number < OLDEST_VERSION) throw tooOld(server?.version);
  // Compiling these queries takes longer than running them.
  await session.query("SET LOCAL search_path = ''; SET LOCAL jit = off");

  const found = await read(queries.SCHEMAS, rows.schemaSchema);
  refuseUnknown(scope.schemas ?? [], new Set(found.map((schema) => schema.name)));
  const parts: RelationParts = {
    relations: await read(queries.RELATION_ROWS, rows.relationSchema),
    columns: await read(queries.COLUMN_ROWS, rows.columnSchema),
    keys: await read(queries.KEY_ROWS, rows.keySchema),
    foreignKeys: await read(queries.FOREIGN_KEY_ROWS, rows.foreignKeySchema),
    checks: await read(queries.CHECK_ROWS, rows.checkSchema),
    triggers: await read(queries.TRIGGER_ROWS, rows.triggerSchema),
  };
  return {
    dialect: 'postgres',
    version: server.version,
    database: server.database,
    searchPath: server.searchPath.filter((schema) => !schema.startsWith('pg_')),
    tables: tables(parts),
    views: views(parts),
    routines: routines(await read(queries.routineRows(server.number), rows.routineSchema)),
    sequences: sequences(await read(queries.SEQUENCE_ROWS, rows.sequenceSchema)),
    types: types(await read(queries.TYPE_ROWS, rows.typeSchema), parts.columns),
    schemaComments: Object.fromEntries(
      found.flatMap(({ name, comment }) => (comment === null ? [] : [[name, comment]])),
    ),
  };
}

function tooOld(version: string | undefined): CatalogError {
  return new CatalogError(
    'unsupported-version',
    `The server is PostgreSQL ${version ?? 'of an unknown version'}; 13 or newer is needed.`,
    'Upgrade the server, or restore a dump of it into a newer one and use that as the source.',
  );
}

function refuseUnknown(asked: readonly string[], found: ReadonlySet<string>): void {
  const missing = asked.filter((schema) => !found.has(schema));
  if (missing.length === 0) return;
  throw new CatalogError(
    'unknown-schema',
    `The database has no schema ${missing.map((name) => JSON.stringify(name)).join(', ')}.`,
    'Name schemas as the database stores them: case counts.',
  );
}

/** What the catalog should never give is the server's doing, not the user's: say what it was. */
function readError(error: unknown): unknown {
  if (error instanceof SqlError || error instanceof z.ZodError || error instanceof SyntaxError) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : error.message;
    return new CatalogError(
      'unreadable',
      `The catalog can't be read: ${what}`,
      'Check that the server is PostgreSQL itself, and that the role may read pg_catalog.',
    );
  }
  return error;
}

/** The read itself has failed already, and its error says more. */
function ignoreLostConnection(): void {}
