/** Makes what the statements of files need and no file makes, where there is but one way to make it. */
import { schemasNamed, sequencesNamed } from '../core/proof/statement.ts';
import { SqlError } from '../ports/sandbox.ts';
import type { SqlSession } from '../ports/sandbox.ts';

/** Schemas and sequences that a statement names; gives what was made. The names are looked up by the session's search_path. */
export async function makeWhatIsNamed(
  session: SqlSession,
  statement: string,
): Promise<readonly string[]> {
  const made: string[] = [];
  for (const name of schemasNamed(statement)) {
    if (await makeSchema(session, name)) made.push(`schema ${name}`);
  }
  for (const name of sequencesNamed(statement)) made.push(...(await makeSequence(session, name)));
  return made;
}

async function makeSchema(session: SqlSession, schema: string): Promise<boolean> {
  const { rows } = await session.query('SELECT to_regnamespace(quote_ident($1))', [schema]);
  if (rows[0]?.[0] != null) return false;
  await session.query(`CREATE SCHEMA "${schema.replaceAll('"', '""')}"`);
  return true;
}

/** Nothing where it is there, or where its name is none. */
async function makeSequence(session: SqlSession, written: string): Promise<readonly string[]> {
  try {
    const [missing] = (await session.query(MISSING_SEQUENCE, [written])).rows;
    if (missing === undefined) return [];
    const [name, schema] = missing;
    const made = schema != null && (await makeSchema(session, schema)) ? [`schema ${schema}`] : [];
    await session.query(`CREATE SEQUENCE ${name}`);
    return [...made, `sequence ${written}`];
  } catch (error) {
    if (error instanceof SqlError && !error.isOfServer) return [];
    throw error;
  }
}

const MISSING_SEQUENCE = `
SELECT (SELECT string_agg(quote_ident(part), '.' ORDER BY position)
          FROM unnest(parts) WITH ORDINALITY AS p(part, position)),
       CASE WHEN cardinality(parts) > 1 THEN parts[cardinality(parts) - 1] END
  FROM parse_ident($1) AS n(parts) WHERE to_regclass($1) IS NULL`;

/**
 * Partitioned tables of which no file makes a part can't hold a row: each gets one that holds them
 * all. Gives how many it made.
 */
export async function makePartitions(session: SqlSession): Promise<number> {
  const { rows } = await session.query(WITHOUT_PARTITIONS);
  for (const [statement] of rows) await session.query(String(statement));
  return rows.length;
}

const WITHOUT_PARTITIONS = `
SELECT format('CREATE TABLE %I.%I PARTITION OF %I.%I %s',
         n.nspname, left(c.relname, 55) || '_default', n.nspname, c.relname,
         CASE p.partstrat WHEN 'h' THEN 'FOR VALUES WITH (MODULUS 1, REMAINDER 0)' ELSE 'DEFAULT' END)
  FROM pg_catalog.pg_partitioned_table p
  JOIN pg_catalog.pg_class c ON c.oid = p.partrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid)
 ORDER BY c.oid`;
