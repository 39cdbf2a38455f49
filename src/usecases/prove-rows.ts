/** Makes up rows and changes in databases of the sandbox. */
import { qualified, sameName } from '../core/catalog/names.ts';
import type { Catalog, QualifiedName, Table } from '../core/catalog/types.ts';
import { columnPlace } from '../core/proof/hints/places.ts';
import type { HintBook, Place } from '../core/proof/hints/places.ts';
import { quoteIdentifier, quoteName } from '../core/proof/names.ts';
import { tableChanges } from '../core/proof/rows/changes.ts';
import { joinsOf } from '../core/proof/rows/joins.ts';
import { KEY_COUNT, Pools } from '../core/proof/rows/pools.ts';
import { Random } from '../core/proof/rows/random.ts';
import { parentsFirst, RowMaker } from '../core/proof/rows/rows.ts';
import type { MadeRow } from '../core/proof/rows/rows.ts';
import { advanceSequencesSql, insertSql, someRowsSql } from '../core/proof/rows/sql.ts';
import { familyOf, isOrdinary, isTidy } from '../core/proof/rows/values.ts';
import type { ValueContext } from '../core/proof/rows/values.ts';
import { SqlError } from '../ports/sandbox.ts';
import type { SqlSession } from '../ports/sandbox.ts';

export interface RowSetting {
  readonly catalog: Catalog;
  readonly hints: HintBook;
  readonly values: ValueContext;
  /** Equal seeds make equal rows. */
  readonly seed: string;
}

const ROWS_PER_TABLE = KEY_COUNT;
/** Attempts for a row before a table is given up: constraints may be hard to meet. */
const MOST_FAILURES = 60;
const SAMPLE = 60;
/** Rows that are equal to another but for their keys: ties, wherever there is an order to break. */
const TWINS = 6;

/** Fills empty tables, and those that they refer to. Gives how many rows each got. */
export async function makeRows(
  session: SqlSession,
  setting: RowSetting,
  tables: readonly QualifiedName[],
): Promise<ReadonlyMap<string, number>> {
  const wanted = withParents(setting.catalog, tables);
  const pools = new Pools(setting.catalog, setting.hints, setting.values, new Map());
  const parents = new Map<string, MadeRow[]>();
  const made = new Map<string, number>();
  const done: Table[] = [];
  for (const table of parentsFirst(wanted)) {
    const existing = await sample(session, table);
    const rows: MadeRow[] = [...existing];
    const joined = done.map((other) => ({
      columns: joinsOf(setting.hints, table, other),
      rows: parents.get(qualified(other.name)) ?? [],
    }));
    done.push(table);
    parents.set(qualified(table.name), rows);
    if (existing.length > 0) continue;
    const random = new Random(`${setting.seed} ${qualified(table.name)}`);
    const maker = new RowMaker(table, pools, random, parents, {
      existing,
      nulls: !isOrdinary(setting.values),
      tidy: isTidy(setting.values),
      named: setting.values.wildness === 'named',
      distinct: setting.values.wildness === 'distinct',
      joined,
      firstFree: new Map(),
    });
    for (let failures = 0; rows.length < ROWS_PER_TABLE && failures < MOST_FAILURES;) {
      const isTwin = !isTidy(setting.values) && rows.length >= ROWS_PER_TABLE - TWINS;
      const twin = isTwin ? rows[rows.length % TWINS] : undefined;
      const row = twin === undefined ? maker.next() : maker.twinOf(twin);
      if (row !== null && (await succeeds(session, insertSql(table, row)))) rows.push(row);
      else failures += 1;
    }
    // What a default has made of a row is what others must refer to.
    parents.set(qualified(table.name), [...(await sample(session, table))]);
    for (const sql of advanceSequencesSql(table)) await succeeds(session, sql);
    made.set(qualified(table.name), rows.length);
  }
  return made;
}

/**
 * Changes tables by deletions, updates, copies and new rows, and gives the statements that went
 * through, so that they can be run on another database in the same state.
 */
