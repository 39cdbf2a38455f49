/** Every command about a run, as a person or a script uses it, on a run with everything real. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { openScratchServer } from '../adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../adapters/postgres/scratch-database.ts';
import { MAIN, openSite } from './run-process.ts';
import type { Ended, Site } from './run-process.ts';

const WAREHOUSE = `
CREATE SCHEMA shop; CREATE SCHEMA dw;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int, day date);
INSERT INTO shop.orders SELECT n, n % 7, date '2026-01-01' + n % 5 FROM generate_series(1, 60) n;
CREATE TABLE dw.orders (id int PRIMARY KEY, customer int);
CREATE TABLE dw.latest (customer int, id int);
CREATE TABLE dw.sample (id int);
CREATE TABLE dw.sample_size (n bigint);
CREATE PROCEDURE dw.load_orders() LANGUAGE sql AS $$
  TRUNCATE dw.orders;
  INSERT INTO dw.orders SELECT id, customer FROM shop.orders; $$;
CREATE PROCEDURE dw.pick() LANGUAGE sql AS $$
  DELETE FROM dw.latest;
  INSERT INTO dw.latest SELECT DISTINCT ON (customer) customer, id FROM dw.orders ORDER BY customer; $$;
CREATE PROCEDURE dw.draw() LANGUAGE sql AS $$
  TRUNCATE dw.sample;
  INSERT INTO dw.sample SELECT id FROM shop.orders ORDER BY random() LIMIT 5; $$;
CREATE PROCEDURE dw.count_sample() LANGUAGE sql AS $$
  TRUNCATE dw.sample_size;
  INSERT INTO dw.sample_size SELECT count(*) FROM dw.sample; $$;
`;
/** Has no rights but those that `check --connect` asks for. */
const ROLE = `sprocket_commands_${process.pid}`;
const PROCEDURES = ['dw.load_orders()', 'dw.pick()', 'dw.draw()', 'dw.count_sample()'];

let server: ScratchServer;
let site: Site;
beforeAll(async () => {
  server = await openScratchServer();
  const role = `CREATE ROLE ${ROLE} LOGIN PASSWORD '${ROLE}';`;
  site = await openSite(server, 'commands', role + WAREHOUSE, PROCEDURES, ROLE);
});
afterAll(async () => {
  // What was killed left its sandbox behind, for the next run to clear away.
  const left = await ids(
    `SELECT quote_ident(datname) FROM pg_database WHERE datdba = '${ROLE}'::regrole`,
  );
  for (const database of left) await site.sql.query(`DROP DATABASE ${database} WITH (FORCE)`);
  await site.sql.query(`DROP OWNED BY ${ROLE} CASCADE; DROP ROLE ${ROLE}`);
  await site.close();
  await server.close();
});

const answer = z.looseObject({
  sprocket: z.literal(1),
  error: z.object({ message: z.string(), advice: z.string().nullable() }).optional(),
  summary: z.looseObject({ counts: z.record(z.string(), z.number()) }).optional(),
  changed: z.array(z.string()).optional(),
  failures: z.array(z.object({ message: z.string(), advice: z.string().nullable() })).optional(),
  problems: z.array(z.object({ message: z.string() })).optional(),
});

/** Runs a command for a machine: one JSON value on stdout and nothing else. */
async function asked(
  ...args: readonly string[]
): Promise<Ended & { readonly json: z.infer<typeof answer> }> {
  const ended = await site.run(...args, '--json');
  expect(ended.stdout + ended.stderr, args.join(' ')).not.toContain('://');
  return { ...ended, json: answer.parse(JSON.parse(ended.stdout)) };
}

async function ids(sql: string): Promise<readonly string[]> {
  return (await site.sql.query(sql)).rows.map(([value]) => value ?? '');
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; !(await holds()); looks += 1) {
    if (looks > 1_500) throw new Error(`Waited in vain until ${what}.`);
    await delay(100);
  }
}

