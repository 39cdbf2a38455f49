/** What there is to compare in a database, and which of it has been touched since a moment. */
import { z } from 'zod';
import type { QualifiedName } from '../../catalog/types.ts';
import { PROOF_SCHEMA, quoteName } from '../names.ts';

const columnSchema = z.object({
  name: z.string(),
  /** With length and precision, every name qualified. */
  type: z.string(),
  /** Without them. */
  base: z.string(),
  /** `real` and `double precision`, also below a domain. */
  float: z.boolean(),
  /** An integer type of any width. */
  integer: z.boolean(),
});

const relationSchema = z.object({
  schema: z.string(),
  name: z.string(),
  kind: z.enum(['table', 'view', 'materialized view']),
  columns: z.array(columnSchema),
});

export type RelationColumn = z.infer<typeof columnSchema>;

export interface Relation {
  readonly name: QualifiedName;
  readonly kind: 'table' | 'view' | 'materialized view';
  readonly columns: readonly RelationColumn[];
}

/** One row with one JSON text for each table and view outside of the system's and the proof's schemas. */
export const RELATIONS_SQL = `
SELECT json_build_object('schema', n.nspname, 'name', c.relname,
         'kind', CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END,
         'columns', coalesce((
           SELECT json_agg(json_build_object(
                    'name', a.attname,
                    'type', format_type(a.atttypid, a.atttypmod),
                    'base', format_type(a.atttypid, NULL),
                    'float', base.oid IN ('float4'::regtype, 'float8'::regtype),
                    'integer', base.oid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype))
                  ORDER BY a.attnum)
             FROM pg_catalog.pg_attribute a
             JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
             JOIN pg_catalog.pg_type base
               ON base.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
            WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'::json))
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', '${PROOF_SCHEMA}')
   AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp\\_%'
   -- What an extension brings with it is not the procedures' work.
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname`;

export function parseRelation(json: string | null): Relation {
  const { schema, name, kind, columns } = relationSchema.parse(JSON.parse(json ?? 'null'));
  return { name: { schema, name }, kind, columns };
}

/** Names the moment after which rows count as written; ask it before the run, in the same database. */
export const MOMENT_SQL = 'SELECT pg_current_xact_id()::text::bigint % 4294967296';

/**
 * One row for each table, in order: how many rows it has, and how many of them were written since
 * `moment`. A table with as many rows as before and none written since is as it was before: an
 * update writes a row, and a deletion alone leaves one less.
 */
export function touchedSql(tables: readonly QualifiedName[], moment: string): string {
  const selects = tables.map(
    (table, index) =>
      `SELECT ${index} AS i, count(*), count(*) FILTER (WHERE ${writtenSince('xmin', moment)}) FROM ${quoteName(table)}`,
  );
  return `${selects.join('\nUNION ALL ')}\nORDER BY i`;
}

/**
 * SQL condition: the row whose `xmin` is given was written since the moment: it is of equal age or
 * younger. The ages of two numbers of transactions wrap around together.
 */
export function writtenSince(xmin: string, moment: string): string {
  return `age(${xmin}) <= age('${moment}'::xid)`;
}
