import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { SqlSession } from '../../src/ports/sandbox.ts';

const folder = new URL('../../examples/retail/', import.meta.url);

/** The text of a file of the sample warehouse. */
export function exampleFile(name: string): Promise<string> {
  return readFile(fileURLToPath(new URL(name, folder)), 'utf8');
}

/** Runs files of the sample warehouse, in order. */
export async function runFiles(session: SqlSession, ...names: readonly string[]): Promise<void> {
  for (const name of names) await session.query(await exampleFile(name));
}

/** Columns that hold the clock, not data. */
const clockColumns = new Set([
  'stg.customer.loaded_at',
  'stg.orders.loaded_at',
  'dw.fact_sales.loaded_at',
  'dw.dim_channel.updated_at',
  'dw.dim_plan.updated_at',
]);

/** Surrogate keys, each with the query that says which row of its dimension it stands for. */
const keyMeanings: Readonly<Record<string, string>> = {
  customer_key: 'SELECT (k.customer_id, k.version_no) FROM dw.dim_customer k',
  product_key: 'SELECT (k.product_id, k.valid_from, k.valid_to) FROM dw.dim_product k',
  channel_key: 'SELECT k.channel_code FROM dw.dim_channel k',
};

/**
 * One digest per table of staging, warehouse and marts: equal where the tables hold the same rows,
 * however they lie on disk, without clocks and with surrogate keys replaced by what they stand for.
 */
export async function digests(session: SqlSession): Promise<Record<string, string>> {
  const { rows } = await session.query(
    `SELECT table_schema || '.' || table_name, quote_ident(table_schema) || '.' || quote_ident(table_name),
            quote_ident(column_name)
       FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
      WHERE (table_schema IN ('stg', 'dw', 'mart') OR table_name = 'watermark') AND table_type = 'BASE TABLE'
      ORDER BY 1, ordinal_position`,
  );
  const tables = new Map<string, { sql: string; columns: string[] }>();
  for (const [name, sql, column] of rows) {
    if (!name || !sql || !column || clockColumns.has(`${name}.${column}`)) continue;
    const table = tables.get(name) ?? { sql, columns: [] };
    const meaning = keyMeanings[column];
    table.columns.push(
      meaning === undefined ? `t.${column}` : `(${meaning} WHERE k.${column} = t.${column})`,
    );
    tables.set(name, table);
  }
  const found: Record<string, string> = {};
  for (const [name, { sql, columns }] of tables) {
    const result = await session.query(
      `SELECT count(*) || ' rows ' || coalesce(md5(string_agg(r, E'\\n' ORDER BY r COLLATE "C")), '')
         FROM (SELECT (ROW(${columns.join(', ')}))::text AS r FROM ${sql} t) x`,
    );
    found[name] = result.rows[0]?.[0] ?? '';
  }
  return found;
}