export async function makeChanges(
  session: SqlSession,
  setting: RowSetting,
  tables: readonly QualifiedName[],
): Promise<readonly string[]> {
  const wanted = parentsFirst(withParents(setting.catalog, tables)).filter(
    ({ kind }) => kind !== 'foreign',
  );
  const samples = await sampleAll(session, wanted);
  const observed = observedValues(setting.hints, wanted, samples);
  const pools = new Pools(setting.catalog, setting.hints, setting.values, observed);
  const done: string[] = [];
  for (const table of wanted) {
    if (!tables.some((name) => sameName(name, table.name))) continue;
    const input = {
      table,
      rows: samples.get(qualified(table.name)) ?? [],
      firstFree: await firstFreeNumbers(session, table),
      parents: samples,
      seed: setting.seed,
    };
    for (const sql of tableChanges(input, pools)) {
      if (await succeeds(session, sql)) done.push(sql);
    }
    samples.set(qualified(table.name), await sample(session, table));
    for (const sql of advanceSequencesSql(table)) if (await succeeds(session, sql)) done.push(sql);
  }
  return done;
}

/** Pools that know what rows hold. */
export async function poolsOf(session: SqlSession, setting: RowSetting): Promise<Pools> {
  const { catalog, hints, values } = setting;
  const tables = catalog.tables.filter(({ kind }) => kind !== 'foreign');
  const observed = observedValues(hints, tables, await sampleAll(session, tables));
  return new Pools(catalog, hints, values, observed);
}

async function sampleAll(
  session: SqlSession,
  tables: readonly Table[],
): Promise<Map<string, readonly MadeRow[]>> {
  const samples = new Map<string, readonly MadeRow[]>();
  for (const table of tables) samples.set(qualified(table.name), await sample(session, table));
  return samples;
}

async function succeeds(session: SqlSession, sql: string): Promise<boolean> {
  try {
    await session.query(sql);
    return true;
  } catch (error) {
    if (error instanceof SqlError && !error.isOfServer) return false;
    throw error;
  }
}

/** The tables and all that they refer to, over any number of foreign keys. */
function withParents(catalog: Catalog, tables: readonly QualifiedName[]): readonly Table[] {
  const found = new Map<string, Table>();
  const pending = [...tables];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const table = catalog.tables.find(
      (candidate) => name !== undefined && sameName(candidate.name, name),
    );
    if (table === undefined || found.has(qualified(table.name))) continue;
    found.set(qualified(table.name), table);
    pending.push(...table.foreignKeys.map(({ references }) => references));
  }
  return catalog.tables.filter((table) => found.has(qualified(table.name)));
}

async function sample(session: SqlSession, table: Table): Promise<readonly MadeRow[]> {
  const { columns, rows } = await session.query(someRowsSql(table, SAMPLE));
  return rows.map((row) =>
    Object.fromEntries(columns.map((column, index) => [column, row[index] ?? null])),
  );
}

function observedValues(
  hints: HintBook,
  tables: readonly Table[],
  samples: ReadonlyMap<string, readonly MadeRow[]>,
): ReadonlyMap<Place, readonly string[]> {
  const observed = new Map<Place, string[]>();
  for (const table of tables) {
    for (const column of table.columns) {
      const root = hints.rootOf(columnPlace(table.name, column.name));
      const values = observed.get(root) ?? [];
      for (const row of samples.get(qualified(table.name)) ?? []) {
        const value = row[column.name];
        if (value != null && !values.includes(value)) values.push(value);
      }
      observed.set(root, values.slice(0, SAMPLE));
    }
  }
  return observed;
}

/** For columns that are a key alone and hold whole numbers: one more than the largest. */
async function firstFreeNumbers(
  session: SqlSession,
  table: Table,
): Promise<ReadonlyMap<string, bigint>> {
  const columns = table.columns.filter(
    ({ name, baseType }) =>
      familyOf(baseType) === 'integer' &&
      table.keys.some((key) => key.columns.length === 1 && key.columns[0] === name),
  );
  const free = new Map<string, bigint>();
  for (const { name } of columns) {
    const sql = `SELECT max(${quoteIdentifier(name)})::bigint FROM ${quoteName(table.name)}`;
    const [row] = (await session.query(sql)).rows;
    if (row?.[0] != null) free.set(name, BigInt(row[0]) + 1n);
  }
  return free;
}
