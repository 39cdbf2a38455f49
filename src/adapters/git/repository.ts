/**
 * A local git repository as the migration repository. Commits are made with plumbing, so that a
 * person can work in the same clone while a run writes its branch.
 */
import { RepositoryError } from '../../ports/repository.ts';
import type { BranchChange, BranchCommit, RunRepository } from '../../ports/repository.ts';
import { gitIn } from './git.ts';
import type { Git } from './git.ts';
import { COMMITTER, lastTouched } from './history.ts';
import { blobName, listTree, readBlobs, writeTree } from './tree.ts';
import type { TreeEntry } from './tree.ts';

/** Others may move the branch while a commit is made; each of them gets through in turn. */
const ATTEMPTS = 20;

/**
 * The repository that `directory` belongs to.
 *
 * @throws {RepositoryError} `not-a-repository`, `git-missing`
 */
export async function openRepository(
  directory: string,
): Promise<RunRepository & { readonly root: string }> {
  const { stdout } = await gitIn(directory)(['rev-parse', '--is-bare-repository', '--git-dir']);
  const bare = stdout.toString('utf8').startsWith('true');
  const root = bare ? directory : await topLevel(directory);
  const git = gitIn(root);
  return {
    root,
    resolve: (ref) => resolve(git, ref),
    readFile: async (commit, path) => {
      const entry = (await listTree(git, commit)).get(path);
      return entry === undefined ? null : ((await readBlobs(git, [entry.object]))[0] ?? null);
    },
    readFolder: (commit, folder) => readFolder(git, commit, folder),
    readPeoples: (branch, from, folder) => readPeoples(git, branch, from, folder),
    commit: (change) => commit(git, change),
  };
}

async function topLevel(directory: string): Promise<string> {
  const { stdout } = await gitIn(directory)(['rev-parse', '--show-toplevel']);
  return stdout.toString('utf8').replace(/\n$/u, '');
}

async function resolve(git: Git, ref: string): Promise<string | null> {
  const { status, stdout } = await git(
    ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`],
    { accept: [1, 128] },
  );
  return status === 0 ? stdout.toString('utf8').trim() : null;
}

async function readFolder(
  git: Git,
  commit: string,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const prefix = folder === '' ? '' : `${folder.replace(/\/+$/u, '')}/`;
  const entries = [...(await listTree(git, commit))].filter(
    ([path, { mode }]) => path.startsWith(prefix) && mode.startsWith('100'),
  );
  const contents = await readBlobs(
    git,
    entries.map(([, { object }]) => object),
  );
  return new Map(entries.map(([path], index) => [path, contents[index] ?? '']));
}

async function readPeoples(
  git: Git,
  branch: string,
  start: string | null,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const from = start === null ? new Map<string, string>() : await readFolder(git, start, folder);
  const tip = await resolve(git, `refs/heads/${branch}`);
  if (tip === null) return from;
  const touched = await lastTouched(git, tip, start);
  const present = [...(await readFolder(git, tip, folder))].filter(
    ([path]) => touched.get(path) !== 'sprocket',
  );
  const changed = [...from].filter(([path]) => touched.get(path) === 'sprocket');
  return new Map([...present, ...changed].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function commit(git: Git, change: BranchChange): Promise<BranchCommit> {
  await checkBranch(git, change.branch);
  for (const path of [...change.files.keys(), ...change.rewrites.keys()]) checkPath(path);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const done = await tryCommit(git, change);
    if (done !== null) return done;
  }
  throw new RepositoryError(
    'contended',
    `The branch ${change.branch} moved ${ATTEMPTS} times while a commit was made. Try again.`,
  );
}

/** Null where somebody else moved the branch in the meantime. */
async function tryCommit(git: Git, change: BranchChange): Promise<BranchCommit | null> {
  const ref = `refs/heads/${change.branch}`;
  const tip = await resolve(git, ref);
  const base = tip ?? change.start;
  const before = base === null ? new Map<string, TreeEntry>() : await listTree(git, base);
  const touched = tip === null ? new Map() : await lastTouched(git, tip, change.start);
  const kept: string[] = [];
  const files = new Map<string, string | null>();
  for (const [path, content] of change.files) {
    const present = before.get(path);
    if (present !== undefined && blobName(content, present.object) === present.object) continue;
    if (touched.get(path) === 'person') kept.push(path);
    else files.set(path, content);
  }
  for (const [path, rewrite] of change.rewrites) {
    const object = before.get(path)?.object;
    const current = object === undefined ? null : ((await readBlobs(git, [object]))[0] ?? null);
    const next = rewrite(current);
    if (next !== current) files.set(path, next);
  }
  for (const [path, by] of touched) {
    const wanted = change.files.has(path) || change.rewrites.has(path);
    if (by === 'sprocket' && before.has(path) && !wanted) files.set(path, null);
  }
  if (tip !== null && files.size === 0) return { commit: tip, changed: false, kept };
  checkConflicts(before, files);
  const modes = new Map([...before].map(([path, { mode }]) => [path, mode]));
  const tree = await writeTree(git, base, { files, modes });
  const made = await writeCommit(git, tree, base, change);
  // Looked up last: the less time between the look and the move, the better.
  await checkNotCheckedOut(git, change.branch);
  const old = tip ?? '0'.repeat(made.length);
  const moved = await git(['update-ref', '-m', `sprocket: ${firstLine(change)}`, ref, made, old], {
    accept: [1, 128],
  });
  if (moved.status === 0) return { commit: made, changed: true, kept };
  if ((await resolve(git, ref)) === tip) {
    throw new RepositoryError(
      'bad-branch',
      `The branch ${change.branch} can't be written: ${moved.stderr}. Put out of its way what git ` +
        'names: a branch that is called like its folder, a lock that a dead git left, a read-only disk.',
    );
  }
  return null;
}

