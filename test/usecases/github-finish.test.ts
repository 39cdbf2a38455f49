/** The pull request on the production repository: exactly one, whatever happens around it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openGitHub } from '../../src/adapters/github/github.ts';
import { openGitHubRepository } from '../../src/adapters/github/repository.ts';
import { systemClock } from '../../src/adapters/system/clock.ts';
import { parsePlan } from '../../src/core/plan/parse.ts';
import { summarizeRun } from '../../src/core/lifecycle/run.ts';
import { openPullRequest } from '../../src/usecases/github-finish.ts';
import { planText } from '../core/checkrun/plans.ts';
import { connectTo } from '../github/connect.ts';
import { GitHubDouble } from '../github/double.ts';
import * as people from '../github/people.ts';
import { APP } from '../github/state.ts';
import type { IssueState, RepositoryState } from '../github/state.ts';

const BRANCH = 'sprocket/sales';
const RUN = '11111111-2222-8333-8444-555555555555';
const MODEL = 'transform/models/x.sql';

let double: GitHubDouble;
let migration: RepositoryState;
let production: RepositoryState;
let number = 0;

beforeAll(async () => {
  double = await GitHubDouble.start();
});
afterAll(() => double.stop());
beforeEach(() => {
  number += 1;
  double.rates.forget();
  migration = double.addRepository('acme', `migration-${number}`, { 'plan.md': 'x' });
  production = double.addRepository('acme', `analytics-${number}`, { 'README.md': 'x' });
});

async function open(repository: RepositoryState) {
  const connection = await connectTo(double, repository);
  return { github: openGitHub(connection), repository: openGitHubRepository(connection) };
}

/** What `finish` does when a run has come to this content. */
async function finish(content: string, run = RUN, target = production): Promise<number> {
  const own = await open(migration);
  const other = target === migration ? own : await open(target);
  const { plan } = parsePlan(planText([{ name: 'dw.load_x()' }]));
  if (plan === null) throw new Error('the plan is wrong');
  const committed = await own.repository.commit({
    branch: BRANCH,
    start: migration.git.resolve('main'),
    message: 'sales: 1 of 1 done\n',
    at: systemClock.now(),
    files: new Map([
      [MODEL, content],
      ['MIGRATION.md', `# Summary\n\n${content}\n`],
    ]),
    rewrites: new Map(),
  });
  const pull = await openPullRequest(
    { github: own.github, clock: systemClock },
    {
      plan: {
        ...plan,
        settings: {
          ...plan.settings,
          production: {
            ...plan.settings.production,
            project: 'transform',
            labels: ['migration'],
            reviewers: ['octocat'],
          },
        },
      },
      run,
      published: {
        ...committed,
        branch: BRANCH,
        summary: summarizeRun([], []),
        migrationPath: 'MIGRATION.md',
        projectPath: 'transform',
      },
      migration: own.repository,
      migrationUrl: `https://github.com/acme/${migration.name}`,
      production: other.github,
      productionRepository: other.repository,
      models: 1,
    },
  );
  expect(double.violations.splice(0)).toEqual([]);
  return pull.number;
}

function pulls(repository = production): IssueState[] {
  return [...repository.issues.values()].filter(({ pull }) => pull !== null);
}

function text(path: string, repository = production): string {
  return repository.git.run(['show', `${BRANCH}:${path}`]);
}

function commits(repository = production): string[] {
  return repository.git
    .run(['log', '--first-parent', '--format=%s', `main..${BRANCH}`])
    .split('\n');
}

function close(issue: IssueState | undefined): void {
  if (issue !== undefined) issue.state = 'closed';
}

describe('finishing again', () => {
  test('changes nothing where nothing is new', async () => {
    const first = await finish('select 1');
    const head = production.git.resolve(BRANCH);
    expect(await finish('select 1')).toBe(first);
    expect(pulls()).toHaveLength(1);
    expect(production.git.resolve(BRANCH)).toBe(head);
    expect(pulls()[0]).toMatchObject({ labels: ['migration'], state: 'open' });
  });

  test('brings branch and summary up to date, and keeps what people committed', async () => {
    await finish('select 1');
    const who = { name: 'octocat', email: 'octocat@example.com' };
    production.git.commit(BRANCH, { 'transform/models/own.sql': 'select 3' }, 'Mine', who);
    await finish('select 2');
    expect(pulls()).toHaveLength(1);
    expect(pulls()[0]?.body).toContain('select 2');
    expect(text(MODEL)).toBe('select 2');
    expect(text('transform/models/own.sql')).toBe('select 3');
    production.git.commit(BRANCH, { [MODEL]: 'select 42' }, 'Better', who);
    await finish('select 4');
    expect(text(MODEL)).toBe('select 42');
  });

  test('takes in a base that moved, without looking through all of its history', async () => {
    await finish('select 1');
    for (let at = 0; at < 5; at += 1) {
      production.git.commit('main', { [`other-${at}.txt`]: 'x' }, 'Elsewhere');
    }
    double.requests.splice(0);
    await finish('select 2');
    expect(pulls()).toHaveLength(1);
    expect(text('other-4.txt')).toBe('x');
    expect(text(MODEL)).toBe('select 2');
    const trees = double.requests.filter(({ template }) => template.includes('/git/trees'));
    expect(trees.length).toBeLessThan(12);
    await finish('select 3');
    expect(text('other-0.txt')).toBe('x');
    expect(text(MODEL)).toBe('select 3');
  });

  test('leaves a conflict with the base to people', async () => {
    await finish('select 1');
    production.git.commit('main', { [MODEL]: 'select 0' }, 'The same file');
    await finish('select 2');
    expect(text(MODEL)).toBe('select 2');
    expect(pulls()).toHaveLength(1);
  });

  test('opens none again that was closed or merged, but one for another run', async () => {
    const first = await finish('select 1');
    close(pulls()[0]);
    expect(await finish('select 1')).toBe(first);
    expect(pulls()).toHaveLength(1);
    await finish('select 2', '99999999-2222-8333-8444-555555555555');
    expect(pulls().map(({ state }) => state)).toEqual(['closed', 'open']);
  });
});

test('two that finish at once open one, with one commit', async () => {
  const [first, second] = await Promise.all([finish('select 1'), finish('select 1')]);
  expect(first).toBe(second);
  expect(pulls()).toHaveLength(1);
  expect(commits()).toHaveLength(1);
});

test('where the run lives in the production repository, its own branch is the head', async () => {
  await finish('select 1', RUN, migration);
  await finish('select 2', RUN, migration);
  expect(pulls(migration)).toHaveLength(1);
  expect(pulls(migration)[0]?.pull).toMatchObject({ head: BRANCH, base: 'main' });
  expect(text(MODEL, migration)).toBe('select 2');
});

test('commits are verified: they name neither author nor committer of their own', async () => {
  await finish('select 1');
  const author = production.git.run(['log', '-1', '--format=%an', BRANCH]);
  expect(author).toBe(`${APP.slug}[bot]`);
});

test('a reviewer who can not be asked is named, and the others are asked', async () => {
  production.roles.delete('octocat');
  const made = await finish('select 1');
  expect(pulls()[0]?.pull?.reviewers).toEqual([]);
  expect(people.issueOf(production, made).labels).toEqual(['migration']);
  const said = [...production.comments.values()].map(({ body }) => body);
  expect(said).toHaveLength(1);
  expect(said[0]).toContain('`octocat`');
});
