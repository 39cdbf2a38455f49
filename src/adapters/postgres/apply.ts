/** Loads files and applies changes inside the caller's transaction. */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { qualified } from '../../core/catalog/names.ts';
import type { FieldText } from '../../core/movement/changes.ts';
import { UNCHANGED } from '../../core/movement/changes.ts';
import { MoveError } from '../../core/movement/errors.ts';
import type { ColumnMapping, TableMapping } from '../../core/movement/model.ts';
import type { Step } from '../../core/movement/net.ts';
import { patchesOf } from '../../core/movement/patches.ts';
import { keyPlaces } from '../../core/movement/row.ts';
import { movedColumns } from '../../core/movement/types/map.ts';
import { decodeField, fromBinary } from '../../core/movement/wire.ts';
import type { RowForm } from '../../ports/move.ts';
import { copyIn } from './copy.ts';
import { query, statementsOf } from './move_session.ts';
import { ident, tableName } from './sql.ts';

const ROWS_PER_PIECE = 2000;
const list = (columns: readonly ColumnMapping[]) =>
  columns.map((column) => ident(column.target)).join(', ');

async function* linesOf(rows: readonly FieldText[]): AsyncIterable<Buffer> {
  for (let at = 0; at < rows.length; at += ROWS_PER_PIECE) {
    yield Buffer.from(`${rows.slice(at, at + ROWS_PER_PIECE).join('\n')}\n`, 'latin1');
  }
}

/** Loads rows; resolves to how many came in. */
export function load(
  client: pg.Client,
  mapping: TableMapping,
  pieces: AsyncIterable<Buffer>,
  form: RowForm,
): Promise<number> {
  const into = `${tableName(mapping.target)} (${list(movedColumns(mapping))})`;
  return copyIn(client, `COPY ${into} FROM STDIN (FORMAT ${form})`, pieces);
}

/** A table of the session for rows on their way, with the target's types and nothing else. */
async function stage(
  client: pg.Client,
  mapping: TableMapping,
  columns: readonly ColumnMapping[],
  rows: readonly FieldText[],
): Promise<string> {
  const target = tableName(mapping.target);
  const shape = `${target}(${columns.map((column) => column.target + column.targetType).join()})`;
  const name = ident(`sprocket_${createHash('sha256').update(shape).digest('hex').slice(0, 16)}`);
  const there = await query(client, `SELECT to_regclass(?) IS NOT NULL`, [`pg_temp.${name}`]);
  await query(
    client,
    there[0]?.[0] === 't'
      ? `TRUNCATE pg_temp.${name}`
      : `CREATE TEMP TABLE ${name} ON COMMIT DELETE ROWS AS SELECT ${list(columns)} FROM ${target} WITH NO DATA`,
  );
  await copyIn(client, `COPY pg_temp.${name} (${list(columns)}) FROM STDIN`, linesOf(rows));
  return `pg_temp.${name}`;
}

const matching = (mapping: TableMapping, columns: readonly ColumnMapping[]) =>
  columns
    .filter((column) => mapping.key.includes(column.source))
    .map((column) => `t.${ident(column.target)} = s.${ident(column.target)}`)
    .join(' AND ');

async function deleteKeys(
  client: pg.Client,
  mapping: TableMapping,
  keys: readonly FieldText[],
): Promise<void> {
  if (keys.length === 0) return;
  const columns = movedColumns(mapping);
  const keyColumns = keyPlaces(mapping).flatMap((place) => columns[place] ?? []);
  // Keys come in the order of the columns, as a logged row gives them.
  const ordered = columns.filter((column) => keyColumns.includes(column));
  const staged = await stage(client, mapping, ordered, keys);
  await query(
    client,
    `DELETE FROM ${tableName(mapping.target)} t USING ${staged} s WHERE ${matching(mapping, ordered)}`,
  );
}

async function upsert(
  client: pg.Client,
  mapping: TableMapping,
  rows: readonly FieldText[],
): Promise<void> {
  if (rows.length === 0) return;
  const columns = movedColumns(mapping);
  const staged = await stage(client, mapping, columns, rows);
  const others = columns.filter((column) => !mapping.key.includes(column.source));
  const sets = others.map(({ target }) => `${ident(target)} = EXCLUDED.${ident(target)}`);
  await query(
    client,
    `INSERT INTO ${tableName(mapping.target)} (${list(columns)}) SELECT ${list(columns)} FROM ${staged}
       ON CONFLICT (${mapping.key.map(ident).join(', ')}) DO ${sets.length === 0 ? 'NOTHING' : `UPDATE SET ${sets.join(', ')}`}`,
  );
}

