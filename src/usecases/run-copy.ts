/**
 * Copies a source into a database of the sandbox: its whole schema, and of the tables that matter
 * the rows, as of one moment. Large tables are sampled; what a sample refers to comes along.
 */
import { qualified, sameName } from '../core/catalog/names.ts';
import type { Catalog, ForeignKey, QualifiedName, Table } from '../core/catalog/types.ts';
import { quoteIdentifier, quoteLiteral, quoteName } from '../core/proof/names.ts';
import { SqlError } from '../ports/sandbox.ts';
import type { SqlSession } from '../ports/sandbox.ts';
import type { ReadSchema } from '../ports/source.ts';

export interface CopyRequest {
  /** A connection to the source that only reads. */
  readonly source: SqlSession;
  /** Tables whose rows lie elsewhere, as pipelines have loaded them; null: all are in the source. */
  readonly loaded: LoadedTables | null;
  /** A connection to an empty database. */
  readonly target: SqlSession;
  readonly readSchema: ReadSchema;
  readonly catalog: Catalog;
  /** Schema of the source that is left out. */
  readonly without: string;
  /** Tables whose rows are copied, by `schema.name`. */
  readonly tables: ReadonlySet<string>;
  /** Larger tables are sampled. */
  readonly maxRows: number;
}

export interface LoadedTables {
  /** A connection that only reads. */
  readonly session: SqlSession;
  /** Where a table of the source is there, by its `schema.name`. */
  readonly places: ReadonlyMap<string, QualifiedName>;
}

export interface CopyResult {
  readonly rows: number;
  /** Tables of which a sample was taken. */
  readonly sampled: readonly QualifiedName[];
  /** Statements that the sandbox refused, with its message. */
  readonly problems: readonly string[];
}

export async function copySource(request: CopyRequest): Promise<CopyResult> {
  const { source, target, readSchema, without } = request;
  const sides = [source, ...(request.loaded === null ? [] : [request.loaded.session])];
  for (const side of sides) {
    await side.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  }
  try {
    const script = await readSchema(source, without);
    await target.query('SET check_function_bodies = off; SET client_min_messages = error');
    const problems = await runAll(target, script.objects);
    const { rows, sampled, filled } = await copyRows(request);
    problems.push(...(await runAll(target, script.afterRows)));
    problems.push(...(await runAll(target, script.sequences)));
    // Without those that are empty: known to be so, they would be planned as if always empty.
    if (filled.length > 0) await target.query(`ANALYZE ${filled.map(quoteName).join(', ')}`);
    return { rows, sampled, problems };
  } finally {
    for (const side of sides) await side.query('ROLLBACK');
  }
}

/** Runs statements in whatever order they work; gives what failed for good. */
async function runAll(session: SqlSession, statements: readonly string[]): Promise<string[]> {
  let left = [...statements];
  let problems: string[] = [];
  for (let before = -1; left.length > 0 && before !== left.length;) {
    before = left.length;
    const failed: string[] = [];
    problems = [];
    for (const statement of left) {
      try {
        await session.query(statement);
      } catch (error) {
        if (!(error instanceof SqlError) || error.isOfServer) throw error;
        failed.push(statement);
        problems.push(`${error.message} (${statement.slice(0, 120).replaceAll(/\s+/gu, ' ')})`);
      }
    }
    left = failed;
  }
  return problems;
}

interface CopiedRows {
  readonly rows: number;
  readonly sampled: readonly QualifiedName[];
  readonly filled: readonly QualifiedName[];
}

async function copyRows(request: CopyRequest): Promise<CopiedRows> {
  const sampled: QualifiedName[] = [];
  const filled: QualifiedName[] = [];
  let rows = 0;
  for (const table of tablesToCopy(request)) {
    // One that the sandbox refused is among the problems already.
    if (!(await exists(request.target, table))) continue;
    const share = await sampleShare(request, table);
    if (share !== null) sampled.push(table.name);
    const copied = await copyTable(request, table, rowsOf(request, table, share));
    if (copied > 0) filled.push(table.name);
    rows += copied;
  }
  rows += await closeForeignKeys(request, sampled);
  return { rows, sampled, filled };
}

async function exists(target: SqlSession, { name }: Table): Promise<boolean> {
  const { rows } = await target.query('SELECT to_regclass($1)', [quoteName(name)]);
  return rows[0]?.[0] !== null;
}

/** Where the rows of a table are. */
function placeOf({ source, loaded }: CopyRequest, { name, kind }: Table) {
  const moved = loaded?.places.get(qualified(name));
  return loaded === null || moved === undefined
    ? { session: source, name, isForeign: kind === 'foreign' }
    : { session: loaded.session, name: moved, isForeign: false };
}

