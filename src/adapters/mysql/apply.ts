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
import { copyIn } from './copy.ts';
import { change, query } from './move_session.ts';
import { ident, tableName } from './sql.ts';

const ROWS_PER_PIECE = 2000;
const STAGE = ident('sprocket_stage');
/** Text that two collations may call equal is compared by its bytes. */
const TEXTUAL = /^(?:varchar|char|tinytext|text|mediumtext|longtext|enum|set|json)/;

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

/** One row of a table without a key: exactly one goes, whichever of its equals. */
async function remove(
  connection: Connection,
  mapping: TableMapping,
  row: FieldText,
): Promise<void> {
  const columns = movedColumns(mapping);
  const staged = await stage(connection, mapping, columns, [row]);
  // A temporary table can't be opened twice in one statement: its row is taken into variables first.
  const variables = columns.map((_, index) => `@r${index}`);
  await query(connection, `SELECT ${list(columns)} INTO ${variables.join(', ')} FROM ${staged}`);
  const same = columns.map(({ target, targetType }, index) =>
    TEXTUAL.test(targetType)
      ? `BINARY ${ident(target)} <=> BINARY @r${index}`
      : `${ident(target)} <=> @r${index}`,
  );
  const removed = await change(
    connection,
    `DELETE FROM ${tableName(mapping.target)} WHERE ${same.join(' AND ')} LIMIT 1`,
  );
  if (removed !== 1) {
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
      await remove(connection, mapping, step.row);
  }
}
