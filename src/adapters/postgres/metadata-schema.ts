/** Creates the metadata tables from the numbered files in `schema/`, and brings them up to date. */
import { readdir, readFile } from 'node:fs/promises';
import { MetadataError } from '../../ports/metadata.ts';
import { SqlError } from '../../ports/sandbox.ts';
import type { SqlSession } from '../../ports/sandbox.ts';
import { lockInTransaction } from './lock.ts';
import type { Query } from './lock.ts';
import { createMoveTables } from './metadata-pipelines.ts';
import { quoteIdentifier } from './metadata-sql.ts';

interface Migration {
  readonly version: number;
  readonly sql: string;
}

/** The contract's columns, in order: what people's own SQL may name. */
const CONTRACT = {
  wirekite_progress:
    'source,target,operation,transmission,mark,table_name,start_time,finish_time,restarts',
  wirekite_action: 'action',
};

const INSUFFICIENT_PRIVILEGE = '42501';

/**
 * Brings the schema up to date, in one transaction: any number of workers may start at once.
 *
 * @param now moment of the migration, ISO 8601 in UTC
 * @throws {MetadataError} `no-right`, `foreign-table`, `newer-schema`
 */
export async function migrate(session: SqlSession, schema: string, now: string): Promise<void> {
  const migrations = await readMigrations();
  await session.query('BEGIN');
  try {
    await lockInTransaction(session, `${schema}/migration`);
    await applyMissing(session, schema, migrations, now);
    await session.query('COMMIT');
  } catch (error) {
    await session.query('ROLLBACK').catch(() => undefined);
    throw translated(error, schema);
  }
}

async function applyMissing(
  session: Query,
  schema: string,
  migrations: readonly Migration[],
  now: string,
): Promise<void> {
  // IF NOT EXISTS asks for the right to create even where there is nothing to create.
  const found = await session.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]);
  if (found.rowCount === 0) await session.query(`CREATE SCHEMA ${quoteIdentifier(schema)}`);
  await session.query(`SET LOCAL search_path TO ${quoteIdentifier(schema)}`);
  const done = await appliedVersion(session, schema);
  const newest = migrations.at(-1)?.version ?? 0;
  if (done > newest) {
    throw new MetadataError(
      'newer-schema',
      `The tables in schema "${schema}" were made by a newer Sprocket (version ${done}, this one knows ${newest}).`,
      'Update Sprocket here too.',
    );
  }
  if (done === 0) {
    await session.query(
      'CREATE TABLE sprocket_schema (version INT PRIMARY KEY, applied_at TIMESTAMP NOT NULL)',
    );
  }
  for (const { version, sql } of migrations.filter((migration) => migration.version > done)) {
    await session.query(sql);
    await session.query('INSERT INTO sprocket_schema VALUES ($1::int, $2::timestamp)', [
      String(version),
      now,
    ]);
  }
  await createMoveTables(session, schema);
  await checkContract(session, schema);
}

async function appliedVersion(session: Query, schema: string): Promise<number> {
  const { rows } = await session.query(`SELECT to_regclass($1)`, [
    `${quoteIdentifier(schema)}.sprocket_schema`,
  ]);
  if (rows[0]?.[0] === null) return 0;
  const versions = await session.query('SELECT coalesce(max(version), 0) FROM sprocket_schema');
  return Number(versions.rows[0]?.[0] ?? 0);
}

/** Tables of these names may have been there before us, made by hand or by something else. */
async function checkContract(session: Query, schema: string): Promise<void> {
  for (const [table, columns] of Object.entries(CONTRACT)) {
    const { rows } = await session.query(
      `SELECT string_agg(column_name, ',' ORDER BY ordinal_position)
       FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2`,
      [schema, table],
    );
    if (rows[0]?.[0] === columns) continue;
    throw new MetadataError(
      'foreign-table',
      `The table ${schema}.${table} is not Sprocket's: it has the columns ${rows[0]?.[0] ?? '(none)'}.`,
      'Give target.metadata_schema in plan.md another name, or rename that table.',
    );
  }
}

async function readMigrations(): Promise<readonly Migration[]> {
  const folder = new URL('schema/', import.meta.url);
  const names = (await readdir(folder)).filter((name) => /^\d{3}-.*\.sql$/u.test(name)).toSorted();
  return Promise.all(
    names.map(async (name) => ({
      version: Number(name.slice(0, 3)),
      sql: await readFile(new URL(name, folder), 'utf8'),
    })),
  );
}

function translated(error: unknown, schema: string): unknown {
  if (!(error instanceof SqlError) || error.code !== INSUFFICIENT_PRIVILEGE) return error;
  return new MetadataError(
    'no-right',
    `The metadata tables can't be created in schema "${schema}": ${error.message}.`,
    `Let a superuser run: GRANT CREATE ON DATABASE … TO …; or: CREATE SCHEMA ${quoteIdentifier(schema)} AUTHORIZATION ….`,
  );
}
