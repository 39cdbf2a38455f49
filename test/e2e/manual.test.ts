/** A person's model takes the place of the generated one, in the proof too: with everything real. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectTo, openScratchServer } from '../adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../adapters/postgres/scratch-database.ts';
import { planText, siteOf } from './run-process.ts';
import type { Site } from './run-process.ts';

const WAREHOUSE = `
CREATE SCHEMA shop; CREATE SCHEMA dw;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, amount numeric(10,2));
INSERT INTO shop.orders SELECT n, n % 7, n * 1.25 FROM generate_series(1, 40) n;
CREATE TABLE dw.first (id int);
CREATE TABLE dw.totals (customer int, amount numeric(12,2));
CREATE TABLE dw.notes (body text);
CREATE TABLE dw.customers (customer int);
CREATE PROCEDURE dw.pick() LANGUAGE sql AS $$
  TRUNCATE dw.first;
  INSERT INTO dw.first SELECT id FROM (SELECT DISTINCT ON (customer) customer, id FROM shop.orders ORDER BY customer) o; $$;
CREATE PROCEDURE dw.load_totals() LANGUAGE sql AS $$
  TRUNCATE dw.totals;
  INSERT INTO dw.totals SELECT customer, sum(amount) FROM shop.orders WHERE EXISTS (SELECT FROM dw.first) GROUP BY customer; $$;
CREATE PROCEDURE dw.load_customers() LANGUAGE sql AS $$
  DELETE FROM dw.customers;
  INSERT INTO dw.customers SELECT DISTINCT customer FROM shop.orders; $$;
CREATE PROCEDURE dw.nightly() LANGUAGE plpgsql AS $$
BEGIN
  CALL dw.load_customers();
  CALL dw.load_totals();
END $$;
CREATE PROCEDURE dw.note() LANGUAGE sql AS $$
  INSERT INTO dw.notes SELECT 'drawn' FROM shop.orders WHERE random() < 0.5; $$;
`;

let server: ScratchServer;
beforeAll(async () => {
  server = await openScratchServer();
});
afterAll(() => server.close());

/** The source takes no writes, whoever asks for them. */
async function openReadOnlySite(procedures: readonly string[]): Promise<Site> {
  const [source, target] = [await server.create('manual'), await server.create('manual_target')];
  const warehouse = await connectTo(source);
  await warehouse.query(WAREHOUSE);
  await warehouse.query(
    `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`,
  );
  await warehouse.close();
  const urls = { source, target, sandbox: target };
  return siteOf(await connectTo(target), urls, planText(procedures));
}

function commitModel({ scratch }: Site, table: string, query: string): void {
  scratch.git('switch', '--quiet', 'sprocket/shop');
  const config = `{{ config(materialized='table', schema='dw', alias='${table}') }}`;
  scratch.write(`transform/models/by_hand/${table}_by_hand.sql`, `${config}\n${query}\n`);
  scratch.commitAll(`Write ${table}`);
  scratch.git('switch', '--quiet', 'main');
}

async function run(site: Site, status: number, ...args: string[]): Promise<string> {
  const ended = await site.run(...args);
  expect(ended.status, `${args.join(' ')}: ${ended.stdout}${ended.stderr}`).toBe(status);
  return ended.stdout;
}

it('proves what a person wrote, not what was generated', { timeout: 600_000 }, async () => {
  const loads = ['dw.pick()', 'dw.load_customers()', 'dw.load_totals()', 'dw.note()'];
  const procedures = [...loads, 'dw.nightly()'];
  const site = await openReadOnlySite(procedures);
  const statusOf = (id: string): string => {
    const plan = site.branchFiles()['plan.md'] ?? '';
    const line = plan.split('\n').find((each) => each.includes(`| ${id} |`));
    return line?.split('|').at(-2)?.trim() ?? '';
  };
  try {
    // Totals wait behind a procedure that fails: they can still be taken over.
    await run(site, 1, 'run');
    // It refers to another model of the run, which is none of the proof's own.
    const wrong =
      "select customer, sum(amount) + 1 as amount from shop.orders where exists (select from {{ ref('first') }}) group by customer";
    commitModel(site, 'totals', wrong);
    commitModel(site, 'notes', "select body from dw.notes union all select 'one'");
    await run(site, 0, 'manual', 'dw.load_totals', 'dw.note');
    await run(site, 0, 'accept', 'dw.pick', 'any of them will do');
    await run(site, 1, 'run');
    expect(statusOf('dw.load_totals()')).toMatch(/^Failed: .*rows/u);
    expect(statusOf('dw.note()')).toContain('could not be proven');

    commitModel(site, 'totals', wrong.replace(' + 1', ''));
    await run(site, 0, 'accept', 'dw.note', 'compared by eye');
    await run(site, 0, 'retry');
    await run(site, 0, 'run');
    expect(statusOf('dw.load_totals()')).toBe('Completed (manual)');
    // It only calls: it is proven by the models of what it calls, whoever wrote them.
    expect(statusOf('dw.nightly()')).toBe('Completed');
    expect(statusOf('dw.note()')).toBe('Completed (accepted)');
  } finally {
    await site.close();
  }
});