const proving = () =>
  ids(`SELECT id FROM wirekite.sprocket_log WHERE message = 'Proving.'`)
    .then((found) => found.length)
    .catch(() => 0);
/** Sessions of workers in their sandboxes, and those of dbt. */
const atWork = () =>
  ids(`SELECT pid FROM pg_stat_activity WHERE datname LIKE 'sprocket\\_sandbox\\_%'
         AND datname <> current_database() AND application_name LIKE 'sprocket%'`);

it('check names every right that is missing, and what it prints gives them all', async () => {
  const printed = await site.run('check', '--connect');
  expect(printed).toMatchObject({ status: 1, stderr: '' });
  const statements = printed.stdout.split('\n').filter((line) => /^(?:GRANT|ALTER|--)/u.test(line));
  await site.sql.query(statements.join('\n'));
  expect(await asked('check', '--connect')).toMatchObject({ status: 0, json: { ok: true } });
});

it('say before there is a run that there is none, and how to start it', async () => {
  for (const args of [['status'], ['log'], ['retry']]) {
    expect(await asked(...args), args[0]).toMatchObject({
      status: 3,
      json: { error: { advice: expect.stringContaining('sprocket run') } },
    });
  }
});

it('fail no procedure for a server that goes away in the middle of a proof', async () => {
  const run = site.start('run', '--workers', '1', '--json');
  await until('a proof is at work', async () => (await atWork()).length > 1);
  await site.sql.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name LIKE 'sprocket%' AND datname <> current_database()`,
  );
  const { status, stdout, stderr } = await run.ended;
  expect(stdout + stderr).not.toContain('://');
  const { summary, failures } = answer.parse(JSON.parse(stdout));
  expect({ status, failures, stderr }).toMatchObject({
    status: 3,
    failures: [{ advice: expect.stringContaining('run again') }],
    stderr: '',
  });
  // The one that is refused was so before.
  expect(summary?.counts).toMatchObject({ Completed: 0, Failed: 1 });
});

it('share a run that is started twice, which a PAUSE by SQL holds in the middle of a proof', async () => {
  const first = site.start('run', '--json');
  await until('it is at work', async () => (await atWork()).length > 0);
  await site.sql.query(`UPDATE wirekite.wirekite_action SET action = 'PAUSE'`);
  await until('nothing is at work', async () => (await atWork()).length === 0);
  expect((await asked('status')).json).toMatchObject({ progress: { action: 'PAUSE' } });
  const second = site.start('run');
  await site.sql.query(`DELETE FROM wirekite.wirekite_action`);
  const ends = await Promise.all([first.ended, second.ended]);
  // One procedure is refused, and one that depends on it waits; one depends on the order of rows.
  expect(ends.map(({ status, stderr }) => [status, stderr])).toEqual([
    [1, ''],
    [1, ''],
  ]);
  expect(answer.parse(JSON.parse(ends[0].stdout)).summary?.counts).toMatchObject({
    Completed: 1,
    Failed: 2,
    Blocked: 1,
  });
  const verdicts = await ids(
    `SELECT source FROM wirekite.sprocket_log WHERE message LIKE 'Proven:%' OR message LIKE 'Not proven%'`,
  );
  expect(verdicts.toSorted()).toEqual(['dw.load_orders()', 'dw.pick()']);
  expect(ends[1].stdout).not.toContain('\u001B');
});

it('show the run, in plain lines where nobody sits in front', async () => {
  const { stdout, status } = await site.run('status');
  expect(status).toBe(0);
  expect(stdout).not.toContain('\u001B');
  expect(stdout.split('\n').find((line) => line.includes('dw.count_sample()'))).toMatch(
    /^Blocked .*dw\.draw\(\)/u,
  );
  const watched = await site.run('status', '--watch');
  expect(watched).toMatchObject({ status: 0, stderr: '' });
  expect((await site.run('log', 'draw')).stdout).toContain('line 3: random()');
  expect((await asked('log', 'dw.pick()')).status).toBe(0);
});

it('name the nearest procedure where one is mistyped', async () => {
  expect(await asked('log', 'dw.load_order')).toMatchObject({
    status: 2,
    json: { error: { message: expect.stringContaining('Did you mean dw.load_orders()?') } },
  });
  expect(await asked('skip', 'dw.drow')).toMatchObject({
    status: 1,
    json: { problems: [{ message: expect.stringContaining('Did you mean dw.draw()?') }] },
  });
});

it('take decisions, and the summary names who took them', async () => {
  expect(await asked('accept', 'draw', 'it', 'is', 'fine')).toMatchObject({
    status: 1,
    json: { changed: [] },
  });
  expect(
    await asked('accept', 'dw.pick', 'ties', 'may', 'fall', 'either', 'way', '--by', 'Ann Lee'),
  ).toMatchObject({ status: 0, json: { changed: ['dw.pick()'] } });
  expect(await asked('skip', 'dw.draw', '--reason', 'not used')).toMatchObject({
    status: 0,
    json: { changed: ['dw.draw()'] },
  });
  const done = await asked('run');
  expect(done).toMatchObject({ status: 0, json: { summary: { counts: { Completed: 2 } } } });
  const files = site.branchFiles();
  expect(files['MIGRATION.md']).toMatch(/Ann Lee.*ties may fall either way/su);
  expect(files['transform/models/dw/sample_size.sql']).toContain("source('dw', 'sample')");
  expect(Object.keys(files)).toContain('transform/models/dw/latest.sql');
});

it('queue again, and leave a procedure to a person’s model', async () => {
  expect(await asked('retry', 'dw.draw')).toMatchObject({ json: { changed: ['dw.draw()'] } });
  expect(await asked('manual', 'dw.draw', '--reason', 'mine')).toMatchObject({
    status: 0,
    json: { changed: ['dw.draw()'] },
  });
});

it('stop, refuse what would be wrong, and forget', async () => {
  expect(await asked('reset')).toMatchObject({ status: 1, json: { done: false } });
  for (const [command, action] of [
    ['pause', 'PAUSE'],
    ['resume', 'RUN'],
    ['stop', 'STOP'],
  ] as const) {
    expect(await asked(command, 'for', 'a', 'test')).toMatchObject({ status: 0, json: { action } });
    expect(await ids('SELECT action FROM wirekite.wirekite_action')).toEqual([action]);
  }
  expect(await asked('run')).toMatchObject({ status: 0, json: { stopped: true } });
  expect(await asked('reset')).toMatchObject({ status: 0, json: { done: true } });
  expect(await ids('SELECT source FROM wirekite.wirekite_progress')).toEqual([]);
});

it('end at the second Ctrl-C, with all that they have started', async () => {
  await site.run('resume');
  const run = site.start('run');
  await until('a proof begins', async () => (await proving()) > 0 && (await atWork()).length > 0);
  for (const _ of [1, 2]) run.interrupt();
  const { stdout, stderr } = await run.ended;
  expect(stdout).toContain('Stopping: what is under way is recorded first');
  expect(stderr).toBe('');
  await until('nothing is at work', async () => (await atWork()).length === 0);
  await site.run('stop');
  expect(await asked('reset')).toMatchObject({ status: 0 });
});

it('end quietly where nobody reads on, and say where the disk is full', async () => {
  const env = { ...process.env, SOURCE_DATABASE_URL: site.url };
  const assess = (output: 'pipe' | number) =>
    spawn(process.execPath, [MAIN, 'assess', '--json'], { env, stdio: ['ignore', output, 'pipe'] });
  const endOf = async (child: ReturnType<typeof assess>) => {
    const said: string[] = [];
    child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    const [status] = await once(child, 'close');
    return [status, said.join('')];
  };
  const unread = assess('pipe');
  unread.stdout?.destroy();
  expect(await endOf(unread)).toEqual([0, '']);
  const full = await open('/dev/full', 'w');
  expect(await endOf(assess(full.fd))).toEqual([
    3,
    expect.stringMatching(/^sprocket: .*ENOSPC.*\n$/u),
  ]);
  await full.close();
});
