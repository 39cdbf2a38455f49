/** The project that comes out of a proof, in the hands of dbt people: dbt build, sqlfluff. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { failures, openHarness, ROOT } from '../adapters/dbt/harness.ts';
import type { Harness } from '../adapters/dbt/harness.ts';

const SCHEMA = `
CREATE SCHEMA shop; CREATE SCHEMA dw;
COMMENT ON SCHEMA shop IS 'The shop''s own tables';
CREATE TYPE shop.channel AS ENUM ('web', 'store');
CREATE TABLE shop.customer (id int PRIMARY KEY, "Full Name" varchar(40) NOT NULL, tags text[], born date);
COMMENT ON TABLE shop.customer IS 'People; {{ braces }}';
CREATE TABLE shop.orders (id bigint PRIMARY KEY, customer_id int REFERENCES shop.customer (id), channel shop.channel,
  amount numeric(10, 2), details jsonb, placed_at timestamptz NOT NULL);
COMMENT ON COLUMN shop.orders.amount IS 'Gross, in euro';
CREATE VIEW shop.paid AS SELECT * FROM shop.orders WHERE amount > 0;
CREATE TABLE dw.customer (customer_key serial PRIMARY KEY, id int NOT NULL UNIQUE, "Full Name" varchar(40), tags text[]);
CREATE TABLE dw.sales (order_id bigint PRIMARY KEY, customer_id int, channel shop.channel, amount numeric(10, 2) NOT NULL,
  coupon text, loaded_at timestamptz DEFAULT now(), CHECK (coupon IN ('NEW', 'VIP')));
CREATE TABLE dw.history (order_id bigint, amount numeric(10, 2), day date);
CREATE TABLE dw.per_customer (customer_id int PRIMARY KEY, total numeric(12, 2), orders bigint);
CREATE TABLE dw.recent (order_id bigint, placed_at timestamptz);`;

const DATA = `
INSERT INTO shop.customer SELECT n, 'Zoë "' || n || '" O''Brien', CASE WHEN n % 3 > 0 THEN ARRAY['a b', 'c"d', NULL] END, date '1980-02-28' + n
  FROM generate_series(1, 12) n;
INSERT INTO shop.orders SELECT n, nullif(n % 13, 0), CASE WHEN n % 4 > 0 THEN (ARRAY['web', 'store'])[1 + n % 2]::shop.channel END,
    CASE WHEN n % 5 > 0 THEN n * 1.25 ELSE 0 END, jsonb_build_object('coupon', CASE WHEN n % 3 = 0 THEN 'VIP' END, 'n', n),
    timestamptz '2024-03-01 22:30:00+00' + n * interval '5 hours'
  FROM generate_series(1, 60) n;
INSERT INTO dw.history VALUES (1, 1.25, '2024-03-02');`;

const PROCEDURES = `
CREATE PROCEDURE dw.load_customer() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO dw.customer (id, "Full Name", tags) SELECT c.id, c."Full Name", c.tags FROM shop.customer c
  ON CONFLICT (id) DO UPDATE SET "Full Name" = excluded."Full Name", tags = excluded.tags;
END $$;
CREATE PROCEDURE dw.load_sales(p_least numeric DEFAULT 2) LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE dw.sales;
  INSERT INTO dw.sales (order_id, customer_id, channel, amount, coupon)
  SELECT p.id, c.id, p.channel, p.amount, p.details ->> 'coupon'
    FROM shop.paid p JOIN dw.customer c ON c.id = p.customer_id WHERE p.amount >= p_least;
END $$;
CREATE PROCEDURE dw.load_history() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO dw.history SELECT o.id, o.amount, o.placed_at::date FROM shop.orders o
   WHERE NOT EXISTS (SELECT 1 FROM dw.history h WHERE h.order_id = o.id);
END $$;
CREATE PROCEDURE dw.sum_up() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO dw.per_customer SELECT customer_id, sum(amount), count(*) FROM dw.sales GROUP BY customer_id
  ON CONFLICT (customer_id) DO UPDATE SET total = excluded.total, orders = excluded.orders;
END $$;
CREATE PROCEDURE dw.load_recent() LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM dw.recent;
  INSERT INTO dw.recent SELECT id, placed_at FROM shop.orders WHERE placed_at > now() - interval '3 days';
END $$;`;

const modelFile = z.object({
  unit_tests: z
    .array(z.object({ model: z.string(), expect: z.looseObject({ rows: z.unknown() }) }))
    .default([]),
});

let harness: Harness;
let folder: string;
const at = (...path: readonly string[]) => join(folder, ...path);

beforeAll(async () => {
  harness = await openHarness();
  folder = await mkdtemp(join(tmpdir(), 'generated-project-'));
  const files = { 'schema.sql': SCHEMA, 'data.sql': DATA, 'procedures.sql': PROCEDURES };
  for (const [name, text] of Object.entries(files)) await writeFile(at(name), text);
  const main = join(ROOT, 'src/cli/main.ts');
  const inputs = Object.keys(files).map((name) => `--${name.split('.')[0] ?? ''}=${at(name)}`);
  const outputs = [`--out=${at('out')}`, `--json=${at('proof.json')}`];
  await promisify(execFile)(process.execPath, [main, 'prove', ...inputs, ...outputs]);
});
afterAll(async () => {
  await harness.close();
  await rm(folder, { recursive: true, force: true });
});

const unitTestsOf = async (model: string) =>
  modelFile.parse(parse(await readFile(at('out', 'models', 'dw', `${model}.yml`), 'utf8')))
    .unit_tests;

it('is built by dbt without a warning, with unit tests of rows of the proof', async () => {
  const database = await harness.database(SCHEMA + DATA);
  const result = await harness.build(database, at('out'));
  expect(failures(result)).toEqual([]);
  expect(result.warnings).toEqual([]);
  const unitTests = result.nodes.filter(({ resource }) => resource === 'unit_test');
  expect(unitTests.map(({ model, status }) => [model, status]).toSorted()).toEqual([
    ['dw__customer', 'pass'],
    ['history', 'pass'],
    ['per_customer', 'pass'],
    ['sales', 'pass'],
  ]);
  // Again, where the tables hold rows, in a session far from UTC.
  await database.run(
    `ALTER DATABASE "${database.connection.database}" SET timezone = 'Asia/Tokyo'`,
  );
  const again = await harness.build(database, at('out'), { resources: ['unit_test'] });
  expect(failures(again)).toEqual([]);
});

it('expects no value of a clock, of a sequence or of a time zone', async () => {
  const [sales] = await unitTestsOf('sales');
  expect(JSON.stringify(sales?.expect)).toMatch(/VIP|amount/u);
  expect(JSON.stringify(sales?.expect)).not.toContain('loaded_at');
  const [customer] = await unitTestsOf('dw__customer');
  expect(JSON.stringify(customer?.expect)).not.toContain('customer_key');
  const [history] = await unitTestsOf('history');
  expect(JSON.stringify(history?.expect)).not.toContain('day');
  expect(await unitTestsOf('recent')).toEqual([]);
});

it('passes sqlfluff with the configuration that comes with it', async () => {
  const { stdout } = await promisify(execFile)(
    join(ROOT, '.venv/bin/sqlfluff'),
    ['lint', 'models', '--disable-progress-bar'],
    { cwd: at('out') },
  );
  expect(stdout).toContain('All Finished');
  expect(stdout).not.toMatch(/FAIL|PRS/u);
});
