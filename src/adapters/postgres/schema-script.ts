/**
 * The schema of a database as SQL, spelled by the server itself: what `pg_dump --schema-only` gives,
 * as far as procedures and their rows depend on it. Owners, rights, comments and storage are left out.
 */
import type { SqlSession } from '../../ports/sandbox.ts';
import type { SchemaScript } from '../../ports/source.ts';

const USER_SCHEMA = `left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
  AND n.nspname <> $1`;

const notOfExtension = (catalog: string, oid: string): string => `NOT EXISTS (
  SELECT FROM pg_depend e
  WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;

const SCHEMAS = `
  SELECT format('CREATE SCHEMA IF NOT EXISTS %I', n.nspname)
  FROM pg_namespace n WHERE ${USER_SCHEMA} ORDER BY n.nspname`;

const EXTENSIONS = `
  SELECT format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA %I', e.extname, n.nspname)
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
  WHERE e.extname <> 'plpgsql' AND $1 <> '' ORDER BY e.extname`;

const TYPES = `
  SELECT CASE t.typtype
    WHEN 'e' THEN format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname, (
      SELECT string_agg(quote_literal(l.enumlabel), ', ' ORDER BY l.enumsortorder)
      FROM pg_enum l WHERE l.enumtypid = t.oid))
    WHEN 'd' THEN format('CREATE DOMAIN %I.%I AS %s%s%s%s', n.nspname, t.typname,
      format_type(t.typbasetype, t.typtypmod),
      CASE WHEN t.typdefault IS NULL THEN '' ELSE ' DEFAULT ' || t.typdefault END,
      CASE WHEN t.typnotnull THEN ' NOT NULL' ELSE '' END, (
      SELECT coalesce(string_agg(format(' CONSTRAINT %I %s', k.conname,
        pg_get_constraintdef(k.oid)), '' ORDER BY k.conname), '')
      FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'))
    WHEN 'c' THEN format('CREATE TYPE %I.%I AS (%s)', n.nspname, t.typname, (
      SELECT string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
        ORDER BY a.attnum)
      FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
    WHEN 'r' THEN (
      SELECT format('CREATE TYPE %I.%I AS RANGE (subtype = %s)', n.nspname, t.typname,
        format_type(r.rngsubtype, NULL)) FROM pg_range r WHERE r.rngtypid = t.oid)
    END
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_class c ON c.oid = t.typrelid
  WHERE t.typtype IN ('e', 'd', 'c', 'r') AND (t.typrelid = 0 OR c.relkind = 'c')
    AND ${USER_SCHEMA} AND ${notOfExtension('pg_type', 't.oid')}
  ORDER BY t.oid`;

/** Those of identity columns come with their tables. */
const SEQUENCES = `
  SELECT format('CREATE SEQUENCE %I.%I AS %s INCREMENT %s MINVALUE %s MAXVALUE %s START %s%s',
    n.nspname, c.relname, format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax,
    s.seqstart, CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END)
  FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE ${USER_SCHEMA} AND ${notOfExtension('pg_class', 'c.oid')} AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
      AND d.deptype = 'i')
  ORDER BY n.nspname, c.relname`;

const COLUMNS = `
  SELECT string_agg(format('%I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
      CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0
        THEN format(' COLLATE %I.%I', cn.nspname, co.collname) ELSE '' END,
      CASE
        WHEN a.attidentity <> '' THEN format(' GENERATED %s AS IDENTITY (%s)',
          CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
          (SELECT format('SEQUENCE NAME %I.%I INCREMENT %s MINVALUE %s MAXVALUE %s START %s',
             sn.nspname, sc.relname, s.seqincrement, s.seqmin, s.seqmax, s.seqstart)
           FROM pg_sequence s JOIN pg_class sc ON sc.oid = s.seqrelid
           JOIN pg_namespace sn ON sn.oid = sc.relnamespace
           WHERE s.seqrelid = pg_get_serial_sequence(
             format('%I.%I', n.nspname, c.relname), a.attname)::regclass))
        WHEN a.attgenerated = 's' THEN format(' GENERATED ALWAYS AS (%s) STORED',
          pg_get_expr(d.adbin, d.adrelid))
        WHEN a.attgenerated = 'v' THEN format(' GENERATED ALWAYS AS (%s) VIRTUAL',
          pg_get_expr(d.adbin, d.adrelid))
        WHEN d.adbin IS NOT NULL THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)
        ELSE '' END,
      CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END), ', ' ORDER BY a.attnum)
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_collation co ON co.oid = a.attcollation
  LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped`;

/** Foreign tables become plain ones: their rows are copied. */
const TABLES = `
  SELECT CASE WHEN c.relispartition
    THEN (SELECT format('CREATE TABLE %I.%I PARTITION OF %I.%I %s%s', n.nspname, c.relname,
        pn.nspname, p.relname, pg_get_expr(c.relpartbound, c.oid),
        CASE c.relkind WHEN 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(c.oid) ELSE '' END)
      FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
      JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid)
    ELSE format('CREATE TABLE %I.%I (%s)%s', n.nspname, c.relname, (${COLUMNS}),
      CASE c.relkind WHEN 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(c.oid) ELSE '' END)
    END
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'f') AND ${USER_SCHEMA}
    AND ${notOfExtension('pg_class', 'c.oid')}
  ORDER BY c.oid`;

/** A sequence that goes away with its column, as serial makes it. */
const OWNED_SEQUENCES = `
  SELECT format('ALTER SEQUENCE %I.%I OWNED BY %I.%I.%I', sn.nspname, s.relname, n.nspname,
    c.relname, a.attname)
  FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  JOIN pg_namespace sn ON sn.oid = s.relnamespace
  JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.deptype = 'a' AND ${USER_SCHEMA}
  ORDER BY s.oid`;

const constraints = (kinds: string): string => `
  SELECT format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, k.conname,
    pg_get_constraintdef(k.oid))
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE k.contype IN (${kinds}) AND k.conparentid = 0 AND k.conislocal
    AND NOT (k.contype = 'c' AND c.relispartition AND k.coninhcount > 0)
    AND ${USER_SCHEMA} AND ${notOfExtension('pg_class', 'c.oid')}
  ORDER BY k.oid`;

const INDEXES = `
  SELECT pg_get_indexdef(i.indexrelid)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'm') AND NOT x.relispartition AND i.indisvalid
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
    AND ${USER_SCHEMA} AND ${notOfExtension('pg_class', 'c.oid')}
  ORDER BY i.indexrelid`;

const ROUTINES = `
  SELECT pg_get_functiondef(p.oid)
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE p.prokind IN ('f', 'p') AND ${USER_SCHEMA} AND ${notOfExtension('pg_proc', 'p.oid')}
  ORDER BY p.oid`;

const AGGREGATES = `
  SELECT format('CREATE AGGREGATE %I.%I (%s) (SFUNC = %s, STYPE = %s%s%s)', n.nspname, p.proname,
    CASE WHEN p.pronargs = 0 THEN '*' ELSE pg_get_function_identity_arguments(p.oid) END,
    a.aggtransfn::regproc, format_type(a.aggtranstype, NULL),
    CASE WHEN a.aggfinalfn::oid = 0 THEN '' ELSE ', FINALFUNC = ' || a.aggfinalfn::regproc END,
    CASE WHEN a.agginitval IS NULL THEN '' ELSE ', INITCOND = ' || quote_literal(a.agginitval) END)
  FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
  JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE a.aggkind = 'n' AND ${USER_SCHEMA} AND ${notOfExtension('pg_proc', 'p.oid')}
  ORDER BY p.oid`;

const VIEWS = `
  SELECT format('CREATE %sVIEW %I.%I AS %s%s',
    CASE c.relkind WHEN 'm' THEN 'MATERIALIZED ' ELSE '' END, n.nspname, c.relname,
    rtrim(pg_get_viewdef(c.oid), E'; \\n'),
    CASE c.relkind WHEN 'm' THEN ' WITH NO DATA' ELSE '' END)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('v', 'm') AND ${USER_SCHEMA} AND ${notOfExtension('pg_class', 'c.oid')}
  ORDER BY c.oid`;

const REFRESHES = `
  SELECT format('REFRESH MATERIALIZED VIEW %I.%I', n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'm' AND c.relispopulated AND ${USER_SCHEMA}
    AND ${notOfExtension('pg_class', 'c.oid')}
  ORDER BY c.oid`;

const RULES = `
  SELECT pg_get_ruledef(r.oid)
  FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE r.rulename <> '_RETURN' AND ${USER_SCHEMA} AND ${notOfExtension('pg_class', 'c.oid')}
  ORDER BY r.oid`;

const TRIGGERS = `
  SELECT pg_get_triggerdef(t.oid)
    || CASE t.tgenabled WHEN 'D' THEN
      format('; ALTER TABLE %I.%I DISABLE TRIGGER %I', n.nspname, c.relname, t.tgname) ELSE '' END
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE NOT t.tgisinternal AND coalesce((to_jsonb(t) ->> 'tgparentid')::oid, 0) = 0
    AND ${USER_SCHEMA} AND ${notOfExtension('pg_class', 'c.oid')}
  ORDER BY t.oid`;

/** CASE, because the functions fail for what is no sequence, whichever condition comes first. */
const SEQUENCE_VALUES = `
  SELECT CASE WHEN c.relkind = 'S' AND has_sequence_privilege(c.oid, 'SELECT')
      AND pg_sequence_last_value(c.oid) IS NOT NULL
    THEN format('SELECT setval(%L, %s)', format('%I.%I', n.nspname, c.relname),
      pg_sequence_last_value(c.oid)) END
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'S' AND ${USER_SCHEMA} AND ${notOfExtension('pg_class', 'c.oid')}
  ORDER BY c.oid`;

/** Reads the schema in the session's transaction. `without` is a schema that is left out. */
export async function readSchemaScript(
  session: SqlSession,
  without: string,
): Promise<SchemaScript> {
  // With an empty search_path the server spells every name in full.
  await session.query(`SELECT set_config('search_path', '', true)`);
  const statements = async (...queries: readonly string[]): Promise<string[]> => {
    const all: string[] = [];
    for (const query of queries) {
      const { rows } = await session.query(query, [without]);
      for (const [statement] of rows) if (statement != null) all.push(statement);
    }
    return all;
  };
  return {
    objects: await statements(
      SCHEMAS,
      EXTENSIONS,
      TYPES,
      SEQUENCES,
      ROUTINES,
      AGGREGATES,
      TABLES,
      OWNED_SEQUENCES,
      constraints(`'c'`),
      constraints(`'p', 'u', 'x'`),
      VIEWS,
      INDEXES,
    ),
    afterRows: await statements(constraints(`'f'`), RULES, TRIGGERS, REFRESHES),
    sequences: await statements(SEQUENCE_VALUES),
  };
}
