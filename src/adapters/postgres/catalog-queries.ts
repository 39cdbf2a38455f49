/**
 * Queries on pg_catalog, each one set-based and giving one JSON object per row.
 *
 * They run with an empty search_path, so that the server spells every name in full. What only newer
 * servers have is read through `to_jsonb`, which gives NULL where a column does not exist.
 * `$1` is a JSON array of schema names, or NULL for all but the system's.
 */

const USER_SCHEMA = `left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
    AND ($1::jsonb IS NULL OR n.nspname IN (SELECT jsonb_array_elements_text($1::jsonb)))`;

const notOfExtension = (catalog: string, oid: string): string => `NOT EXISTS (
      SELECT FROM pg_depend e
      WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;

/** Relations of the user, for joins: tables, views and composite types. */
const RELATIONS = `(
    SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND ${USER_SCHEMA}
      AND ${notOfExtension('pg_class', 'c.oid')}) c`;

/** Runs before the search_path is emptied. Takes no parameter. */
export const SERVER = `
  SELECT json_build_object(
    'version', current_setting('server_version'),
    'number', current_setting('server_version_num')::int,
    'database', current_database(),
    'searchPath', to_json(current_schemas(false)))`;

export const SCHEMAS = `
  SELECT json_build_object('name', n.nspname, 'comment', obj_description(n.oid, 'pg_namespace'))
  FROM pg_namespace n WHERE ${USER_SCHEMA} ORDER BY n.nspname`;

export const RELATION_ROWS = `
  SELECT json_build_object(
    'oid', c.oid::text, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
    'comment', d.description,
    'sql', CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid, true) END,
    'partitionOf', (
      SELECT json_build_object('schema', pn.nspname, 'name', pc.relname)
      FROM pg_inherits i
      JOIN pg_class pc ON pc.oid = i.inhparent
      JOIN pg_namespace pn ON pn.oid = pc.relnamespace
      WHERE c.relispartition AND i.inhrelid = c.oid),
    'inherits', (
      SELECT coalesce(
        json_agg(json_build_object('schema', pn.nspname, 'name', pc.relname) ORDER BY i.inhseqno), '[]')
      FROM pg_inherits i
      JOIN pg_class pc ON pc.oid = i.inhparent
      JOIN pg_namespace pn ON pn.oid = pc.relnamespace
      WHERE NOT c.relispartition AND i.inhrelid = c.oid),
    'rows', CASE
      WHEN c.relkind = 'p' THEN (
        SELECT sum(l.reltuples::float8) FILTER (WHERE l.reltuples > 0 OR l.relpages > 0)
        FROM pg_partition_tree(c.oid) t JOIN pg_class l ON l.oid = t.relid WHERE t.isleaf)
      WHEN c.relkind NOT IN ('r', 'f', 'm') OR c.reltuples < 0 THEN NULL
      WHEN current_setting('server_version_num')::int < 140000
        AND c.reltuples = 0 AND c.relpages = 0 THEN NULL
      ELSE c.reltuples::float8 END)
  FROM ${RELATIONS}
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_description d
    ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = 0
  WHERE c.relkind <> 'c'
  ORDER BY n.nspname, c.relname`;

/** `base` is printed with modifier -1: with none at all, bpchar would read `character`, one long. */
export const COLUMN_ROWS = `
  WITH feeding AS (
    SELECT p.refobjid AS relation, p.refobjsubid AS attnum, q.oid AS sequence
    FROM pg_depend p JOIN pg_class q ON q.oid = p.objid AND q.relkind = 'S'
    WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass
      AND p.deptype = 'i'
    UNION ALL
    SELECT ad.adrelid, ad.adnum, q.oid
    FROM pg_attrdef ad
    JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = ad.oid
      AND p.refclassid = 'pg_class'::regclass
    JOIN pg_class q ON q.oid = p.refobjid AND q.relkind = 'S'
    WHERE pg_get_expr(ad.adbin, ad.adrelid) = format('nextval(%L::regclass)', q.oid::regclass))
  SELECT json_build_object(
    'relation', c.oid::text, 'name', a.attname,
    'type', format_type(a.atttypid, a.atttypmod), 'base', format_type(a.atttypid, -1),
    'nullable', NOT (a.attnotnull OR t.typnotnull),
    'default', pg_get_expr(ad.adbin, ad.adrelid),
    'identity', a.attidentity, 'generated', a.attgenerated, 'comment', d.description,
    'sequence', CASE WHEN s.oid IS NOT NULL
      THEN json_build_object('schema', sn.nspname, 'name', s.relname) END)
  FROM ${RELATIONS}
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
  LEFT JOIN pg_description d
    ON d.objoid = c.oid AND d.classoid = 'pg_class'::regclass AND d.objsubid = a.attnum
  LEFT JOIN feeding f ON f.relation = c.oid AND f.attnum = a.attnum
  LEFT JOIN pg_class s ON s.oid = f.sequence
  LEFT JOIN pg_namespace sn ON sn.oid = s.relnamespace
  ORDER BY c.oid, a.attnum`;

export const KEY_ROWS = `
  SELECT json_build_object(
    'relation', i.indrelid::text, 'name', coalesce(k.conname, x.relname),
    'primary', i.indisprimary,
    'columns', (
      SELECT json_agg(a.attname ORDER BY u.n)
      FROM unnest(i.indkey::int2[]) WITH ORDINALITY u(attnum, n)
      LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum AND u.attnum > 0
      WHERE u.n <= i.indnkeyatts),
    'indexed', (
      SELECT json_agg(pg_get_indexdef(i.indexrelid, u.n::int, true) ORDER BY u.n)
      FROM generate_series(1, i.indnkeyatts) u(n)),
    'nullsNotDistinct', coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false),
    'predicate', pg_get_expr(i.indpred, i.indrelid, true))
  FROM ${RELATIONS}
  JOIN pg_index i ON i.indrelid = c.oid AND i.indisunique AND i.indisvalid
  JOIN pg_class x ON x.oid = i.indexrelid
  LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u')
  ORDER BY i.indrelid, i.indisprimary DESC, x.relname`;

/** Copies that a foreign key on a partitioned table makes within its own table are left out. */
const foreignKeyAction = (column: string): string =>
  `CASE ${column} WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' WHEN 'd' THEN 'set default' ELSE 'restrict' END`;

