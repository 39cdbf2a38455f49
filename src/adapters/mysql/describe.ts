/** Reads what a move needs to know of one table. */
import type { Connection } from 'mysql2';
import type { QualifiedName } from '../../core/catalog/types.ts';
import type {
  MovedColumn,
  MovedForeignKey,
  MovedIndex,
  MovedTable,
} from '../../core/movement/model.ts';
import type { Rows } from '../../ports/move.ts';
import { constantDefault, serverAbilities, unprinted } from './abilities.ts';
import type { Abilities } from './abilities.ts';
import { query } from './move_session.ts';
import { ident, tableName } from './sql.ts';

const COLUMNS = `
  SELECT COLUMN_NAME, COLUMN_TYPE, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, IS_NULLABLE,
         EXTRA, GENERATION_EXPRESSION, CHARACTER_SET_NAME, COLLATION_NAME, COLUMN_DEFAULT
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`;
const INDEXES = `
  SELECT INDEX_NAME, NON_UNIQUE, COLUMN_NAME, NULLABLE, SUB_PART, INDEX_TYPE FROM information_schema.STATISTICS
   WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY INDEX_NAME = 'PRIMARY' DESC, NON_UNIQUE, INDEX_NAME, SEQ_IN_INDEX`;
const FOREIGN_KEYS = `
  SELECT k.CONSTRAINT_NAME, k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, k.COLUMN_NAME, k.REFERENCED_COLUMN_NAME,
         r.DELETE_RULE, r.UPDATE_RULE
    FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
      ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
   WHERE k.TABLE_SCHEMA = ? AND k.TABLE_NAME = ? AND k.REFERENCED_TABLE_NAME IS NOT NULL
   ORDER BY k.CONSTRAINT_NAME, k.ORDINAL_POSITION`;
/** Where JSON is text, this check says so. */
const JSON_CHECKS = `
  SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
   WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ? AND CHECK_CLAUSE LIKE 'json_valid(%'`;

/** `'a','it''s','c\\d'` as its strings. */
function labelsOf(type: string): readonly string[] {
  return [...type.matchAll(/'((?:[^']|'')*)'/g)].map((match) => unprinted(match[1] ?? ''));
}

const number = (text: string | null | undefined) =>
  text === null || text === undefined ? null : Number(text);

function column(
  row: readonly (string | null)[],
  jsonColumns: ReadonlySet<string>,
  abilities: Abilities,
): MovedColumn {
  const [
    name = '',
    type = '',
    dataType = '',
    length,
    precision,
    scale,
    nullable,
    extra,
    generated,
    charset,
    collation,
    initial,
  ] = row;
  const json = jsonColumns.has(name ?? '') || dataType === 'json';
  const unsigned = (type ?? '').includes('unsigned') ? ' unsigned' : '';
  const missing = constantDefault(abilities, initial ?? null, extra ?? '');
  return {
    name: name ?? '',
    place: null,
    type: json ? 'json' : (type ?? ''),
    baseType: json ? 'json' : `${dataType ?? ''}${unsigned}`,
    kind: dataType === 'enum' ? 'enum' : 'base',
    length: dataType === 'bit' ? number(precision) : number(length),
    precision: number(precision),
    scale: number(scale),
    nullable: nullable === 'YES',
    labels: dataType === 'enum' || dataType === 'set' ? labelsOf(type ?? '') : [],
    autoIncrement: (extra ?? '').includes('auto_increment'),
    generatedSql:
      generated === null || generated === undefined || generated === '' ? null : generated,
    charset: charset ?? null,
    collation: collation ?? null,
    fits: null,
    missingValue: missing ?? null,
    missingKnown: missing !== undefined,
  };
}

function indexesOf(
  rows: Rows,
): readonly (MovedIndex & { readonly keyable: boolean; readonly primary: boolean })[] {
  return [...Map.groupBy(rows, (row) => row[0] ?? '')].map(([name, parts]) => {
    const plain = parts.every((part) => part[5] === 'BTREE' && part[2] !== null);
    const whole = parts.every((part) => part[4] === null);
    const unique = parts[0]?.[1] === '0';
    return {
      name,
      unique,
      columns: plain ? parts.map((part) => part[2] ?? '') : [],
      definition: plain
        ? parts
            .map((part) => `${ident(part[2] ?? '')}${part[4] === null ? '' : `(${part[4]})`}`)
            .join(', ')
        : null,
      keyable: unique && plain && whole && parts.every((part) => part[3] !== 'YES'),
      primary: name === 'PRIMARY',
    };
  });
}

function foreignKeysOf(rows: Rows): readonly MovedForeignKey[] {
  return [...Map.groupBy(rows, (row) => row[0] ?? '')].map(([name, parts]) => ({
    name,
    references: { schema: parts[0]?.[1] ?? '', name: parts[0]?.[2] ?? '' },
    columns: parts.map((part) => part[3] ?? ''),
    referencedColumns: parts.map((part) => part[4] ?? ''),
    onDelete: parts[0]?.[5] ?? 'NO ACTION',
    onUpdate: parts[0]?.[6] ?? 'NO ACTION',
  }));
}

/** What the data says where the type leaves it open; null where it does not. */
async function fits(
  connection: Connection,
  name: QualifiedName,
  moved: MovedColumn,
): Promise<boolean | null> {
  const at = ident(moved.name);
  const outside = moved.type.startsWith('tinyint(1)')
    ? `${at} NOT IN (0, 1)`
    : moved.baseType === 'time'
      ? `${at} < '00:00:00' OR ${at} > '24:00:00'`
      : null;
  if (outside === null) return null;
  return (
    (await query(connection, `SELECT 1 FROM ${tableName(name)} WHERE ${outside} LIMIT 1`))
      .length === 0
  );
}

/** The table, or null where there is none of this name. */
export async function describeTable(
  connection: Connection,
  name: QualifiedName,
  inspect: boolean,
): Promise<MovedTable | null> {
  const at = [name.schema, name.name];
  const found = await query(
    connection,
    `SELECT TABLE_ROWS, DATA_LENGTH FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND TABLE_TYPE = 'BASE TABLE'`,
    at,
  );
  const [rows, bytes] = found[0] ?? [];
  if (found.length === 0) return null;
  const abilities = await serverAbilities(connection);
  const checks = abilities.jsonIsCheckedText ? await query(connection, JSON_CHECKS, at) : [];
  const json = new Set(checks.flatMap((row) => /`((?:[^`]|``)*)`/.exec(row[0] ?? '')?.[1] ?? []));
  const columns: MovedColumn[] = [];
  for (const row of await query(connection, COLUMNS, at)) {
    const moved = column(row, json, abilities);
    columns.push(inspect ? { ...moved, fits: await fits(connection, name, moved) } : moved);
  }
  const indexes = indexesOf(await query(connection, INDEXES, at));
  const key = indexes.find(({ keyable }) => keyable);
  return {
    name,
    columns,
    key: key?.columns ?? [],
    keyIsPrimary: key?.primary ?? false,
    indexes: indexes.filter((index) => index !== key),
    foreignKeys: foreignKeysOf(await query(connection, FOREIGN_KEYS, at)),
    estimatedRows: Number(rows ?? 0),
    estimatedBytes: Number(bytes ?? 0),
    followable: true,
  };
}
