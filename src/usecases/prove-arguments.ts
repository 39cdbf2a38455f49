/**
 * Chooses values for parameters that have no default and that nobody has given: from what the
 * routine compares them with, tried on the data until a call goes through and changes rows.
 */
import type { Catalog, Routine } from '../core/catalog/types.ts';
import { routineId } from '../core/catalog/names.ts';
import { parameterClues } from '../core/proof/argument-candidates.ts';
import type { ParameterClues } from '../core/proof/argument-candidates.ts';
import { callSql } from '../core/proof/call.ts';
import { columnPlace } from '../core/proof/hints/places.ts';
import { readHints } from '../core/proof/hints/read.ts';
import { quoteIdentifier, quoteName } from '../core/proof/names.ts';
import type { Translation } from '../core/translate/types.ts';
import type { SqlSession } from '../ports/sandbox.ts';
import { SqlError } from '../ports/sandbox.ts';
import type { ArgumentValues } from './prove-context.ts';

const MOST_TRIES = 12;

/** Values by routine, those that were given included. The session's database stays as it is. */
export async function chooseArguments(
  session: SqlSession,
  catalog: Catalog,
  translations: readonly Translation[],
  given: ReadonlyMap<string, ArgumentValues>,
): Promise<ReadonlyMap<string, ArgumentValues>> {
  const ids = new Set(translations.map((translation) => translation.routine));
  const routines = catalog.routines.filter((routine) => ids.has(routineId(routine)));
  const book = readHints(catalog, catalog.routines);
  const sources = columnsByPlace(catalog);
  const chosen = new Map(given);
  for (const routine of routines) {
    const id = routineId(routine);
    const own = given.get(id) ?? {};
    const clues = parameterClues(routine, book, own);
    if (clues.length === 0) continue;
    const candidates: (readonly string[])[] = [];
    for (const clue of clues) candidates.push(await candidatesFor(session, clue, sources));
    chosen.set(id, await firstThatWorks(session, routine, own, clues, candidates));
  }
  return chosen;
}

/** Tables and columns, as SQL, by the name under which hints know them. */
function columnsByPlace(catalog: Catalog): ReadonlyMap<string, { table: string; column: string }> {
  return new Map(
    catalog.tables.flatMap((table) =>
      table.columns.map((column) => [
        columnPlace(table.name, column.name),
        { table: quoteName(table.name), column: quoteIdentifier(column.name) },
      ]),
    ),
  );
}

/** Expressions for one parameter, the likeliest first, at least one. */
async function candidatesFor(
  session: SqlSession,
  clue: ParameterClues,
  sources: ReadonlyMap<string, { table: string; column: string }>,
): Promise<readonly string[]> {
  const ends: string[] = [];
  for (const { place } of clue.columns) {
    const source = sources.get(place);
    if (!source) continue;
    const { table, column } = source;
    const order = clue.isLower ? ['min', 'max'] : ['max', 'min'];
    const found = await attempt(
      session,
      `SELECT ${order.map((end) => `quote_literal(${end}(CAST(${column} AS ${clue.type}))::text)`).join(', ')} FROM ${table}`,
    );
    const [first, second] = found?.rows[0] ?? [];
    for (const value of [first, second]) {
      if (value) ends.push(`CAST(${value} AS ${clue.type})`);
    }
  }
  const next = /^(smallint|integer|bigint)$/u.test(clue.type)
    ? ends.slice(0, 2).map((value) => `CAST(${value} + 1 AS ${clue.type})`)
    : [];
  return [...new Set([...ends.slice(0, 4), ...clue.literals, ...next, clue.fallback])];
}

/** The first set of values with which the routine runs and changes rows; else one that runs. */
async function firstThatWorks(
  session: SqlSession,
  routine: Routine,
  given: ArgumentValues,
  clues: readonly ParameterClues[],
  candidates: readonly (readonly string[])[],
): Promise<ArgumentValues> {
  const most = Math.min(MOST_TRIES, Math.max(...candidates.map((list) => list.length)));
  const sets = Array.from({ length: most }, (_value, index): ArgumentValues => {
    const values = clues.map((clue, position) => {
      const list = candidates[position] ?? [];
      return [clue.name, list[Math.min(index, list.length - 1)] ?? clue.fallback] as const;
    });
    return { ...given, ...Object.fromEntries(values) };
  });
  let runs: ArgumentValues | null = null;
  for (const values of sets) {
    const changed = await tryCall(session, callSql(routine, values));
    if (changed !== null && changed > 0) return values;
    if (changed !== null) runs ??= values;
  }
  return runs ?? sets[0] ?? given;
}

/** Rows that a call changes, taken back afterwards; null where it fails. */
async function tryCall(session: SqlSession, call: string): Promise<number | null> {
  await session.query('BEGIN');
  try {
    await session.query(call);
    const counted = await session.query(
      'SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables',
    );
    return Number(counted.rows[0]?.[0] ?? 0);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    // A routine that commits can't be tried like this; it got that far without another error.
    return error.message.includes('invalid transaction termination') ? 1 : null;
  } finally {
    await session.query('ROLLBACK');
  }
}

async function attempt(
  session: SqlSession,
  query: string,
): Promise<Awaited<ReturnType<SqlSession['query']>> | null> {
  try {
    return await session.query(query);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return null;
  }
}
