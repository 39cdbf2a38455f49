import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRepository } from '../../../src/adapters/git/repository.ts';
import type { BranchChange } from '../../../src/ports/repository.ts';
import { scratchRepository } from './scratch.ts';
import type { ScratchRepository } from './scratch.ts';

const BRANCH = 'sprocket/sales';
let scratch: ScratchRepository;
let start: string;

beforeEach(() => {
  scratch = scratchRepository();
  scratch.write('plan.md', '# Plan\n');
  scratch.write('README.md', 'Hello\n');
  start = scratch.commitAll('Plan');
});

afterEach(() => scratch.remove());

function change(files: Record<string, string>, more: Partial<BranchChange> = {}): BranchChange {
  return {
    branch: BRANCH,
    start,
    message: 'Models\n',
    at: '2026-01-01T00:00:00.000Z',
    files: new Map(Object.entries(files)),
    rewrites: new Map(),
    ...more,
  };
}

function branchFiles(): Record<string, string> {
  const paths = scratch.git('ls-tree', '-r', '-z', '--name-only', BRANCH).split('\0');
  return Object.fromEntries(
    paths
      .filter((path) => path !== '')
      .map((path) => [path, scratch.git('show', `${BRANCH}:${path}`)]),
  );
}

/** Puts a person's commit onto the run's branch and goes back to main. */
function personCommits(files: Record<string, string | null>): void {
  scratch.git('switch', '--quiet', BRANCH);
  for (const [path, content] of Object.entries(files)) {
    if (content === null) scratch.git('rm', '--quiet', path);
    else scratch.write(path, content);
  }
  scratch.commitAll('By hand');
  scratch.git('switch', '--quiet', 'main');
}

