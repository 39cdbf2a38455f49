/**
 * A run that is killed again and again ends as one that is left alone. Seeded: a failure says with
 * which seed it can be played again (SPROCKET_CRASH_SEED).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openScratchServer } from '../adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../adapters/postgres/scratch-database.ts';
import { openSite } from './run-process.ts';
import type { Site } from './run-process.ts';

const SEED = Number(process.env.SPROCKET_CRASH_SEED ?? '20260701');
const KILLS = 30;
/** In one go from nothing to the end: more would fail a procedure, as they should. */
const KILLS_AT_ONCE = 5;

const WAREHOUSE = `
CREATE SCHEMA shop; CREATE SCHEMA dw;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, amount numeric(10,2), day date);
INSERT INTO shop.orders SELECT n, n % 7, n * 1.25, date '2026-01-01' + n % 30
  FROM generate_series(1, 200) n;
CREATE TABLE dw.orders (id int PRIMARY KEY, customer int, amount numeric(10,2));
CREATE TABLE dw.days (day date PRIMARY KEY, amount numeric);
CREATE TABLE dw.customers (customer int PRIMARY KEY, orders bigint);
CREATE PROCEDURE dw.load_orders() LANGUAGE sql AS $$
  TRUNCATE dw.orders;
  INSERT INTO dw.orders SELECT id, customer, amount FROM shop.orders; $$;
CREATE PROCEDURE dw.load_days() LANGUAGE sql AS $$
  TRUNCATE dw.days;
  INSERT INTO dw.days SELECT day, sum(amount) FROM shop.orders GROUP BY day; $$;
CREATE PROCEDURE dw.load_customers() LANGUAGE sql AS $$
  TRUNCATE dw.customers;
  INSERT INTO dw.customers SELECT customer, count(*) FROM dw.orders GROUP BY customer; $$;
`;
const PROCEDURES = ['dw.load_orders()', 'dw.load_days()', 'dw.load_customers()'];

let server: ScratchServer;
beforeAll(async () => {
  server = await openScratchServer();
});
afterAll(() => server.close());

/** Mulberry32: the same numbers for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Durations differ from run to run; everything else on the branch must not. */
function withoutTimes(files: Record<string, string>): Record<string, string> {
  const summary = files['MIGRATION.md'] ?? '';
  return {
    ...files,
    'MIGRATION.md': summary
      .replaceAll(/(?<=, in )(?:\d+h )?(?:\d+m )?[\d.]+s/gu, '#')
      .replaceAll(/(?<=\| \d+ \| [\d,]+ \| )[\d.]+(?= \|)/gu, '#'),
  };
}

async function progress({ sql }: Site): Promise<unknown> {
  const { rows } = await sql.query(
    `SELECT source, target, operation, mark, finish_time IS NOT NULL, restarts <= 5
     FROM wirekite.wirekite_progress ORDER BY source`,
  );
  return rows;
}

/** Every line of the log by procedure, in order. */
async function logs({ sql }: Site): Promise<Map<string, string[]>> {
  const { rows } = await sql.query(
    'SELECT source, message FROM wirekite.sprocket_log WHERE source IS NOT NULL ORDER BY id',
  );
  const found = new Map<string, string[]>();
  for (const [source, message] of rows) {
    const lines = found.get(source ?? '') ?? [];
    found.set(source ?? '', [...lines, message ?? '']);
  }
  return found;
}

/** Where in a run the next kill falls: mostly before dbt has started, which costs little time. */
async function killMoment(site: Site, random: () => number): Promise<void> {
  const kind = random();
  if (kind < 0.55) return void (await delay(random() * 2_500));
  // As soon as some procedure is proving, or proven, and a little later.
  const pattern = kind < 0.8 ? 'Proving.' : 'Proven:%';
  const start = Date.now();
  const before = await countLines(site, pattern);
  while (Date.now() - start < 12_000 && (await countLines(site, pattern)) === before) {
    await delay(5);
  }
  await delay(random() * (kind < 0.8 ? 1_500 : 60));
}

async function countLines({ sql }: Site, pattern: string): Promise<number> {
  const known = await sql.query(`SELECT to_regclass('wirekite.sprocket_log')`);
  if (known.rows[0]?.[0] === null) return 0;
  const { rows } = await sql.query(
    'SELECT count(*) FROM wirekite.sprocket_log WHERE message LIKE $1',
    [pattern],
  );
  return Number(rows[0]?.[0]);
}

it('ends as if nobody had killed it', { timeout: 900_000 }, async () => {
  const calm = await openSite(server, 'calm', WAREHOUSE, PROCEDURES);
  const alone = await calm.run('run');
  expect(alone.status, `${alone.stdout}${alone.stderr}`).toBe(0);
  const expected = { files: withoutTimes(calm.branchFiles()), progress: await progress(calm) };
  await calm.close();
  expect(expected.files['MIGRATION.md']).toContain('**3** proven equal');

  const random = randomNumbers(SEED);
  let kills = 0;
  for (let round = 0; kills < KILLS; round += 1) {
    const site = await openSite(server, `crash${round}`, WAREHOUSE, PROCEDURES);
    for (let kill = 0; kill < KILLS_AT_ONCE; kill += 1) {
      const process = site.start('run');
      await Promise.race([killMoment(site, random), process.ended]);
      if (process.child.exitCode !== null) break;
      kills += 1;
      await process.kill();
    }
    const seed = `seed ${SEED}, round ${round}`;
    const last = await site.run('run');
    expect(last.status, `${seed}: ${last.stdout}${last.stderr}`).toBe(0);
    expect(withoutTimes(site.branchFiles()), seed).toEqual(expected.files);
    expect(await progress(site), seed).toEqual(expected.progress);
    for (const [procedure, lines] of await logs(site)) {
      const proven = lines.findIndex((line) => line.startsWith('Proven:'));
      expect(lines.slice(proven + 1), `${seed}, ${procedure}`).not.toContain('Proving.');
    }
    await site.close();
  }
});
