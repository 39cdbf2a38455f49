/** What the App finds out by itself, and what it does at the ends of workflow runs. */
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { planText } from '../core/checkrun/plans.ts';
import * as people from '../github/people.ts';
import { BOT } from '../github/state.ts';
import type { RepositoryState } from '../github/state.ts';
import { startStage } from './harness.ts';
import type { Stage } from './harness.ts';
import { checks, launchedRepository, newRepository } from './repositories.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());
afterEach(async () => {
  await stage.settled();
  stage.double.rates.forget();
  expect(stage.double.violations.splice(0)).toEqual([]);
});

const PLAN = planText([{ name: 'dw.load_a()' }, { name: 'dw.load_b()', dependsOn: 'dw.load_a()' }]);
const EMPTY = planText([{ name: 'dw.load_a()', include: 'no' }]);

function repositoryWith(files: Readonly<Record<string, string>>): RepositoryState {
  return newRepository(stage, files);
}

function launched(): Promise<RepositoryState> {
  return launchedRepository(stage, PLAN);
}

describe('a workflow run that ends before the run does', () => {
  test('goes on by itself three times, then waits for a person', async () => {
    const repository = await launched();
    const check = checks(repository)[0];
    if (check === undefined) throw new Error('no check run');
    const id = String(repository.dispatches[0]?.payload['run']);
    for (let leg = 1; leg <= 4; leg += 1) {
      check.status = 'in_progress';
      const run = people.startWorkflow(stage.double, repository, `Sprocket ${id} ${leg}`);
      people.endWorkflow(stage.double, repository, run, 'failure');
      await stage.settled();
    }
    expect(
      repository.dispatches.map(({ payload }) => [payload['leg'], payload['resumed']]),
    ).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
      [4, 3],
    ]);
    expect(check).toMatchObject({
      conclusion: 'failure',
      title: 'Interrupted: 2 of 2 procedures included',
    });
    expect(check.summary).toContain('Nothing is lost: press Resume');
    expect(people.issueOf(repository, 1).body).toContain('Nothing is lost: press Resume');
    expect(people.issueOf(repository, 1).body.match(/⚠️/gu)).toHaveLength(1);
    expect(check.actions.map(({ label }) => label)).toEqual(['Resume']);
  });

  test('cancelled by a person, waits for a person', async () => {
    const repository = await launched();
    const id = String(repository.dispatches[0]?.payload['run']);
    const run = people.startWorkflow(stage.double, repository, `Sprocket ${id} 1`);
    people.endWorkflow(stage.double, repository, run, 'cancelled');
    await stage.settled();
    expect(repository.dispatches).toHaveLength(1);
    expect(checks(repository)[0]).toMatchObject({
      title: 'Interrupted: 2 of 2 procedures included',
    });
  });
});

