/** A repository's branches and files, as runs write and read them. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openGitHubRepository } from '../../src/adapters/github/repository.ts';
import type { RunRepository, StatusBranch } from '../../src/ports/repository.ts';
import { connectTo } from './connect.ts';
import { GitHubDouble } from './double.ts';
import type { RepositoryState } from './state.ts';

let double: GitHubDouble;
let repository: RepositoryState;
let runs: RunRepository & StatusBranch;

beforeAll(async () => {
  double = await GitHubDouble.start();
  repository = double.addRepository('acme', 'migration', { 'a.txt': 'a', 'models/b.sql': 'b' });
  runs = openGitHubRepository(await connectTo(double, repository));
});
afterAll(() => double.stop());
afterEach(() => {
  double.rates.forget();
  double.faults.splice(0);
  expect(double.violations.splice(0)).toEqual([]);
});

function main(): string {
  return repository.git.resolve('main') ?? '';
}

describe('a branch', () => {
  const change = {
    branch: 'sprocket/sales',
    message: 'Models\n',
    at: '2026-03-01T10:00:00.000Z',
    rewrites: new Map<string, (current: string | null) => string>(),
  };

  test('is written with signed commits, keeps what people did, and is not written twice', async () => {
    const start = main();
    const files = new Map([
      ['transform/models/x.sql', 'select 1'],
      ['transform/models/y.sql', 'select 2'],
    ]);
    const first = await runs.commit({ ...change, start, files });
    expect(first).toMatchObject({ changed: true, kept: [] });
    // What was written here is not read again.
    const before = double.requests.length;
    expect(await runs.commit({ ...change, start, files })).toMatchObject({
      changed: false,
      commit: first.commit,
    });
    expect(await runs.readFolder(first.commit, 'transform')).toEqual(files);
    expect(await runs.readFile(first.commit, 'transform/models/x.sql')).toBe('select 1');
    expect(await runs.readFile(first.commit, 'transform')).toBeNull();
    const asked = double.requests.slice(before).map(({ template }) => template);
    expect(asked.filter((template) => !/\/git\/ref\/|\/compare\//u.test(template))).toEqual([]);
    expect(asked).toHaveLength(2);
    repository.git.commit(
      'sprocket/sales',
      { 'transform/models/x.sql': 'select 42', 'transform/models/own.sql': 'select 3' },
      'My way',
      { name: 'octocat', email: 'octocat@example.com' },
    );
    const next = await runs.commit({
      ...change,
      start,
      files: new Map([['transform/models/x.sql', 'select 1 -- again']]),
      rewrites: new Map([['plan.md', (current) => `${current ?? ''}status`]]),
    });
    expect(next.kept).toEqual(['transform/models/x.sql']);
    expect(Object.fromEntries(await runs.readFolder(next.commit, 'transform'))).toEqual({
      'transform/models/own.sql': 'select 3',
      'transform/models/x.sql': 'select 42',
    });
    expect(await runs.readFile(next.commit, 'plan.md')).toBe('status');
    expect(await runs.readFile(next.commit, 'models/b.sql')).toBe('b');
    const peoples = await runs.readPeoples('sprocket/sales', start, 'transform');
    expect([...peoples.keys()]).toEqual(['transform/models/own.sql', 'transform/models/x.sql']);
  });

  test('shows a status in one commit, however often it is written, in which people lose nothing', async () => {
    const branch = 'sprocket/status';
    const write = (status: string, start = main()) =>
      runs.writeStatus({
        branch,
        start,
        startText: '',
        path: 'plan.md',
        message: `sales: ${status}\n`,
        rewrite: (current) => `${(current ?? '').replace(/^status .*\n/mu, '')}status ${status}\n`,
      });
    const subjects = () =>
      repository.git.run(['log', '--format=%s', `main..${branch}`]).split('\n');
    const start = main();
    await write('1 of 9', start);
    await write('2 of 9', start);
    expect(subjects()).toEqual(['sales: 2 of 9']);
    const before = double.requests.length;
    await write('2 of 9', start);
    expect(double.requests.length - before).toBe(1);
    const who = { name: 'octocat', email: 'octocat@example.com' };
    repository.git.commit(branch, { 'own.sql': 'select 1' }, 'Mine', who);
    await write('3 of 9', start);
    await write('4 of 9', start);
    expect(subjects()).toEqual(['sales: 4 of 9', 'Mine', 'sales: 2 of 9']);
    const files = new Map([['x.sql', 'select 1']]);
    const rewrites = new Map([['plan.md', (current: string | null) => current ?? '']]);
    await runs.commit({ ...change, branch, start, files, rewrites });
    expect(subjects()).toEqual(['Models', 'Mine', 'sales: 2 of 9']);
    expect(await runs.readFile(branch, 'plan.md')).toBe('status 4 of 9\n');
    expect(await runs.readFile(branch, 'own.sql')).toBe('select 1');
  });

  test('on which GitHub takes no replacing of commits gets them on top', async () => {
    const status = (text: string) => ({
      branch: 'sprocket/protected',
      start: main(),
      startText: '',
      path: 'plan.md',
      message: `${text}\n`,
      rewrite: () => text,
    });
    await runs.writeStatus(status('one'));
    double.protectedBranches.add('sprocket/protected');
    await runs.writeStatus(status('two'));
    const log = repository.git.run(['log', '--format=%s', 'main..sprocket/protected']);
    expect(log.split('\n')).toEqual(['two', 'one']);
  });

  test('that somebody moves meanwhile is tried again', async () => {
    double.faults.push({
      method: 'PATCH',
      path: /\/git\/refs\//u,
      answer: { status: 422, message: 'Update is not a fast forward' },
    });
    const done = await runs.commit({
      ...change,
      start: main(),
      files: new Map([['transform/models/z.sql', 'select 9']]),
    });
    expect(done.changed).toBe(true);
    expect(await runs.readFile(done.commit, 'transform/models/z.sql')).toBe('select 9');
  });

  test.each(['../x', '.git/config', 'a//b', '/a', 'a\\b'])(
    '%s is no path to write',
    async (path) => {
      const files = new Map([[path, 'x']]);
      await expect(runs.commit({ ...change, start: null, files })).rejects.toMatchObject({
        code: 'unsafe-path',
      });
    },
  );
});