function rowsOf(request: CopyRequest, table: Table, share: number | null): string {
  const { name, isForeign } = placeOf(request, table);
  // What inherits from a table is copied by itself; the parts of a partitioned one come with it.
  const only = table.kind === 'table' ? 'ONLY ' : '';
  const all = `SELECT ${columnList(table)} FROM ${only}${quoteName(name)}`;
  if (share === null) return all;
  return isForeign
    ? `${all} LIMIT ${request.maxRows}`
    : `${all} TABLESAMPLE BERNOULLI (${share}) REPEATABLE (20)`;
}

/** Those that matter, and those that their foreign keys refer to. */
function tablesToCopy({ catalog, tables, without }: CopyRequest): readonly Table[] {
  const byName = new Map(catalog.tables.map((table) => [qualified(table.name), table]));
  const wanted = new Set(tables);
  for (const name of wanted) {
    for (const { references } of byName.get(name)?.foreignKeys ?? []) {
      wanted.add(qualified(references));
    }
  }
  // What belongs to a partitioned table comes with it.
  return catalog.tables.filter(
    ({ name, partitionOf }) =>
      wanted.has(qualified(name)) && partitionOf === undefined && name.schema !== without,
  );
}

/** Per cent of the rows to take; null where the table is small enough to be taken whole. */
async function sampleShare(request: CopyRequest, table: Table): Promise<number | null> {
  const { maxRows } = request;
  const { session, name } = placeOf(request, table);
  const from = quoteName(name);
  const { rows } = await session.query(
    `SELECT count(*) FROM (SELECT FROM ${from} LIMIT ${maxRows + 1}) few`,
  );
  if (Number(rows[0]?.[0]) <= maxRows) return null;
  const all = await session.query(`SELECT count(*) FROM ${from}`);
  return Math.round((maxRows / Number(all.rows[0]?.[0])) * 1e8) / 1e6;
}

async function copyTable(request: CopyRequest, table: Table, query: string): Promise<number> {
  const { session } = placeOf(request, table);
  const into = `${quoteName(table.name)} (${columnList(table)})`;
  const rows = session.copyOut(`COPY (${query}) TO STDOUT`);
  return request.target.copyIn(`COPY ${into} FROM STDIN`, rows);
}

function columnList({ columns }: Table): string {
  return columns
    .filter(({ generatedSql }) => generatedSql === null)
    .map(({ name }) => quoteIdentifier(name))
    .join(', ');
}

const KEYS_AT_ONCE = 5_000;

/** Fetches rows that are referred to and were not in their table's sample, until none is missing. */
async function closeForeignKeys(
  request: CopyRequest,
  sampled: readonly QualifiedName[],
): Promise<number> {
  let rows = 0;
  for (let fetched = -1; fetched !== 0;) {
    fetched = 0;
    for (const child of tablesToCopy(request)) {
      for (const key of child.foreignKeys) {
        if (!sampled.some((name) => sameName(name, key.references))) continue;
        fetched += await fetchMissing(request, child, key);
      }
    }
    rows += fetched;
  }
  return rows;
}

async function fetchMissing(request: CopyRequest, child: Table, key: ForeignKey): Promise<number> {
  const parent = request.catalog.tables.find(({ name }) => sameName(name, key.references));
  if (parent === undefined) return 0;
  const columns = key.columns.map((column) => `c.${quoteIdentifier(column)}`);
  const referenced = key.referencedColumns.map((column) => `p.${quoteIdentifier(column)}`);
  const pairs = columns.map((column, index) => `${referenced[index] ?? ''} = ${column}`);
  const { rows } = await request.target.query(
    `SELECT DISTINCT ${columns.map((column) => `${column}::text`).join(', ')}
     FROM ${quoteName(child.name)} c
     WHERE ${columns.map((column) => `${column} IS NOT NULL`).join(' AND ')}
       AND NOT EXISTS (SELECT FROM ${quoteName(parent.name)} p WHERE ${pairs.join(' AND ')})`,
  );
  const types = key.referencedColumns.map(
    (column) => parent.columns.find(({ name }) => name === column)?.type,
  );
  let fetched = 0;
  for (let from = 0; from < rows.length; from += KEYS_AT_ONCE) {
    const tuples = rows
      .slice(from, from + KEYS_AT_ONCE)
      .map((values) => `(${values.map((value, at) => typed(value, types[at])).join(', ')})`);
    const all = parent.columns
      .filter(({ generatedSql }) => generatedSql === null)
      .map(({ name }) => `p.${quoteIdentifier(name)}`);
    fetched += await copyTable(
      request,
      parent,
      `SELECT ${all.join(', ')} FROM ${quoteName(placeOf(request, parent).name)} p
       WHERE (${referenced.join(', ')}) IN (VALUES ${tuples.join(', ')})`,
    );
  }
  return fetched;
}

/** Of its column's type, so that the source finds it by index. */
function typed(value: string | null, type: string | undefined): string {
  return `CAST(${quoteLiteral(value ?? '')} AS ${type ?? 'text'})`;
}
