/** Pipelines and procedures as one run, with everything real: servers, dbt, git, processes. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startMariadb, startPostgres } from '../../scripts/servers.ts';
import type { TestServer } from '../../scripts/servers.ts';
import { openConnection, query as mysqlQuery } from '../../src/adapters/mysql/move_session.ts';
import type { SqlSession } from '../../src/ports/sandbox.ts';
import { connectTo } from '../adapters/postgres/scratch-database.ts';
import { planText, siteOf } from './run-process.ts';
import type { Site } from './run-process.ts';

const WAREHOUSE = `
CREATE SCHEMA shop; CREATE SCHEMA dw;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, amount numeric(10,2));
INSERT INTO shop.orders SELECT n, n % 7, n * 1.25 FROM generate_series(1, 5000) n;
CREATE TABLE shop.customers (customer int, country text NOT NULL);
INSERT INTO shop.customers SELECT n, chr(65 + n) FROM generate_series(0, 6) n;
CREATE TABLE dw.orders (id int PRIMARY KEY, customer int, amount numeric(10,2));
CREATE TABLE dw.countries (country text PRIMARY KEY, amount numeric);
CREATE PROCEDURE dw.load_orders() LANGUAGE sql AS $$
  TRUNCATE dw.orders;
  INSERT INTO dw.orders SELECT id, customer, amount FROM shop.orders; $$;
CREATE PROCEDURE dw.load_countries() LANGUAGE sql AS $$
  TRUNCATE dw.countries;
  INSERT INTO dw.countries SELECT c.country, sum(o.amount)
    FROM dw.orders o JOIN shop.customers c ON c.customer = o.customer GROUP BY c.country; $$;
`;
const PIPELINES = [
  'shop.orders | raw.orders | id | load + changes',
  'shop.customers | raw.customers | | load + changes',
];

let server: TestServer;
const sessions: SqlSession[] = [];
beforeEach(async () => {
  server = await startPostgres();
});
afterEach(async () => {
  await Promise.allSettled(sessions.splice(0).map((session) => session.close()));
  await server?.stop();
});

async function database(name: string): Promise<SqlSession> {
  const admin = await connectTo(server.url());
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.close();
  const session = await connectTo(server.url(name));
  sessions.push(session);
  return session;
}

async function one(session: SqlSession, sql: string): Promise<string | null> {
  return (await session.query(sql)).rows[0]?.[0] ?? null;
}

async function until(session: SqlSession, sql: string): Promise<void> {
  const end = Date.now() + 120_000;
  while ((await one(session, sql).catch(() => null)) !== 't') {
    if (Date.now() > end) throw new Error(`it never came to that: ${sql}`);
    await delay(50);
  }
}

/** Whatever a run or its pipelines write down. */
const PROGRESS = `SELECT concat_ws(e'\\n',
  (SELECT string_agg(p::text, e'\\n' ORDER BY p::text) FROM wirekite.wirekite_progress p),
  (SELECT string_agg(l::text, e'\\n' ORDER BY l::text) FROM wirekite.sprocket_log l),
  (SELECT count(*) FROM raw.orders))`;

/** Waits until nothing is written down any more: what was under way is at its next gate. */
async function held(session: SqlSession): Promise<void> {
  const end = Date.now() + 60_000;
  for (let last = '', since = Date.now(); Date.now() - since < 3000; await delay(200)) {
    const now = (await one(session, PROGRESS)) ?? '';
    if (now !== last) since = Date.now();
    last = now;
    if (Date.now() > end) throw new Error('it never stood still');
  }
}

async function run(site: Site, status: number, ...args: string[]): Promise<string> {
  const ended = await site.run(...args);
  expect(ended.status, `${args.join(' ')}: ${ended.stdout}${ended.stderr}`).toBe(status);
  return ended.stdout;
}

function planCells(site: Site, name: string): string {
  const plan = site.branchFiles()['plan.md'] ?? '';
  const line = plan.split('\n').find((each) => each.includes(name));
  return line?.split('|').at(-2)?.trim() ?? '';
}