export const FOREIGN_KEY_ROWS = `
  SELECT json_build_object(
    'relation', k.conrelid::text, 'name', k.conname,
    'columns', (
      SELECT json_agg(a.attname ORDER BY u.n)
      FROM unnest(k.conkey) WITH ORDINALITY u(attnum, n)
      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum),
    'schema', n.nspname, 'table', r.relname,
    'onDelete', ${foreignKeyAction('k.confdeltype')}, 'onUpdate', ${foreignKeyAction('k.confupdtype')},
    'referenced', (
      SELECT json_agg(a.attname ORDER BY u.n)
      FROM unnest(k.confkey) WITH ORDINALITY u(attnum, n)
      JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum))
  FROM ${RELATIONS}
  JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f'
  JOIN pg_class r ON r.oid = k.confrelid
  JOIN pg_namespace n ON n.oid = r.relnamespace
  LEFT JOIN pg_constraint p ON p.oid = k.conparentid
  WHERE p.conrelid IS DISTINCT FROM k.conrelid
    AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
  ORDER BY k.conrelid, k.conname`;

export const CHECK_ROWS = `
  SELECT json_build_object(
    'relation', k.conrelid::text, 'name', k.conname,
    'sql', pg_get_expr(k.conbin, k.conrelid, true))
  FROM ${RELATIONS}
  JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'c'
  WHERE coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
  ORDER BY k.conrelid, k.conname`;

