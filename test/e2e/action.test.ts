/**
 * The life of a run whose jobs end before the work does: at their limit, and by a cancelled workflow.
 * The jobs act by tokens of the App, and nothing secret is to be read anywhere.
 */
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildAction } from '../../scripts/build-action.ts';
import { connectTo, openScratchServer } from '../adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../adapters/postgres/scratch-database.ts';
import { startStage } from '../app/harness.ts';
import type { Stage } from '../app/harness.ts';
import { planText } from '../core/checkrun/plans.ts';
import { PRIVATE_KEY } from '../github/auth.ts';
import { startJob } from '../github/job.ts';
import type { JobResult, RunningJob } from '../github/job.ts';
import { claimsOf, startIssuer } from '../github/oidc.ts';
import type { OidcIssuer } from '../github/oidc.ts';
import * as people from '../github/people.ts';
import { BOT } from '../github/state.ts';
import type { RepositoryState } from '../github/state.ts';

const BUNDLE = join(import.meta.dirname, '../../build/action-e2e-test');
const WAREHOUSE = `
  CREATE SCHEMA src; CREATE SCHEMA dw;
  CREATE TABLE src.orders (id int PRIMARY KEY, amount numeric NOT NULL);
  INSERT INTO src.orders SELECT n, n * 2 FROM generate_series(1, 20) n;
  CREATE TABLE dw.big (id int, amount numeric);
  CREATE TABLE dw.total (total numeric);
  CREATE PROCEDURE dw.load_big() LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE dw.big;
    INSERT INTO dw.big SELECT id, amount FROM src.orders WHERE amount > 10;
  END $$;
  CREATE PROCEDURE dw.load_total() LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE dw.total;
    INSERT INTO dw.total SELECT sum(amount) FROM dw.big;
  END $$;`;
const PLAN = planText([
  { name: 'dw.load_big()' },
  { name: 'dw.load_total()', dependsOn: 'dw.load_big()' },
]).replace(
  'url: TARGET_DATABASE_URL }',
  'url: TARGET_DATABASE_URL }\nproduction: { repository: acme/analytics }\nworkers: 1',
);

let server: ScratchServer | undefined;
let issuer: OidcIssuer;
let stage: Stage;
let repository: RepositoryState;
let production: RepositoryState;
let url = '';
const results: (JobResult & { readonly raw: string })[] = [];

beforeAll(async () => {
  const building = buildAction(BUNDLE);
  server = await openScratchServer();
  url = await server.create('action_e2e');
  const sql = await connectTo(url);
  await sql.query(WAREHOUSE);
  await sql.close();
  issuer = await startIssuer();
  stage = await startStage({ oidcIssuer: issuer.url });
  repository = stage.double.addRepository('acme', 'migration', { 'README.md': 'hello' });
  production = stage.double.addRepository('acme', 'analytics', { 'README.md': 'dbt lives here' });
  await building;
});

afterAll(async () => {
  await stage.close();
  await issuer.close();
  await server?.close();
});

function start(command: string, inputs: Readonly<Record<string, string>> = {}): RunningJob {
  const last = repository.dispatches.at(-1);
  return startJob({
    bundle: BUNDLE,
    double: stage.double,
    repository,
    inputs: { command, 'app-url': `http://127.0.0.1:${stage.app.port}`, ...inputs },
    event: {
      name: 'repository_dispatch',
      payload: { action: last?.event, client_payload: last?.payload },
    },
    environment: {
      SOURCE_DATABASE_URL: url,
      TARGET_DATABASE_URL: url,
      SANDBOX_DATABASE_URL: url.replace(/\/[^/]*$/u, '/postgres'),
      SPROCKET_DBT: join(import.meta.dirname, '../../.venv/bin/dbt'),
      ...issuer.environment(claimsOf(repository)),
    },
  });
}

async function ended(job: RunningJob): Promise<JobResult> {
  const result = await job.ended;
  results.push({ ...result, raw: job.said().replaceAll(/^::add-mask::.*$/gmu, '') });
  await stage.double.settled();
  stage.double.rates.forget();
  expect(stage.double.violations.splice(0)).toEqual([]);
  expect(result.log).not.toContain('::error');
  expect(result).toMatchObject({ status: 0, signal: null });
  return result;
}

/** A workflow run of the dispatch that came last. */
async function leg(
  work: Readonly<Record<string, string>>,
  finish: Readonly<Record<string, string>>,
) {
  const plan = await ended(start('plan'));
  expect(plan.outputs).toMatchObject({ proceed: 'true', workers: '[1]' });
  const tables = plan.outputs['tables'] ?? '';
  const worked = await ended(start('work', { tables, ...work }));
  return { worked, finished: await ended(start('finish', { tables, ...finish })) };
}

function lastCheck() {
  return [...repository.checks.values()].at(-1);
}

function legs() {
  return repository.dispatches
    .filter(({ event }) => event === 'sprocket-run')
    .map(({ payload }) => [payload['leg'], payload['resumed']]);
}

async function resume(): Promise<void> {
  people.comment(stage.double, repository, 1, '/resume');
  await until(() => repository.dispatches.at(-1)?.event === 'sprocket-control');
  await ended(start('control'));
  expect(repository.dispatches.at(-1)?.event).toBe('sprocket-run');
}