describe('the branch of a run', () => {
  it('gets the files on top of where it starts, and nothing else moves', async () => {
    scratch.write('README.md', 'Changed, not committed\n');
    scratch.write('new.txt', 'Not added\n');
    scratch.git('add', 'README.md');
    const before = [
      scratch.git('status', '--porcelain=v2', '--branch'),
      scratch.git('ls-files', '--stage'),
    ];
    const repository = await openRepository(scratch.directory);
    const done = await repository.commit(change({ 'transform/models/a.sql': 'select 1\n' }));
    expect(done).toMatchObject({ changed: true, kept: [] });
    expect(scratch.git('rev-parse', BRANCH).trim()).toBe(done.commit);
    expect(branchFiles()).toEqual({
      'README.md': 'Hello\n',
      'plan.md': '# Plan\n',
      'transform/models/a.sql': 'select 1\n',
    });
    expect([
      scratch.git('status', '--porcelain=v2', '--branch'),
      scratch.git('ls-files', '--stage'),
    ]).toEqual(before);
    expect(existsSync(join(scratch.directory, 'transform'))).toBe(false);
  });

  it('gets no second commit for the same files', async () => {
    const repository = await openRepository(scratch.directory);
    const first = await repository.commit(change({ 'a.sql': '1' }));
    const again = await repository.commit(change({ 'a.sql': '1' }, { message: 'Again\n' }));
    expect(again).toEqual({ commit: first.commit, changed: false, kept: [] });
  });

  it('has the same tree, whatever the order and number of commits', async () => {
    const repository = await openRepository(scratch.directory);
    await repository.commit(change({ 'm/b.sql': '2', 'm/gone.sql': 'x', 'm/a.sql': 'old' }));
    await repository.commit(change({ 'm/a.sql': '1', 'm/b.sql': '2' }));
    const tree = scratch.git('rev-parse', `${BRANCH}^{tree}`);
    await repository.commit(
      change({ 'm/b.sql': '2', 'm/a.sql': '1' }, { branch: 'sprocket/other' }),
    );
    expect(scratch.git('rev-parse', 'sprocket/other^{tree}')).toBe(tree);
  });

  it('loses what Sprocket no longer writes, and keeps what people put there', async () => {
    const repository = await openRepository(scratch.directory);
    await repository.commit(change({ 'm/a.sql': '1', 'm/b.sql': '2' }));
    personCommits({ 'm/c.sql': 'mine' });
    await repository.commit(change({ 'm/b.sql': '2' }));
    expect(Object.keys(branchFiles())).toEqual(['README.md', 'm/b.sql', 'm/c.sql', 'plan.md']);
  });

  it('keeps a file that a person changed or deleted, at every later commit too', async () => {
    const repository = await openRepository(scratch.directory);
    await repository.commit(change({ 'm/a.sql': '1', 'm/b.sql': '2', 'm/c.sql': '3' }));
    personCommits({ 'm/a.sql': 'mine', 'm/b.sql': null });
    const files = { 'm/a.sql': '1a', 'm/b.sql': '2a', 'm/c.sql': '3a' };
    const first = await repository.commit(change(files));
    expect(first.kept).toEqual(['m/a.sql', 'm/b.sql']);
    const second = await repository.commit(change({ ...files, 'm/c.sql': '3b' }));
    expect(second.kept).toEqual(['m/a.sql', 'm/b.sql']);
    expect(branchFiles()).toMatchObject({ 'm/a.sql': 'mine', 'm/c.sql': '3b' });
    expect(branchFiles()).not.toHaveProperty('m/b.sql');
  });

  it('rewrites a shared file from what it holds now', async () => {
    const repository = await openRepository(scratch.directory);
    const rewrites = new Map([['plan.md', (text: string | null): string => `${text ?? ''}Done\n`]]);
    await repository.commit(change({}, { rewrites }));
    personCommits({ 'plan.md': '# Plan\nA note of mine\n' });
    await repository.commit(change({}, { rewrites }));
    expect(branchFiles()['plan.md']).toBe('# Plan\nA note of mine\nDone\n');
  });

  it('holds every commit when many write at once', async () => {
    const repository = await openRepository(scratch.directory);
    const add = (name: string): Promise<unknown> =>
      repository.commit(
        change({}, { rewrites: new Map([[`m/${name}.sql`, () => name]]), message: `${name}\n` }),
      );
    // Each writes one file and would remove those of the others if it did not see them.
    await repository.commit(change({}, { rewrites: new Map([['m/log', () => '']]) }));
    const append = (name: string): Promise<unknown> =>
      repository.commit(
        change({}, { rewrites: new Map([['m/log', (text) => `${text ?? ''}${name}\n`]]) }),
      );
    const names = Array.from({ length: 8 }, (_, index) => `p${index}`);
    await Promise.all(names.map(append));
    expect((branchFiles()['m/log'] ?? '').trim().split('\n').toSorted()).toEqual(names);
    await add('last');
    expect(branchFiles()).toHaveProperty('m/last.sql');
  });

  it('starts in a repository without a commit', async () => {
    const empty = scratchRepository();
    try {
      const repository = await openRepository(empty.directory);
      expect(await repository.resolve('HEAD')).toBeNull();
      await repository.commit(change({ 'a.sql': '1' }, { start: null }));
      await repository.commit(change({ 'a.sql': '2' }, { start: null }));
      expect(empty.git('show', `${BRANCH}:a.sql`)).toBe('2');
    } finally {
      empty.remove();
    }
  });

  it('works with SHA-256 object names', async () => {
    const modern = scratchRepository('--object-format=sha256');
    try {
      modern.write('plan.md', '# Plan\n');
      const from = modern.commitAll('Plan');
      const repository = await openRepository(modern.directory);
      await repository.commit(change({ 'a.sql': '1' }, { start: from }));
      expect((await repository.commit(change({ 'a.sql': '1' }, { start: from }))).changed).toBe(
        false,
      );
    } finally {
      modern.remove();
    }
  });

  it('keeps the mode of a file that it changes', async () => {
    const repository = await openRepository(scratch.directory);
    scratch.write('run.sh', 'old');
    scratch.git('add', 'run.sh');
    scratch.git('update-index', '--chmod=+x', 'run.sh');
    scratch.git('commit', '--quiet', '--message', 'Script');
    const from = scratch.git('rev-parse', 'HEAD').trim();
    await repository.commit(change({ 'run.sh': 'new' }, { start: from }));
    expect(scratch.git('ls-tree', BRANCH, 'run.sh')).toMatch(/^100755/u);
  });

  it('gives back any content and path, byte for byte', async () => {
    const repository = await openRepository(scratch.directory);
    const part = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => /^[^/\\\0]+$/u.test(text) && text.isWellFormed())
      .filter((text) => !/^\.{1,2}$|^\.git$/iu.test(text));
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(
          part.map((name) => `m/${name}`),
          fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
          { minKeys: 1, maxKeys: 5, noNullPrototype: true },
        ),
        async (files) => {
          const { commit } = await repository.commit(change(files));
          const read = await repository.readFolder(commit, 'm');
          expect(Object.fromEntries(read)).toEqual(files);
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe('what stands in the way', () => {
  it('is a branch that is checked out', async () => {
    const repository = await openRepository(scratch.directory);
    await repository.commit(change({ 'a.sql': '1' }));
    scratch.git('switch', '--quiet', BRANCH);
    await expect(repository.commit(change({ 'a.sql': '2' }))).rejects.toMatchObject({
      code: 'checked-out',
      message: expect.stringContaining('git switch --detach') as string,
    });
    expect(readFileSync(join(scratch.directory, 'a.sql'), 'utf8')).toBe('1');
    scratch.git('switch', '--quiet', '--detach');
    expect((await repository.commit(change({ 'a.sql': '2' }))).changed).toBe(true);
  });

  it.each(['../a', '/etc/passwd', 'a/../../b', '.git/config', 'a/.GIT/x', 'a//b', 'a\\b', 'a\0b'])(
    'is the path %j',
    async (path) => {
      const repository = await openRepository(scratch.directory);
      await expect(repository.commit(change({ [path]: 'x' }))).rejects.toMatchObject({
        code: 'unsafe-path',
      });
    },
  );

  it('is a file where a folder must be, and the other way round', async () => {
    const repository = await openRepository(scratch.directory);
    const conflict = { code: 'path-conflict' };
    await expect(repository.commit(change({ 'README.md/a.sql': 'x' }))).rejects.toMatchObject(
      conflict,
    );
    await repository.commit(change({ 'm/a.sql': 'x' }));
    personCommits({ 'm/b.sql': 'mine' });
    await expect(repository.commit(change({ m: 'x' }))).rejects.toMatchObject(conflict);
  });

  it.each(['sprocket/a b', 'sprocket/..', 'sprocket/x.lock', '-x'])(
    'is the branch name %j',
    async (branch) => {
      const repository = await openRepository(scratch.directory);
      await expect(repository.commit(change({ a: 'x' }, { branch }))).rejects.toMatchObject({
        code: 'bad-branch',
      });
    },
  );

  it('is a branch named like the folder of ours', async () => {
    scratch.git('branch', 'sprocket');
    const repository = await openRepository(scratch.directory);
    await expect(repository.commit(change({ a: 'x' }))).rejects.toMatchObject({
      code: 'bad-branch',
      message: expect.stringContaining("'refs/heads/sprocket' exists") as string,
    });
  });

  it('is a folder without git', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sprocket-test-'));
    try {
      writeFileSync(join(folder, 'plan.md'), '');
      await expect(openRepository(folder)).rejects.toMatchObject({ code: 'not-a-repository' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('reading', () => {
  it('gives files by commit, and null where there is none', async () => {
    const repository = await openRepository(scratch.directory);
    expect(await repository.readFile(start, 'plan.md')).toBe('# Plan\n');
    expect(await repository.readFile(start, 'nowhere.md')).toBeNull();
    expect(await repository.resolve('no-such-branch')).toBeNull();
    expect([...(await repository.readFolder(start, ''))].map(([path]) => path)).toEqual([
      'README.md',
      'plan.md',
    ]);
  });

  it('tells what people have on the branch from what Sprocket wrote', async () => {
    const repository = await openRepository(scratch.directory);
    const read = async (): Promise<Record<string, string>> =>
      Object.fromEntries(await repository.readPeoples(BRANCH, start, ''));
    const original = { 'README.md': 'Hello\n', 'plan.md': '# Plan\n' };
    expect(await read()).toEqual(original);
    await repository.commit(change({ 'README.md': 'Ours', 'm/a.sql': '1', 'm/b.sql': '2' }));
    expect(await read()).toEqual(original);
    personCommits({ 'm/b.sql': 'theirs', 'm/c.sql': '3', 'plan.md': null });
    await repository.commit(change({ 'README.md': 'Ours', 'm/a.sql': '1a', 'm/b.sql': '2a' }));
    expect(await read()).toEqual({
      'README.md': 'Hello\n',
      'm/b.sql': 'theirs',
      'm/c.sql': '3',
    });
  });
});
