/** Reads what a move needs to know of one table. */
import type pg from 'pg';
import type { QualifiedName } from '../../core/catalog/types.ts';
import type {
  MovedColumn,
  MovedForeignKey,
  MovedIndex,
  MovedTable,
} from '../../core/movement/model.ts';
import { query } from './move_session.ts';

const COLUMNS = `
  SELECT a.attname,
    CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE format_type(a.atttypid, a.atttypmod) END,
    CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, NULL) ELSE format_type(a.atttypid, NULL) END,
    CASE WHEN b.typtype = 'e' THEN 'enum' WHEN b.typcategory = 'A' THEN 'array' WHEN b.typtype IN ('r', 'm') THEN 'range'
         WHEN b.typtype = 'c' THEN 'composite' WHEN b.typnamespace = 'pg_catalog'::regnamespace THEN 'base' ELSE 'other' END,
    information_schema._pg_char_max_length(b.oid, m.mod),
    information_schema._pg_numeric_precision(b.oid, m.mod),
    information_schema._pg_numeric_scale(b.oid, m.mod),
    NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)),
    (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = b.oid),
    a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%', false),
    CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END,
    CASE WHEN a.atthasmissing THEN (a.attmissingval::text::text[])[1] END,
    CASE WHEN b.typname IN ('bit', 'varbit') AND m.mod > 0 THEN m.mod END,
    d.oid IS NULL OR a.atthasmissing OR a.attgenerated <> '',
    a.attnum
  FROM pg_attribute a
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
  CROSS JOIN LATERAL (SELECT CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS mod) m
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = ?::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`;

const INDEXES = `
  SELECT c.relname, i.indisprimary, i.indisunique,
    (SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(i.indkey::int[]) WITH ORDINALITY k(attnum, n)
       JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum WHERE k.n <= i.indnkeyatts),
    i.indexprs IS NULL AND i.indpred IS NULL,
    (SELECT bool_and(a.attnotnull) FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)),
    pg_get_indexdef(i.indexrelid), i.indimmediate, i.indisreplident
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid = ?::oid AND i.indisvalid ORDER BY i.indisprimary DESC, c.relname`;

const FOREIGN_KEYS = `
  SELECT con.conname, rn.nspname, r.relname,
    (SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(con.conkey) WITH ORDINALITY k(attnum, n)
       JOIN pg_attribute a ON a.attrelid = con.conrelid AND a.attnum = k.attnum),
    (SELECT json_agg(a.attname ORDER BY k.n) FROM unnest(con.confkey) WITH ORDINALITY k(attnum, n)
       JOIN pg_attribute a ON a.attrelid = con.confrelid AND a.attnum = k.attnum),
    con.confdeltype, con.confupdtype
  FROM pg_constraint con JOIN pg_class r ON r.oid = con.confrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
  WHERE con.conrelid = ?::oid AND con.contype = 'f' ORDER BY con.conname`;

const RULES: Readonly<Record<string, string>> = {
  a: 'NO ACTION',
  r: 'RESTRICT',
  c: 'CASCADE',
  n: 'SET NULL',
  d: 'SET DEFAULT',
};

function names(json: string | null | undefined): readonly string[] {
  const parsed: unknown = JSON.parse(json ?? '[]');
  return Array.isArray(parsed) ? parsed.map(String) : [];
}

const number = (text: string | null | undefined) =>
  text === null || text === undefined ? null : Number(text);

const KINDS = ['enum', 'array', 'range', 'composite', 'base'] as const;

function column(row: readonly (string | null)[]): MovedColumn {
  const [
    name,
    type,
    baseType,
    kind,
    length,
    precision,
    scale,
    nullable,
    labels,
    auto,
    generated,
    missing,
    bits,
    missingKnown,
    place,
  ] = row;
  return {
    name: name ?? '',
    place: number(place),
    type: type ?? '',
    baseType: baseType ?? '',
    kind: KINDS.find((candidate) => candidate === kind) ?? 'other',
    length: number(length) ?? number(bits),
    precision: number(precision),
    scale: number(scale),
    nullable: nullable === 't',
    labels: names(labels),
    autoIncrement: auto === 't',
    generatedSql: generated ?? null,
    charset: null,
    collation: null,
    fits: null,
    missingValue: missing ?? null,
    missingKnown: missingKnown === 't',
  };
}

/** The table, or null where there is none of this name. */
export async function describeTable(
  client: pg.Client,
  name: QualifiedName,
): Promise<MovedTable | null> {
  const found = await query(
    client,
    `SELECT c.oid, c.relreplident, greatest(c.reltuples, 0)::bigint, pg_relation_size(c.oid) FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ? AND c.relname = ? AND c.relkind IN ('r', 'p')`,
    [name.schema, name.name],
  );
  const [oid, replicaIdentity, rows, bytes] = found[0] ?? [];
  if (oid === undefined || oid === null) return null;
  const columns = (await query(client, COLUMNS, [oid])).map(column);
  const indexes = await query(client, INDEXES, [oid]);
  const foreignKeys = await query(client, FOREIGN_KEYS, [oid]);
  const keys = indexes.filter(
    (row) => row[2] === 't' && row[4] === 't' && row[5] === 't' && row[7] === 't',
  );
  // What the log identifies a row by is its key, where an index was chosen for that.
  const key = keys.find((row) => replicaIdentity === 'i' && row[8] === 't') ?? keys[0];
  const keyIsPrimary = key?.[1] === 't';
  return {
    name,
    columns,
    key: names(key?.[3]),
    keyIsPrimary,
    indexes: indexes
      .filter((row) => row !== key)
      .map((row): MovedIndex => ({
        name: row[0] ?? '',
        unique: row[2] === 't',
        columns: row[4] === 't' ? names(row[3]) : [],
        definition: row[6] ?? null,
      })),
    foreignKeys: foreignKeys.map((row): MovedForeignKey => ({
      name: row[0] ?? '',
      references: { schema: row[1] ?? '', name: row[2] ?? '' },
      columns: names(row[3]),
      referencedColumns: names(row[4]),
      onDelete: RULES[row[5] ?? 'a'] ?? 'NO ACTION',
      onUpdate: RULES[row[6] ?? 'a'] ?? 'NO ACTION',
    })),
    estimatedRows: Number(rows ?? 0),
    estimatedBytes: Number(bytes ?? 0),
    followable:
      replicaIdentity === 'f' ||
      (replicaIdentity === 'd' && keyIsPrimary) ||
      (replicaIdentity === 'i' && key?.[8] === 't'),
  };
}
