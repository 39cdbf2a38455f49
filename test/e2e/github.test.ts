/** The whole way on GitHub's double: App, dispatches, the built bundle, PostgreSQL and dbt. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildAction } from '../../scripts/build-action.ts';
import { connectTo, openScratchServer } from '../adapters/postgres/scratch-database.ts';
import type { ScratchServer } from '../adapters/postgres/scratch-database.ts';
import { startStage } from '../app/harness.ts';
import type { Stage } from '../app/harness.ts';
import { planText } from '../core/checkrun/plans.ts';
import * as people from '../github/people.ts';
import { WorkflowRunner } from '../github/runner.ts';
import type { RepositoryState } from '../github/state.ts';

const BUNDLE = join(import.meta.dirname, '../../build/action-test');
const WAREHOUSE = `
  CREATE SCHEMA src; CREATE SCHEMA dw;
  CREATE TABLE src.orders (id int PRIMARY KEY, amount numeric NOT NULL);
  INSERT INTO src.orders SELECT n, n * 2 FROM generate_series(1, 20) n;
  CREATE TABLE dw.big (id int, amount numeric);
  CREATE TABLE dw.total (total numeric);
  CREATE TABLE dw.other (id int);
  CREATE PROCEDURE dw.load_big() LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE dw.big;
    INSERT INTO dw.big SELECT id, amount FROM src.orders WHERE amount > 10;
  END $$;
  CREATE PROCEDURE dw.load_total() LANGUAGE plpgsql AS $$
  BEGIN
    TRUNCATE dw.total;
    INSERT INTO dw.total SELECT sum(amount) FROM dw.big;
  END $$;
  CREATE PROCEDURE dw.load_other(p_table text) LANGUAGE plpgsql AS $$
  BEGIN
    EXECUTE 'INSERT INTO ' || p_table || ' SELECT id FROM src.orders';
  END $$;`;
const PLAN = planText([
  { name: 'dw.load_big()' },
  { name: 'dw.load_total()', dependsOn: 'dw.load_big()' },
  { name: 'dw.load_other(text)' },
]).replace(
  'url: TARGET_DATABASE_URL }',
  'url: TARGET_DATABASE_URL }\nsandbox: { url: SANDBOX_DATABASE_URL }\nproduction: { repository: acme/analytics, reviewers: [octocat, nobody], labels: [migration] }\nworkers: 2',
);

let server: ScratchServer | undefined;
let stage: Stage;
let runner: WorkflowRunner;
let repository: RepositoryState;
let production: RepositoryState;
let url = '';

beforeAll(async () => {
  await buildAction(BUNDLE);
  server = await openScratchServer();
  url = await server.create('github_e2e');
  const sql = await connectTo(url);
  await sql.query(WAREHOUSE);
  await sql.close();
  stage = await startStage();
  repository = stage.double.addRepository('acme', 'migration', { 'README.md': 'hello' });
  production = stage.double.addRepository('acme', 'analytics', { 'README.md': 'dbt lives here' });
  runner = new WorkflowRunner(stage.double, BUNDLE, {
    SOURCE_DATABASE_URL: url,
    TARGET_DATABASE_URL: url,
    SANDBOX_DATABASE_URL: url.replace(/\/[^/]*$/u, '/postgres'),
    SPROCKET_DBT: join(import.meta.dirname, '../../.venv/bin/dbt'),
  });
});

afterAll(async () => {
  await runner.close();
  await stage.close();
  await server?.close();
});

async function settled(): Promise<void> {
  await runner.settled();
  stage.double.rates.forget();
  expect(stage.double.violations.splice(0)).toEqual([]);
}

function lastCheck() {
  return [...repository.checks.values()].at(-1);
}

function pulls() {
  return [...production.issues.values()].filter(({ pull }) => pull !== null);
}

test('a merged plan runs, a refused procedure is skipped by comment, and one pull request comes', async () => {
  people.push(stage.double, repository, { 'plan.md': PLAN });
  await settled();
  expect(
    runner.results.map(({ command, status, log }) => [command, status, status === 0 ? '' : log]),
  ).toEqual([
    ['plan', 0, ''],
    ['work', 0, ''],
    ['work', 0, ''],
    ['finish', 0, ''],
  ]);
  expect(lastCheck()).toMatchObject({ status: 'completed', conclusion: 'action_required' });
  expect(lastCheck()?.annotations).toMatchObject([{ title: 'dw.load_other(text) failed' }]);
  expect(lastCheck()?.title).toMatch(/^Needs a person: 2 of 3 done, 1 failed/u);
  expect(lastCheck()?.annotations).toMatchObject([
    { path: 'plan.md', title: 'dw.load_other(text) failed' },
  ]);
  const monitor = repository.issues.get(1);
  expect(monitor?.body).toContain('skip `dw.load_other(text)`');
  const branch = repository.git.run(['show', 'sprocket/sales:plan.md']);
  expect(branch).toMatch(/dw\.load_big\(\) .*Completed/u);
  expect(branch).toMatch(/dw\.load_other\(text\) .*Failed/u);
  expect(pulls()).toEqual([]);

  const wrong = people.comment(stage.double, repository, 1, '/skip dw.load_othr');
  await settled();
  expect(wrong.reactions.map(({ content }) => content)).toEqual(['eyes', 'confused']);
  const answer = [...repository.comments.values()].at(-1)?.body;
  expect(answer).toContain('Did you mean dw.load_other(text)?');

  const right = people.comment(stage.double, repository, 1, '/skip dw.load_other');
  await settled();
  expect(right.reactions.map(({ content }) => content)).toEqual(['eyes', 'rocket']);
  people.comment(stage.double, repository, 1, '/resume');
  await settled();

  expect(lastCheck()).toMatchObject({ status: 'completed', conclusion: 'success' });
  expect(lastCheck()?.title).toMatch(/^Done: 3 of 3 done/u);
  expect(pulls()).toHaveLength(1);
  const [pull] = pulls();
  expect(pull).toMatchObject({ labels: ['migration'], state: 'open' });
  expect(pull?.pull).toMatchObject({
    head: 'sprocket/sales',
    base: 'main',
    reviewers: ['octocat'],
  });
  expect(monitor?.body).toContain(`/analytics/pull/${pull?.number}`);
  const files = production.git.run(['ls-tree', '-r', '--name-only', 'sprocket/sales']);
  expect(files).toContain('transform/dbt_project.yml');
  expect(files).toContain('transform/MIGRATION.md');
  const logs = runner.results
    .map(({ log }) => log.replaceAll(/^::add-mask::.*$/gmu, ''))
    .join('\n');
  expect(logs).not.toContain(url);
});

test('every webhook again, in another order and late, changes nothing', async () => {
  const before = {
    dispatches: repository.dispatches.length,
    checks: repository.checks.size,
    comments: repository.comments.size,
    pulls: pulls().length,
    head: production.git.run(['rev-parse', 'sprocket/sales']),
  };
  const target = stage.double.webhookUrl ?? '';
  for (const delivery of stage.double.world.deliveries.toReversed()) {
    await stage.double.deliver(delivery, target);
  }
  await settled();
  expect({
    dispatches: repository.dispatches.length,
    checks: repository.checks.size,
    comments: repository.comments.size,
    pulls: pulls().length,
    head: production.git.run(['rev-parse', 'sprocket/sales']),
  }).toEqual(before);
});

test('a run that is paused, gone on with, and whose runner dies, ends all the same', async () => {
  const second = stage.double.addRepository('acme', 'second', { 'README.md': 'hello' });
  const plan = planText([{ name: 'dw.load_big()' }, { name: 'dw.load_total()' }], 'second').replace(
    'url: TARGET_DATABASE_URL }',
    'url: TARGET_DATABASE_URL, metadata_schema: second }\nsandbox: { url: SANDBOX_DATABASE_URL }\nworkers: 1',
  );
  const first = runner.results.length;
  people.push(stage.double, second, { 'plan.md': plan });
  await until(() => runner.results.slice(first).some(({ command }) => command === 'plan'));
  people.comment(stage.double, second, 1, '/pause the source is being restored');
  await until(() =>
    runner.results.some(({ command, log }) => command === 'control' && log.includes('PAUSE')),
  );
  const check = [...second.checks.values()].at(-1);
  expect(check).toMatchObject({ status: 'in_progress', conclusion: null });
  expect(check?.title).toMatch(/^Paused: /u);
  expect(check?.summary).toContain('Paused by octocat: the source is being restored');
  expect(check?.actions.map(({ label }) => label)).toEqual(['Resume', 'Stop']);
  expect(runner.living.size).toBe(1);
  for (const child of runner.living) child.kill('SIGKILL');
  await runner.settled();
  expect(pullsOf(second)).toEqual([]);
  expect([...second.checks.values()].at(-1)?.title).toMatch(/^Stopped: /u);

  people.comment(stage.double, second, 1, '/resume');
  await settled();
  expect([...second.checks.values()].at(-1)).toMatchObject({ conclusion: 'success' });
  expect(pullsOf(second)).toHaveLength(1);
  const proofs = await connectTo(url);
  const { rows } = await proofs.query(
    `SELECT source, restarts FROM second.wirekite_progress WHERE operation = 'P' AND finish_time IS NOT NULL ORDER BY 1`,
  );
  await proofs.close();
  expect(rows.map(([source]) => source)).toEqual(['dw.load_big()', 'dw.load_total()']);
});

function pullsOf(target: RepositoryState) {
  return [...target.issues.values()].filter(({ pull }) => pull !== null);
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}
