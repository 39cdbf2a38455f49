/** Which rights the connected role lacks, and the statement that gives each. */
import { z } from 'zod';
import type { MissingRight, RequiredRight } from '../../core/catalog/rights.ts';
import type { SqlSession } from '../../ports/sandbox.ts';

/** Since PostgreSQL 15; before, such parameters are for superusers alone. */
const HAS_PARAMETER_RIGHTS = `current_setting('server_version_num')::int >= 150000`;
const MAY_SET = `has_parameter_privilege(name, 'SET')`;
const IS_SUPERUSER = '(SELECT rolsuper FROM pg_roles WHERE rolname = current_user)';

/**
 * `reset_val`: our own session may be read-only without the server being so. `maySet`: SQL for
 * whether the parameter of a row may be set.
 */
const query = (maySet: string) => `
  WITH asked AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb)
      AS a(n int, "on" text, "right" text, schema text, name text, creatable boolean)),
  found AS (
    SELECT a.*, s.oid AS schema_oid, c.oid AS table_oid, c.relowner AS owner
    FROM asked a
    LEFT JOIN pg_namespace s ON s.nspname = a.schema
    LEFT JOIN pg_class c ON c.relnamespace = s.oid AND c.relname = a.name
      AND c.relkind IN ('r', 'p', 'f', 'v', 'm')),
  judged AS (
    SELECT f.*, CASE
      WHEN "on" = 'database' AND "right" = 'WRITE' THEN CASE
        WHEN pg_is_in_recovery() THEN 'standby'
        WHEN (SELECT reset_val FROM pg_settings WHERE name = 'default_transaction_read_only') = 'on'
          THEN 'read-only' END
      WHEN "on" = 'database' THEN CASE
        WHEN NOT has_database_privilege(current_database(), "right") THEN 'database' END
      WHEN "on" = 'role' THEN CASE
        WHEN NOT (SELECT r.rolsuper OR CASE "right"
          WHEN 'CREATEDB' THEN r.rolcreatedb ELSE r.rolreplication END
          FROM pg_roles r WHERE r.rolname = current_user) THEN 'role' END
      WHEN "on" = 'parameter' THEN CASE WHEN NOT ${maySet} THEN 'parameter' END
      WHEN schema_oid IS NULL AND creatable THEN CASE
        WHEN "on" = 'schema' AND NOT has_database_privilege(current_database(), 'CREATE')
          THEN 'new-schema' END
      WHEN schema_oid IS NULL THEN 'no-object'
      WHEN "on" = 'schema' THEN CASE
        WHEN NOT has_schema_privilege(schema_oid, "right") THEN 'schema' END
      WHEN "on" = 'all tables' THEN CASE
        WHEN EXISTS (
          SELECT FROM pg_class t WHERE t.relnamespace = schema_oid AND t.relkind IN ('r', 'p')
            AND NOT has_table_privilege(t.oid, "right")) THEN 'all-tables' END
      WHEN table_oid IS NULL THEN CASE WHEN NOT creatable THEN 'no-object' END
      WHEN "right" = 'OWNER' THEN CASE WHEN NOT pg_has_role(owner, 'USAGE') THEN 'owner' END
      WHEN NOT has_table_privilege(table_oid, "right") THEN 'table'
      WHEN "right" = 'SELECT' AND row_security_active(table_oid) THEN 'row-security'
      END AS lack
    FROM found f)
  SELECT json_build_object('n', n, 'lack', lack, 'grant', CASE lack
    WHEN 'database' THEN format('GRANT %s ON DATABASE %I TO %I;', "right", current_database(), current_user)
    WHEN 'new-schema' THEN format('GRANT CREATE ON DATABASE %I TO %I;', current_database(), current_user)
    WHEN 'schema' THEN format('GRANT %s ON SCHEMA %I TO %I;', "right", schema, current_user)
    WHEN 'table' THEN format('GRANT %s ON %I.%I TO %I;', "right", schema, name, current_user)
    WHEN 'all-tables' THEN format(
      'GRANT %s ON ALL TABLES IN SCHEMA %I TO %I;', "right", schema, current_user)
    WHEN 'owner' THEN format('GRANT %I TO %I;', pg_get_userbyid(owner), current_user)
    WHEN 'role' THEN format('ALTER ROLE %I %s;', current_user, "right")
    WHEN 'parameter' THEN CASE WHEN ${HAS_PARAMETER_RIGHTS}
      THEN format('GRANT SET ON PARAMETER %I TO %I;', name, current_user)
      ELSE format('ALTER ROLE %I SUPERUSER;', current_user) END
    WHEN 'row-security' THEN format('ALTER ROLE %I BYPASSRLS;', current_user)
    WHEN 'read-only' THEN format(
      'ALTER DATABASE %I SET default_transaction_read_only = off;', current_database())
    END)
  FROM judged WHERE lack IS NOT NULL ORDER BY n`;

const rowSchema = z.object({
  n: z.number(),
  lack: z.enum([
    'database',
    'new-schema',
    'schema',
    'table',
    'all-tables',
    'owner',
    'role',
    'parameter',
    'row-security',
    'read-only',
    'standby',
    'no-object',
  ]),
  grant: z.string().nullable(),
});

const REASONS = {
  database: 'no-right',
  'new-schema': 'no-right',
  schema: 'no-right',
  table: 'no-right',
  'all-tables': 'no-right',
  owner: 'no-right',
  role: 'no-right',
  parameter: 'no-right',
  'row-security': 'row-security',
  'read-only': 'read-only',
  standby: 'read-only',
  'no-object': 'no-object',
} as const;

/** Those of the rights that the session's role lacks, in the order asked for. Reads only. */
export async function missingRights(
  session: SqlSession,
  required: readonly RequiredRight[],
): Promise<readonly MissingRight[]> {
  const asked = required.map((right, n) => ({
    n,
    on: right.on,
    right: right.right,
    schema: schemaOf(right),
    name: nameOf(right),
    // There may be no table yet for a right on all of them.
    creatable: right.on === 'all tables' || ('createIfMissing' in right && right.createIfMissing),
  }));
  const { rows } = await session.query(`SELECT ${HAS_PARAMETER_RIGHTS}`);
  const sql = query(rows[0]?.[0] === 't' ? MAY_SET : IS_SUPERUSER);
  const result = await session.query(sql, [JSON.stringify(asked)]);
  return result.rows.flatMap(([json]): MissingRight[] => {
    const row = rowSchema.parse(JSON.parse(json ?? 'null'));
    const right = required[row.n];
    if (right === undefined) return [];
    return [{ required: right, reason: REASONS[row.lack], grant: row.grant }];
  });
}

function nameOf(right: RequiredRight): string | null {
  if (right.on === 'table') return right.table.name;
  return right.on === 'parameter' ? right.parameter : null;
}

function schemaOf(right: RequiredRight): string | null {
  if (right.on === 'table') return right.table.schema;
  return 'schema' in right ? right.schema : null;
}
