/** Loads files and applies changes inside the caller's transaction. */
import type { Connection } from 'mysql2';
import { qualified } from '../../core/catalog/names.ts';
import type { FieldText } from '../../core/movement/changes.ts';
import { UNCHANGED } from '../../core/movement/changes.ts';
import { MoveError } from '../../core/movement/errors.ts';
import type { ColumnMapping, TableMapping } from '../../core/movement/model.ts';
import type { Step } from '../../core/movement/net.ts';
import { patchesOf } from '../../core/movement/patches.ts';
import { fill, movedColumns } from '../../core/movement/types/map.ts';
import type { Rows } from '../../ports/move.ts';
import { copyIn } from './copy.ts';
import { change, query } from './move_session.ts';
import { ident, literal, tableName } from './sql.ts';

const ROWS_PER_PIECE = 2000;
/** What one statement names; a packet of a megabyte holds them. */
const DIGESTS_AT_ONCE = 20_000;
const STAGE = ident('sprocket_stage');
const list = (columns: readonly ColumnMapping[]) =>
  columns.map(({ target }) => ident(target)).join(', ');

async function* linesOf(rows: readonly FieldText[]): AsyncIterable<Buffer> {
  for (let at = 0; at < rows.length; at += ROWS_PER_PIECE) {
    yield Buffer.from(`${rows.slice(at, at + ROWS_PER_PIECE).join('\n')}\n`, 'latin1');
  }
}

function loadSql(into: string, columns: readonly ColumnMapping[]): string {
  const places = columns.map((column, index) =>
    column.write === null ? ident(column.target) : `@v${index}`,
  );
  const sets = columns.flatMap((column, index) =>
    column.write === null ? [] : [`${ident(column.target)} = ${fill(column.write, `@v${index}`)}`],
  );
  return (
    String.raw`LOAD DATA LOCAL INFILE 'wire' INTO TABLE ${into} CHARACTER SET utf8mb4 ` +
    String.raw`FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' (${places.join(', ')})` +
    (sets.length === 0 ? '' : ` SET ${sets.join(', ')}`)
  );
}

/** Loads wire text; resolves to the rows that came in. */
export function load(
  connection: Connection,
  mapping: TableMapping,
  pieces: AsyncIterable<Buffer>,
): Promise<number> {
  return copyIn(connection, loadSql(tableName(mapping.target), movedColumns(mapping)), pieces);
}

/** A table of the session for rows on their way. CREATE and DROP TEMPORARY end no transaction; TRUNCATE would. */
async function stage(
  connection: Connection,
  mapping: TableMapping,
  columns: readonly ColumnMapping[],
  rows: readonly FieldText[],
): Promise<string> {
  const staged = `${ident(mapping.target.schema)}.${STAGE}`;
  const definitions = columns.map((column) => `${ident(column.target)} ${column.targetType} NULL`);
  await query(connection, `DROP TEMPORARY TABLE IF EXISTS ${staged}`);
  await query(
    connection,
    `CREATE TEMPORARY TABLE ${staged} (${definitions.join(', ')}) ENGINE=InnoDB`,
  );
  const came = await copyIn(connection, loadSql(staged, columns), linesOf(rows));
  if (came !== rows.length) throw new Error(`${came} of ${rows.length} changes came in`);
  return staged;
}

const matching = (mapping: TableMapping, columns: readonly ColumnMapping[]) =>
  columns
    .filter((column) => mapping.key.includes(column.source))
    .map(({ target }) => `t.${ident(target)} = s.${ident(target)}`)
    .join(' AND ');

const keyColumns = (mapping: TableMapping) =>
  movedColumns(mapping).filter((column) => mapping.key.includes(column.source));

async function deleteKeys(
  connection: Connection,
  mapping: TableMapping,
  keys: readonly FieldText[],
): Promise<void> {
  if (keys.length === 0) return;
  const columns = keyColumns(mapping);
  const staged = await stage(connection, mapping, columns, keys);
  await change(
    connection,
    `DELETE t FROM ${staged} s STRAIGHT_JOIN ${tableName(mapping.target)} t ON ${matching(mapping, columns)}`,
  );
}

async function upsert(
  connection: Connection,
  mapping: TableMapping,
  rows: readonly FieldText[],
): Promise<void> {
  if (rows.length === 0) return;
  const columns = movedColumns(mapping);
  const staged = await stage(connection, mapping, columns, rows);
  const sets = columns.map(({ target }) => `${ident(target)} = VALUES(${ident(target)})`);
  await change(
    connection,
    `INSERT INTO ${tableName(mapping.target)} (${list(columns)}) SELECT ${list(columns)} FROM ${staged}
       ON DUPLICATE KEY UPDATE ${sets.join(', ')}`,
  );
}

/** Rows with values left out, one UPDATE for each set of columns that is there. */
async function patch(
  connection: Connection,
  mapping: TableMapping,
  rows: readonly FieldText[],
): Promise<void> {
  for (const { columns, rows: staging, changed } of patchesOf(mapping, rows)) {
    const staged = await stage(connection, mapping, columns, staging);
    const sets = changed.map((name) => `t.${ident(name)} = s.${ident(name)}`);
    await change(
      connection,
      `UPDATE ${staged} s STRAIGHT_JOIN ${tableName(mapping.target)} t ON ${matching(mapping, columns)} SET ${sets.join(', ')}`,
    );
  }
}