describe('an App that was down', () => {
  test('finds the push that it missed', async () => {
    const repository = await launched();
    // As if they were older than what another process may have left undone.
    stage.double.world.deliveries.splice(0);
    stage.double.webhookUrl = 'http://127.0.0.1:9/';
    people.push(stage.double, repository, { 'plan.md': `${PLAN}\nmore\n` });
    await stage.settled();
    await stage.restart();
    await stage.app.reconcile();
    await stage.settled();
    expect(repository.dispatches).toHaveLength(2);
    expect(checks(repository).at(-1)?.sha).toBe(repository.git.resolve('main'));
    expect(checks(repository)).toHaveLength(2);
  });

  test('finds the very first push, and pull requests, that it missed', async () => {
    const repository = repositoryWith({ 'README.md': 'hello' });
    repository.git.run(['branch', 'other', 'main']);
    repository.git.commit('other', { 'plan.md': EMPTY }, 'Plan');
    const url = stage.double.webhookUrl;
    stage.double.webhookUrl = null;
    const pull = people.openPullRequest(stage.double, repository, 'other');
    people.push(stage.double, repository, { 'plan.md': PLAN });
    stage.double.world.deliveries.splice(0);
    stage.double.webhookUrl = url;
    await stage.app.reconcile();
    await stage.settled();
    expect(repository.dispatches).toHaveLength(1);
    expect(checks(repository).map(({ sha }) => sha)).toEqual([
      repository.git.resolve('main'),
      repository.git.resolve(pull.pull?.head ?? ''),
    ]);
    await stage.app.reconcile();
    expect(checks(repository)).toHaveLength(2);
  });

  test('leaves a plan alone that was there long before it', async () => {
    const repository = repositoryWith({ 'README.md': 'hello' });
    const { git } = repository;
    const now = git.commit('main', { 'plan.md': PLAN }, 'Long ago');
    const who = 'A person <person@example.com> 1700000000 +0000';
    const then = `tree ${git.run(['rev-parse', `${now}^{tree}`])}\nauthor ${who}\ncommitter ${who}\n\nLong ago\n`;
    const made = git.run(['hash-object', '-t', 'commit', '-w', '--stdin'], then);
    git.run(['update-ref', 'refs/heads/main', made]);
    await stage.app.reconcile();
    expect(checks(repository)).toEqual([]);
  });

  test.each([1, 3])('goes on by itself where GitHub failed %i times', async (times) => {
    const repository = repositoryWith({ 'README.md': 'hello' });
    for (let time = 0; time < times; time += 1) {
      stage.double.faults.push({
        method: 'POST',
        path: new RegExp(`/${repository.name}/dispatches$`, 'u'),
        answer: { status: 502, message: 'bad gateway' },
      });
    }
    people.push(stage.double, repository, { 'plan.md': PLAN });
    await stage.settled();
    expect(stage.double.world.deliveries.at(-1)?.status).toBe(200);
    await vi.waitUntil(() => stage.double.faults.length === 0, 10_000);
    await stage.settled();
    // The third was the last: from then on it is the hourly look that asks for it.
    if (times === 3) await stage.app.reconcile();
    await vi.waitUntil(() => repository.dispatches.length > 0, 10_000);
    await stage.settled();
    expect(checks(repository)).toHaveLength(1);
    expect(repository.issues.size).toBe(1);
    expect(repository.dispatches).toHaveLength(1);
  });
});

describe('an installation', () => {
  const migration = () => repositoryWith({ 'README.md': 'hello' });
  const production = () => repositoryWith({ 'transform/dbt_project.yml': 'name: shop' });
  const offered = async (...repositories: readonly RepositoryState[]) => {
    await stage.settled();
    return repositories.map(
      ({ issues }) => [...issues.values()].filter(({ pull }) => pull !== null).length,
    );
  };

  test('opens one pull request with workflow, plan and checklist', async () => {
    const repository = migration();
    people.install(stage.double, [repository]);
    people.install(stage.double, [repository]);
    await stage.settled();
    const pulls = [...repository.issues.values()].filter(({ pull }) => pull !== null);
    expect(pulls).toMatchObject([{ title: 'Set up Sprocket', author: BOT }]);
    expect(pulls[0]?.body).toContain('secret `SOURCE_DATABASE_URL`');
    const files = repository.git.run(['ls-tree', '-r', '--name-only', 'sprocket-onboarding']);
    expect(files.split('\n')).toEqual(['.github/workflows/sprocket.yml', 'README.md', 'plan.md']);
  });

  test('opens none where a dbt project is, beside the migration repository or added later', async () => {
    const [own, other, later] = [migration(), production(), production()];
    people.install(stage.double, [own, other]);
    people.addToInstallation(stage.double, [later]);
    expect(await offered(own, other, later)).toEqual([1, 0, 0]);
  });

  test('opens one where a dbt project is in the only repository', async () => {
    const only = production();
    people.install(stage.double, [only]);
    expect(await offered(only)).toEqual([1]);
  });

  test('opens none in repositories that nobody chose', async () => {
    const [one, two, later] = [migration(), migration(), migration()];
    people.install(stage.double, [one, two], 'all');
    people.addToInstallation(stage.double, [later], 'all');
    expect(await offered(one, two, later)).toEqual([0, 0, 0]);
  });
});
