/** Makes a database ready for a proof: the proof's clock, no silent handlers, statistics. */
import type { Catalog, QualifiedName } from '../core/catalog/types.ts';
import { instrumentation, setClockSql } from '../core/proof/instrument/routines.ts';
import type { Instrumentation } from '../core/proof/instrument/routines.ts';
import { quoteIdentifier, quoteLiteral, quoteName } from '../core/proof/names.ts';
import type { Translation } from '../core/translate/types.ts';
import type { SqlSession } from '../ports/sandbox.ts';
import { observe } from './prove-compare.ts';

/** Statements of the instrumentation that the server refused leave that object as it was. */
export async function instrument(
  session: SqlSession,
  catalog: Catalog,
  translations: readonly Translation[],
  clock: string,
): Promise<Instrumentation & { readonly refused: readonly string[] }> {
  const changes = instrumentation(catalog, translations, clock);
  const refused: string[] = [];
  await session.query('SET check_function_bodies = off');
  for (const statement of changes.statements) {
    await session.query(statement).catch((error: unknown) => {
      refused.push(error instanceof Error ? error.message : String(error));
    });
  }
  await analyzeFilled(session);
  return { ...changes, refused };
}

/** Those that nobody has looked at. Tables without rows are left unknown: with statistics they would be planned as if always empty. */
async function analyzeFilled(session: SqlSession): Promise<void> {
  const { rows } = await observe(session);
  const tables = (await session.query(TABLE_NAMES)).rows.flatMap(([key, name]) =>
    (rows.get(key ?? '') ?? '0') === '0' || name == null ? [] : [name],
  );
  if (tables.length > 0) await session.query(`ANALYZE ${tables.join(', ')}`);
}

const TABLE_NAMES = `
SELECT n.nspname || '.' || c.relname, format('%I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND c.reltuples < 0`;

export async function setClock(session: SqlSession, clock: string): Promise<void> {
  await session.query(setClockSql(clock));
}

/** The newest date or time in each column of tables that has one. */
export async function newestMoments(
  session: SqlSession,
  catalog: Catalog,
  tables: readonly QualifiedName[],
  now: Date,
): Promise<readonly Date[]> {
  const limit = quoteLiteral(now.toISOString());
  const selects = catalog.tables
    .filter(({ name }) =>
      tables.some((table) => table.schema === name.schema && table.name === name.name),
    )
    .flatMap((table) =>
      table.columns
        .filter(({ baseType }) => baseType === 'date' || baseType.startsWith('timestamp'))
        .map(({ name }) => {
          const column = quoteIdentifier(name);
          return `SELECT extract(epoch FROM max(${column}))::bigint FROM ${quoteName(table.name)} WHERE ${column} <= ${limit}`;
        }),
    );
  if (selects.length === 0) return [];
  const { rows } = await session.query(selects.join('\nUNION ALL '));
  return rows.flatMap(([seconds]) => (seconds == null ? [] : [new Date(Number(seconds) * 1000)]));
}