/** The row of `from` gets the values of `row`, also its key; values left out stay. */
async function move(
  connection: Connection,
  mapping: TableMapping,
  from: FieldText,
  row: FieldText,
): Promise<void> {
  const columns = movedColumns(mapping);
  const keys = keyColumns(mapping);
  const table = tableName(mapping.target);
  const old = keys.map((column) => ({ ...column, target: `old ${column.target}`.slice(0, 64) }));
  const fields = row.split('\t');
  const kept = columns.flatMap((column, index) =>
    fields[index] === UNCHANGED ? [] : [{ column, field: fields[index] ?? '' }],
  );
  const staged = await stage(
    connection,
    mapping,
    [...old, ...kept.map(({ column }) => column)],
    [[from, ...kept.map(({ field }) => field)].join('\t')],
  );
  const at = (side: readonly ColumnMapping[]) =>
    keys
      .map((key, index) => `t.${ident(key.target)} = s.${ident(side[index]?.target ?? '')}`)
      .join(' AND ');
  const sets = kept
    .map(({ column }) => `t.${ident(column.target)} = s.${ident(column.target)}`)
    .join(', ');
  const there = await query(
    connection,
    `SELECT 1 FROM ${staged} s JOIN ${table} t ON ${at(keys)} LIMIT 1`,
  );
  if (there.length > 0) {
    // A file that was read again after a crash may have brought the row under its new key already.
    await change(connection, `DELETE t FROM ${staged} s STRAIGHT_JOIN ${table} t ON ${at(old)}`);
    await change(
      connection,
      `UPDATE ${staged} s STRAIGHT_JOIN ${table} t ON ${at(keys)} SET ${sets}`,
    );
    return;
  }
  await change(connection, `UPDATE ${staged} s STRAIGHT_JOIN ${table} t ON ${at(old)} SET ${sets}`);
}

/** A digest of a whole row; text that two collations may call equal goes into it by its bytes. */
function digest(columns: readonly ColumnMapping[]): string {
  const parts = columns.map(({ target, targetType }) => {
    const name = ident(target);
    // Only 6 digits of a float are printed.
    const value = targetType.startsWith('float') ? `CAST(${name} AS DOUBLE)` : name;
    return `IFNULL(MD5(${value}), '-')`;
  });
  return `MD5(CONCAT(${parts.join(', ')}))`;
}

/**
 * Rows of a table without a key: as many of each as were removed, whichever of their equals. In one pass over the table for
 * those that all go; where some of their equals stay, by themselves.
 */
async function remove(
  connection: Connection,
  mapping: TableMapping,
  rows: readonly FieldText[],
): Promise<void> {
  const columns = movedColumns(mapping);
  const staged = await stage(connection, mapping, columns, rows);
  const whole = digest(columns);
  const wanted = await query(
    connection,
    `SELECT ${whole} AS k, COUNT(*) FROM ${staged} GROUP BY k`,
  );
  for (let at = 0; at < wanted.length; at += DIGESTS_AT_ONCE)
    await removeSome(connection, mapping, whole, wanted.slice(at, at + DIGESTS_AT_ONCE));
}

async function removeSome(
  connection: Connection,
  mapping: TableMapping,
  whole: string,
  wanted: Rows,
): Promise<void> {
  const table = tableName(mapping.target);
  const among = (rows: Rows) => `${whole} IN (${rows.map(([k]) => literal(k ?? '')).join(', ')})`;
  const counted = await query(
    connection,
    `SELECT ${whole} AS k, COUNT(*) FROM ${table} WHERE ${among(wanted)} GROUP BY k`,
  );
  const found = new Map(counted.map(([k, count]) => [k, Number(count)]));
  const left = ([k, count]: Rows[number]) => (found.get(k ?? '') ?? 0) - Number(count);
  if (wanted.some((row) => left(row) < 0)) {
    const name = qualified(mapping.target);
    throw new MoveError(
      'sides-differ',
      `${name} has no row equal to one that the source removed: somebody else wrote to it. ` +
        `Reset the pipelines and load again, and keep other writers away until cutover.`,
      name,
    );
  }
  const all = wanted.filter((row) => left(row) === 0);
  if (all.length > 0) await change(connection, `DELETE FROM ${table} WHERE ${among(all)}`);
  for (const row of wanted.filter((candidate) => left(candidate) > 0))
    await change(connection, `DELETE FROM ${table} WHERE ${among([row])} LIMIT ${Number(row[1])}`);
}

export async function applyStep(
  connection: Connection,
  mapping: TableMapping,
  step: Step,
): Promise<void> {
  switch (step.kind) {
    case 'truncate':
      // TRUNCATE would end the transaction.
      await change(connection, `DELETE FROM ${tableName(mapping.target)}`);
      return;
    case 'net':
      await deleteKeys(connection, mapping, step.deletes);
      await upsert(connection, mapping, step.upserts);
      await patch(connection, mapping, step.patches);
      return;
    case 'move':
      await move(connection, mapping, step.from, step.row);
      return;
    case 'append':
      await load(connection, mapping, linesOf(step.rows));
      return;
    case 'remove':
      await remove(connection, mapping, step.rows);
  }
}