it(
  'loads tables, proves procedures behind them, and survives a failure, STOP and a kill',
  { timeout: 900_000 },
  async () => {
    const source = await database('source');
    const target = await database('target');
    await source.query(WAREHOUSE);
    const urls = {
      source: server.url('source'),
      target: server.url('target'),
      sandbox: server.url(),
    };
    const site = siteOf(
      target,
      urls,
      planText(['dw.load_orders()', 'dw.load_countries()'], PIPELINES),
    );

    // A table that can't be followed: the run says which, and what waits behind it.
    const first = await run(site, 1, 'run', '--workers', '1');
    expect(first).toContain('REPLICA IDENTITY FULL');
    expect(planCells(site, '| shop.customers')).toMatch(
      /^Failed: shop\.customers has no primary key/u,
    );
    expect(planCells(site, '| dw.load_orders')).toBe(
      'Blocked: waits behind pipeline shop.customers, which failed: mend what its row says, then retry it',
    );
    await source.query('ALTER TABLE shop.customers ADD PRIMARY KEY (customer)');
    await run(site, 0, 'retry');

    // STOP by SQL while the run is under way.
    const stopped = site.start('run', '--workers', '1');
    await until(target, `SELECT bool_or(moving = 1) FROM wirekite.sprocket_pipeline`);
    await target.query(`UPDATE wirekite.wirekite_action SET action = 'STOP'`);
    const ended = await stopped.ended;
    expect(ended.status, ended.stdout + ended.stderr).toBe(0);
    expect(await one(target, 'SELECT sum(moving) FROM wirekite.sprocket_pipeline')).toBe('0');

    // Killed while a procedure is proven, and while changes are followed.
    const killed = site.start('run', '--resume', '--workers', '1');
    await until(
      target,
      `SELECT count(*) > 0 FROM wirekite.sprocket_log WHERE message = 'Proving.'`,
    );
    await killed.kill();
    const proofs = `SELECT count(*) FROM wirekite.sprocket_log WHERE message = 'Proving.'`;
    const before = await one(target, proofs);
    await source.query(`INSERT INTO shop.orders VALUES (6000, 1, 100)`);

    // PAUSE by SQL holds procedures and changes alike.
    const going = site.start('run', '--workers', '2');
    await until(target, `SELECT (${proofs}) > ${before ?? 0}`);
    await target.query(`UPDATE wirekite.wirekite_action SET action = 'PAUSE'`);
    await held(target);
    await source.query(`INSERT INTO shop.orders VALUES (6001, 1, 100)`);
    const still = await one(target, PROGRESS);
    await delay(3000);
    expect(await one(target, PROGRESS)).toBe(still);
    expect(JSON.parse(await run(site, 0, 'status', '--json'))).toMatchObject({
      progress: { action: 'PAUSE' },
    });
    expect(await one(target, 'SELECT count(*) FROM raw.orders WHERE id = 6001')).toBe('0');
    await target.query(`UPDATE wirekite.wirekite_action SET action = 'RUN'`);

    const last = await going.ended;
    expect(last.status, last.stdout + last.stderr).toBe(0);
    expect(last.stdout).toContain('"sprocket move" goes on with them');
    expect(planCells(site, '| shop.orders')).toMatch(/^Completed: .*5,00[0-2] rows$/u);
    expect(planCells(site, '| dw.load_countries')).toBe('Completed');
    const files = site.branchFiles();
    expect(files['MIGRATION.md']).toContain('**2** proven equal');

    await run(site, 0, 'move', '--once');
    expect(await one(target, 'SELECT count(*) FROM raw.orders')).toBe('5002');
    const cut = await run(site, 0, 'cutover');
    expect(cut).toContain('shop.orders: equal, 5002 rows');
    expect(await one(source, 'SELECT count(*) FROM pg_replication_slots')).toBe('0');
    const status: unknown = JSON.parse(await run(site, 0, 'status', '--json'));
    expect(status).toMatchObject({
      summary: { state: 'done' },
      pipelines: [{ id: 'shop.orders', stream: { cutover: 'done' } }, { id: 'shop.customers' }],
    });

    await run(site, 1, 'reset');
    expect(await one(target, 'SELECT count(*) FROM raw.orders')).toBe('5002');
    await run(site, 0, 'stop');
    expect(await run(site, 0, 'reset')).toContain('emptied: raw.orders, raw.customers');
    expect(await one(target, 'SELECT count(*) FROM raw.orders')).toBe('0');
    expect(await one(target, 'SELECT count(*) FROM wirekite.wirekite_progress')).toBe('0');
    await site.close();
  },
);

it('moves tables of MariaDB where the plan has no procedures', async () => {
  const mariadb = await startMariadb();
  try {
    const connection = await openConnection(mariadb.url());
    await mysqlQuery(connection, 'CREATE DATABASE shop');
    await mysqlQuery(connection, 'CREATE TABLE shop.t (id int PRIMARY KEY, day date)');
    await mysqlQuery(connection, `SET sql_mode = ''`);
    await mysqlQuery(connection, `INSERT INTO shop.t VALUES (1, '2026-01-01'), (2, '0000-00-00')`);
    connection.destroy();
    const target = await database('moved');
    const urls = { source: mariadb.url(), target: server.url('moved'), sandbox: server.url() };
    const plan = planText([], ['shop.t | raw.t | | load + changes'], 'mysql');
    const site = siteOf(target, urls, plan);
    expect(await run(site, 1, 'run')).toContain('pipelines.zero_dates: as_null');
    site.scratch.write(
      'plan.md',
      plan.replace('workers: 2', 'workers: 1\npipelines: { zero_dates: as_null }'),
    );
    site.scratch.commitAll('Take zero dates for NULL');
    // What a table is to become is decided when it is begun.
    await run(site, 0, 'stop');
    await run(site, 0, 'reset');
    await run(site, 0, 'run', '--resume');
    expect(planCells(site, '| shop.t')).toMatch(/^Completed: .*2 rows$/u);
    expect((await target.query('SELECT id, day FROM raw.t ORDER BY id')).rows).toEqual([
      ['1', '2026-01-01'],
      ['2', null],
    ]);
    expect(Object.keys(site.branchFiles())).toEqual(['plan.md']);
    await site.close();
  } finally {
    await mariadb.stop();
  }
});