async function writeCommit(
  git: Git,
  tree: string,
  parent: string | null,
  change: BranchChange,
): Promise<string> {
  const date = `${Math.floor(Date.parse(change.at) / 1000)} +0000`;
  const { stdout } = await git(
    ['commit-tree', tree, ...(parent === null ? [] : ['-p', parent]), '-F', '-'],
    {
      input: change.message,
      environment: {
        GIT_AUTHOR_NAME: COMMITTER.name,
        GIT_AUTHOR_EMAIL: COMMITTER.email,
        GIT_AUTHOR_DATE: date,
        GIT_COMMITTER_NAME: COMMITTER.name,
        GIT_COMMITTER_EMAIL: COMMITTER.email,
        GIT_COMMITTER_DATE: date,
      },
    },
  );
  return stdout.toString('utf8').trim();
}

async function checkBranch(git: Git, branch: string): Promise<void> {
  const { status } = await git(['check-ref-format', '--branch', branch], { accept: [1, 128] });
  if (status !== 0) {
    throw new RepositoryError(
      'bad-branch',
      `"${branch}" can't be the name of a branch. Give the plan another name.`,
    );
  }
}

/** Moving a branch under a work tree would make its next commit undo ours. */
async function checkNotCheckedOut(git: Git, branch: string): Promise<void> {
  const { stdout } = await git(['worktree', 'list', '--porcelain', '-z']);
  for (const block of stdout.toString('utf8').split('\0\0')) {
    const lines = block.split('\0');
    if (!lines.includes(`branch refs/heads/${branch}`) || lines.includes('bare')) continue;
    const where = lines.find((line) => line.startsWith('worktree '))?.slice('worktree '.length);
    throw new RepositoryError(
      'checked-out',
      `The branch ${branch} is checked out in ${where ?? 'a work tree'}, so it can't be written. ` +
        'Commit what you have there, run "git switch --detach", and start again: nothing is lost.',
    );
  }
}

function checkPath(path: string): void {
  const parts = path.split('/');
  const unsafe = parts.some(
    (part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git',
  );
  if (unsafe || path.includes('\0') || path.includes('\\')) {
    throw new RepositoryError('unsafe-path', `"${path}" is not a path that Sprocket writes.`);
  }
}

/** A file where a folder must be, or the other way round, is a person's to sort out. */
function checkConflicts(
  before: ReadonlyMap<string, TreeEntry>,
  files: ReadonlyMap<string, string | null>,
): void {
  const folders = new Set<string>();
  for (const path of before.keys()) {
    if (files.get(path) === null) continue;
    for (const folder of foldersOf(path)) folders.add(folder);
  }
  for (const [path, content] of files) {
    if (content === null) continue;
    const file = foldersOf(path).find((folder) => before.has(folder) && files.get(folder) !== null);
    const taken = file ?? (folders.has(path) ? path : undefined);
    if (taken === undefined) continue;
    throw new RepositoryError(
      'path-conflict',
      `${path} can't be written: ${taken} is ${file === undefined ? 'a folder' : 'not a folder'}. ` +
        'Rename it, or give the plan another production.project.',
    );
  }
}

function foldersOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

function firstLine(change: BranchChange): string {
  return change.message.split('\n')[0] ?? '';
}