/** Triggers and rewrite rules that act in ordinary sessions. */
export const TRIGGER_ROWS = `
  SELECT json_build_object('relation', h.relation::text, 'name', h.name, 'events', h.events)
  FROM (
    SELECT t.tgrelid AS relation, t.tgname AS name,
      array_remove(ARRAY[
        CASE WHEN t.tgtype & 4 > 0 THEN 'insert' END, CASE WHEN t.tgtype & 16 > 0 THEN 'update' END,
        CASE WHEN t.tgtype & 8 > 0 THEN 'delete' END, CASE WHEN t.tgtype & 32 > 0 THEN 'truncate' END], NULL) AS events
    FROM pg_trigger t
    WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')
    UNION ALL
    SELECT r.ev_class, r.rulename,
      ARRAY[CASE r.ev_type WHEN '2' THEN 'update' WHEN '3' THEN 'insert' ELSE 'delete' END]
    FROM pg_rewrite r
    WHERE r.rulename <> '_RETURN' AND r.ev_enabled IN ('O', 'A')) h
  JOIN ${RELATIONS} ON c.oid = h.relation
  ORDER BY h.relation, h.name`;

export const SEQUENCE_ROWS = `
  SELECT json_build_object(
    'schema', n.nspname, 'name', c.relname,
    'start', q.seqstart::text, 'increment', q.seqincrement::text,
    'ownedBy', (
      SELECT json_build_object('schema', tn.nspname, 'table', t.relname, 'column', a.attname)
      FROM pg_depend d
      JOIN pg_class t ON t.oid = d.refobjid
      JOIN pg_namespace tn ON tn.oid = t.relnamespace
      JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
        AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
      LIMIT 1))
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_sequence q ON q.seqrelid = c.oid
  WHERE ${USER_SCHEMA} AND ${notOfExtension('pg_class', 'c.oid')}
  ORDER BY n.nspname, c.relname`;

export const TYPE_ROWS = `
  SELECT json_build_object(
    'schema', n.nspname, 'name', t.typname, 'kind', t.typtype, 'relation', t.typrelid::text,
    'labels', (
      SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
    'base', CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
    'default', CASE WHEN t.typtype = 'd' THEN t.typdefault END)
  FROM pg_type t
  JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_class r ON r.oid = t.typrelid
  WHERE (t.typtype IN ('e', 'd') OR (t.typtype = 'c' AND r.relkind = 'c'))
    AND ${USER_SCHEMA} AND ${notOfExtension('pg_type', 't.oid')}
  ORDER BY n.nspname, t.typname`;

/** Bodies in standard SQL (BEGIN ATOMIC, RETURN) came with version 14. */
export function routineRows(serverVersion: number): string {
  const body =
    serverVersion >= 140_000 ? 'coalesce(pg_get_function_sqlbody(p.oid), p.prosrc)' : 'p.prosrc';
  return `
  SELECT json_build_object(
    'schema', n.nspname, 'name', p.proname, 'kind', p.prokind, 'language', l.lanname,
    'body', ${body}, 'definition', pg_get_functiondef(p.oid),
    'returns', pg_get_function_result(p.oid), 'returnsSet', p.proretset,
    'settings', to_json(p.proconfig), 'volatility', p.provolatile,
    'isTrigger', p.prorettype IN ('trigger'::regtype, 'event_trigger'::regtype),
    'comment', d.description,
    'parameters', (
      SELECT json_agg(json_build_object(
        'name', coalesce(p.proargnames[u.n], ''), 'mode', coalesce(p.proargmodes[u.n], 'i'),
        'type', format_type(u.type, -1),
        'default', pg_get_function_arg_default(p.oid, u.n::int)) ORDER BY u.n)
      FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY u(type, n)))
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_language l ON l.oid = p.prolang
  LEFT JOIN pg_description d
    ON d.objoid = p.oid AND d.classoid = 'pg_proc'::regclass AND d.objsubid = 0
  WHERE p.prokind IN ('f', 'p') AND ${USER_SCHEMA} AND ${notOfExtension('pg_proc', 'p.oid')}
  ORDER BY n.nspname, p.proname, pg_get_function_identity_arguments(p.oid) COLLATE "C"`;
}