/** Rows with values left out, one UPDATE for each set of columns that is there. */
async function patch(
  client: pg.Client,
  mapping: TableMapping,
  rows: readonly FieldText[],
): Promise<void> {
  for (const { columns, rows: staging, changed } of patchesOf(mapping, rows)) {
    const staged = await stage(client, mapping, columns, staging);
    const sets = changed.map((name) => `${ident(name)} = s.${ident(name)}`);
    await query(
      client,
      `UPDATE ${tableName(mapping.target)} t SET ${sets.join(', ')} FROM ${staged} s WHERE ${matching(mapping, columns)}`,
    );
  }
}

function valueOf(field: string | undefined): string | null {
  const value = decodeField(field ?? '\\N');
  return value === null ? null : fromBinary(value);
}

async function move(
  client: pg.Client,
  mapping: TableMapping,
  from: FieldText,
  row: FieldText,
): Promise<void> {
  const columns = movedColumns(mapping);
  const fields = row.split('\t');
  const kept = columns.flatMap((column, index) =>
    fields[index] === UNCHANGED ? [] : [{ column, value: valueOf(fields[index]) }],
  );
  const keys = columns.filter((column) => mapping.key.includes(column.source));
  const cast = (column: ColumnMapping) => `${ident(column.target)} = ?::${column.targetType}`;
  const table = tableName(mapping.target);
  const at = keys.map(cast).join(' AND ');
  const old = from.split('\t').map(valueOf);
  const to = keys.map((key) => valueOf(fields[columns.indexOf(key)]));
  const set = `UPDATE ${table} SET ${kept.map(({ column }) => cast(column)).join(', ')} WHERE ${at}`;
  const values = kept.map(({ value }) => value);
  // A file that was read again after a crash may have brought the row under its new key already.
  await query(
    client,
    `DELETE FROM ${table} WHERE ${at} AND EXISTS (SELECT 1 FROM ${table} WHERE ${at})`,
    [...old, ...to],
  );
  const moved = await statementsOf(client).change(set, [...values, ...old]);
  if (moved === 0) await query(client, set, [...values, ...to]);
}

/**
 * Rows of a table without a key: as many of each as were removed, whichever of their equals. In one pass over the table for
 * all of them; equal is what prints alike, since 1.0 and 1.00 are not the same row.
 */
async function remove(
  client: pg.Client,
  mapping: TableMapping,
  rows: readonly FieldText[],
): Promise<void> {
  const columns = movedColumns(mapping);
  const table = tableName(mapping.target);
  const staged = await stage(client, mapping, columns, rows);
  const printed = `ROW(${list(columns)})::text`;
  const numbered = (from: string, rest: string) =>
    `SELECT ${rest}k, row_number() OVER (PARTITION BY k) AS n FROM ${from}`;
  // Both sides are large here.
  await query(client, 'SET LOCAL enable_hashjoin = on');
  const removed = await statementsOf(client).change(
    `WITH wanted AS MATERIALIZED (${numbered(`(SELECT ${printed} AS k FROM ${staged}) s`, '')}),
          found AS (SELECT ctid AS at, ${printed} AS k FROM ${table} WHERE ${printed} IN (SELECT k FROM wanted)),
          chosen AS (SELECT at FROM (${numbered('found', 'at, ')}) f WHERE (k, n) IN (SELECT k, n FROM wanted))
     DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT at FROM chosen))`,
  );
  await query(client, 'SET LOCAL enable_hashjoin = off');
  if (removed !== rows.length) {
    const name = qualified(mapping.target);
    throw new MoveError(
      'sides-differ',
      `${name} has no row equal to one that the source removed: somebody else wrote to it. ` +
        `Reset the pipelines and load again, and keep other writers away until cutover.`,
      name,
    );
  }
}

export async function applyStep(
  client: pg.Client,
  mapping: TableMapping,
  step: Step,
): Promise<void> {
  switch (step.kind) {
    case 'truncate':
      await query(client, `TRUNCATE ${tableName(mapping.target)}`);
      return;
    case 'net':
      await deleteKeys(client, mapping, step.deletes);
      await upsert(client, mapping, step.upserts);
      await patch(client, mapping, step.patches);
      return;
    case 'move':
      await move(client, mapping, step.from, step.row);
      return;
    case 'append':
      await load(client, mapping, linesOf(step.rows), 'text');
      return;
    case 'remove':
      await remove(client, mapping, step.rows);
  }
}