/** What the App does, it does after it has answered. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await wait(50);
}

/** What GitHub does to a cancelled job: SIGINT, SIGTERM after 7.5 s, the end after 2.5 s more. */
async function cancel({ child, ended: end }: RunningJob): Promise<void> {
  const over = new AbortController();
  void end.then(() => over.abort());
  child.kill('SIGINT');
  for (const [after, signal] of [
    [7_500, 'SIGTERM'],
    [2_500, 'SIGKILL'],
  ] as const) {
    await wait(after, undefined, { signal: over.signal }).catch(() => undefined);
    if (over.signal.aborted) return;
    child.kill(signal);
  }
}

test('at its limit a job records, and the run asks for another one, so often as it may', async () => {
  people.push(stage.double, repository, { 'plan.md': PLAN });
  await until(() => legs().length > 0);
  expect(legs()).toEqual([[1, 0]]);

  const first = await leg({ minutes: '0.01' }, {});
  expect(first.worked.log).toContain('The time for new work is over');
  expect(first.finished.outputs).toMatchObject({ state: 'open', total: '2', 'pull-request': '' });
  expect(legs()).toEqual([
    [1, 0],
    [2, 0],
  ]);
  expect(lastCheck()).toMatchObject({ status: 'in_progress' });

  await leg({ minutes: '0.01' }, { 'most-legs': '2' });
  expect(legs()).toHaveLength(2);
  expect(lastCheck()).toMatchObject({ status: 'completed' });
  expect(lastCheck()?.title).toMatch(/^Interrupted/u);
  expect(lastCheck()?.actions.map(({ label }) => label)).toContain('Resume');
});

test('a cancelled job ends in good order before GitHub kills it', async () => {
  await resume();
  expect(legs()).toHaveLength(3);
  const workflow = people.startWorkflow(
    stage.double,
    repository,
    `Sprocket ${String(repository.dispatches.at(-1)?.payload['run'])} 3`,
  );
  const { outputs } = await ended(start('plan'));
  const sql = await connectTo(url);
  const begun = async () => {
    const { rows } = await sql.query(
      `SELECT count(*) FROM wirekite.sprocket_log WHERE message = 'Proving.'`,
    );
    return Number(rows[0]?.[0]);
  };
  // Jobs before this one may have begun as well, and were over before they came to an end.
  const before = await begun();
  const job = start('work', { tables: outputs['tables'] ?? '' });
  while ((await begun()) === before) await wait(50);
  await cancel(job);
  await ended(job);
  const { rows } = await sql.query(
    `SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  await sql.close();
  expect(rows).toEqual([['0']]);
  people.endWorkflow(stage.double, repository, workflow, 'cancelled');
  await until(() => lastCheck()?.status === 'completed');
  expect(lastCheck()?.title).toMatch(/^Interrupted/u);
  // Who cancels means it: nothing goes on by itself.
  expect(legs()).toHaveLength(3);
});

test('what is left is done by the next one, and nothing counts as a restart', async () => {
  await resume();
  const { finished } = await leg({}, {});
  expect(finished.outputs).toMatchObject({
    state: 'done',
    total: '2',
    completed: '2',
    failed: '0',
  });
  expect(finished.summary).toContain('dw.load_big()');
  const pulls = [...production.issues.values()].filter(({ pull }) => pull !== null);
  expect(pulls).toMatchObject([{ author: BOT, state: 'open' }]);
  expect(finished.outputs['pull-request']).toContain('/acme/analytics/pull/');
  const sql = await connectTo(url);
  const { rows } = await sql.query(
    `SELECT source, restarts FROM wirekite.wirekite_progress WHERE operation = 'P' ORDER BY 1`,
  );
  await sql.close();
  expect(rows).toEqual([
    ['dw.load_big()', '0'],
    ['dw.load_total()', '0'],
  ]);
});

test('the jobs had tokens for what they do, and nothing secret is to be read', () => {
  const tokens = [...stage.double.world.tokens.values()];
  const jobs = tokens.filter(({ permissions }) => permissions['workflows'] === undefined);
  expect(jobs.length).toBeGreaterThan(5);
  for (const { repositories } of jobs) expect(repositories).toHaveLength(1);
  const seen = [
    ...results.map(({ raw, log, summary, outputs }) => [
      raw,
      log,
      summary,
      JSON.stringify(outputs),
    ]),
    ...[repository, production].map((each) => [
      JSON.stringify([...each.checks.values(), ...each.issues.values(), ...each.comments.values()]),
      each.git.run(['log', '-p', '--all']),
    ]),
    JSON.stringify(stage.log),
    JSON.stringify(repository.dispatches),
  ]
    .flat()
    .join('\n');
  expect(seen).toContain('dw.load_total()');
  const { password } = new URL(url);
  const secrets = [password, PRIVATE_KEY.slice(200, 260), ...tokens.map(({ token }) => token)];
  for (const secret of secrets.filter((each) => each !== '')) expect(seen).not.toContain(secret);
  expect(password.length).toBeGreaterThan(8);
});
