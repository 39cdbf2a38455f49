/** The tables of the target: created with their key, which orders the rows; indexed after them. */
import { createHash } from 'node:crypto';
import type { Connection } from 'mysql2';
import { qualified, sameName } from '../../core/catalog/names.ts';
import type { QualifiedName } from '../../core/catalog/types.ts';
import { MoveError } from '../../core/movement/errors.ts';
import type { ColumnMapping, TableMapping } from '../../core/movement/model.ts';
import { fill } from '../../core/movement/types/map.ts';
import { query } from './move_session.ts';
import { ident, literal, tableName } from './sql.ts';

const list = (names: readonly string[]) => names.map(ident).join(', ');

function columnSql(column: ColumnMapping, autoIncrement: boolean): string {
  const name = ident(column.target);
  const parts = [name, column.targetType];
  if (column.generatedSql !== null)
    parts.push(`GENERATED ALWAYS AS (${column.generatedSql}) STORED`);
  else parts.push(column.nullable ? 'NULL' : 'NOT NULL');
  // Without a default of its own the first timestamp of a table would change with every update.
  if (column.targetType.startsWith('timestamp') && !column.nullable)
    parts.push(`DEFAULT '2000-01-01 00:00:00'`);
  if (autoIncrement) parts.push('AUTO_INCREMENT');
  if (column.check !== null) parts.push(`CHECK (${fill(column.check, name)})`);
  return parts.join(' ');
}

async function columnsThere(
  connection: Connection,
  table: QualifiedName,
): Promise<readonly string[]> {
  const rows = await query(
    connection,
    'SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [table.schema, table.name],
  );
  return rows.map((row) => row[0] ?? '');
}

export async function createTable(
  connection: Connection,
  mapping: TableMapping,
  collation: string,
): Promise<void> {
  await query(connection, `CREATE DATABASE IF NOT EXISTS ${ident(mapping.target.schema)}`);
  const there = await columnsThere(connection, mapping.target);
  const missing = mapping.columns.filter((column) => !there.includes(column.target));
  if (there.length > 0 && missing.length > 0) {
    const name = qualified(mapping.target);
    throw new MoveError(
      'target-not-empty',
      `${name} is there already, without the column ${missing.map(({ target }) => target).join(', ')}. ` +
        `Drop the table, or name another target in the plan.`,
      name,
    );
  }
  const counted = (column: ColumnMapping) =>
    column.autoIncrement && mapping.key[0] === column.source;
  const parts = mapping.columns.map((column) => columnSql(column, counted(column)));
  if (mapping.key.length > 0) {
    parts.push(`${mapping.keyIsPrimary ? 'PRIMARY KEY' : 'UNIQUE KEY'} (${list(mapping.key)})`);
  }
  await query(
    connection,
    `CREATE TABLE IF NOT EXISTS ${tableName(mapping.target)} (${parts.join(', ')}) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE ${collation}`,
  );
}

function objectName(table: QualifiedName, name: string): string {
  const hash = createHash('sha256')
    .update(`${qualified(table)}.${name}`)
    .digest('hex')
    .slice(0, 8);
  return `${name.slice(0, 55)}_${hash}`;
}

export async function addIndexes(
  connection: Connection,
  mapping: TableMapping,
  unique: boolean,
): Promise<void> {
  const there = await query(
    connection,
    'SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [mapping.target.schema, mapping.target.name],
  );
  const names = new Set(there.map((row) => row[0]));
  for (const index of mapping.indexes.filter((candidate) => candidate.unique === unique)) {
    const name = objectName(mapping.target, index.name);
    if (names.has(name) || index.columns.length === 0) continue;
    const columns = index.definition ?? list(index.columns);
    await query(
      connection,
      `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${ident(name)} ON ${tableName(mapping.target)} (${columns})`,
    );
  }
}

export async function addConstraints(
  connection: Connection,
  mapping: TableMapping,
  moved: readonly TableMapping[],
): Promise<void> {
  await addIndexes(connection, mapping, true);
  const there = await query(
    connection,
    'SELECT CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ?',
    [mapping.target.schema, mapping.target.name],
  );
  for (const key of mapping.foreignKeys) {
    const target = moved.find((candidate) => sameName(candidate.source, key.references));
    const name = objectName(mapping.target, key.name);
    if (target === undefined || there.some((row) => row[0] === name)) continue;
    if (key.referencedColumns.join() !== target.key.join())
      await addIndexes(connection, target, true);
    const rule = (text: string) => (text === 'SET DEFAULT' ? 'NO ACTION' : text);
    // Checked like any other: rows that refer to nothing are an error, not a constraint that does not hold.
    await query(connection, 'SET SESSION foreign_key_checks = 1');
    try {
      await query(
        connection,
        `ALTER TABLE ${tableName(mapping.target)} ADD CONSTRAINT ${ident(name)} FOREIGN KEY (${list(key.columns)})
          REFERENCES ${tableName(target.target)} (${list(key.referencedColumns)})
          ON DELETE ${rule(key.onDelete)} ON UPDATE ${rule(key.onUpdate)}`,
      );
    } finally {
      await query(connection, 'SET SESSION foreign_key_checks = 0');
    }
  }
}

/** MySQL before 8.0.29 and its kin have no ADD COLUMN IF NOT EXISTS in common. */
export async function addColumn(
  connection: Connection,
  mapping: TableMapping,
  column: string,
  missing: string | null,
): Promise<void> {
  const added = mapping.columns.find((candidate) => candidate.source === column);
  if (
    added === undefined ||
    (await columnsThere(connection, mapping.target)).includes(added.target)
  )
    return;
  const name = ident(added.target);
  await query(
    connection,
    `ALTER TABLE ${tableName(mapping.target)} ADD COLUMN ${columnSql({ ...added, nullable: true }, false)}`,
  );
  if (missing !== null) {
    const value = added.write === null ? literal(missing) : fill(added.write, literal(missing));
    await query(connection, `UPDATE ${tableName(mapping.target)} SET ${name} = ${value}`);
  }
}
