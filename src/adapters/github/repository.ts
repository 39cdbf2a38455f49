/** A repository on GitHub as a run's repository: nothing is cloned, and commits are signed. */
import { createHash } from 'node:crypto';
import { RepositoryError } from '../../ports/repository.ts';
import type {
  BranchChange,
  BranchCommit,
  RunRepository,
  StatusBranch,
  StatusWriting,
} from '../../ports/repository.ts';
import type { Connection } from './call.ts';
import { contentOf } from './content.ts';
import { commitInfo, commitsSince } from './commits.ts';
import type { BranchCommitInfo } from './commits.ts';
import { branchTip, moveBranch, readBlobs, readTree, writeCommit, writeTree } from './git-data.ts';
import type { TreeChange } from './git-data.ts';

const ATTEMPTS = 10;

export function openGitHubRepository(connection: Connection): RunRepository & StatusBranch {
  return {
    resolve: (ref) => contentOf(connection).commitOf(ref),
    readFile: async (commit, path) =>
      (await contentOf(connection).file(commit, path))?.text ?? null,
    readFolder: (commit, folder) => readFolder(connection, commit, folder),
    readPeoples: (branch, start, folder) => readPeoples(connection, branch, start, folder),
    commit: (change) => commit(connection, change),
    writeStatus: (change) => writeStatus(connection, change),
  };
}

async function readFolder(
  connection: Connection,
  commit: string,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const prefix = folder === '' ? '' : `${folder.replace(/\/+$/u, '')}/`;
  const entries = [...(await readTree(connection, commit))].filter(
    ([path, { mode }]) => path.startsWith(prefix) && mode.startsWith('100'),
  );
  const contents = await readBlobs(
    connection,
    entries.map(([, { sha }]) => sha),
  );
  return new Map(entries.map(([path, { sha }]) => [path, contents.get(sha) ?? '']));
}

async function readPeoples(
  connection: Connection,
  branch: string,
  start: string | null,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const from =
    start === null ? new Map<string, string>() : await readFolder(connection, start, folder);
  const tip = await branchTip(connection, branch);
  if (tip === null) return from;
  const touched = await lastTouched(connection, tip, start);
  const present = [...(await readFolder(connection, tip, folder))].filter(
    ([path]) => touched.get(path) !== 'sprocket',
  );
  const changed = [...from].filter(([path]) => touched.get(path) === 'sprocket');
  return new Map([...present, ...changed].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Who changed which path last since `start`: the App, or anybody else. */
async function lastTouched(
  connection: Connection,
  tip: string,
  start: string | null,
): Promise<ReadonlyMap<string, 'sprocket' | 'person'>> {
  const trees = new Map<string, ReturnType<typeof readTree>>();
  const treeOf = (sha: string): ReturnType<typeof readTree> => {
    const tree = trees.get(sha) ?? readTree(connection, sha);
    trees.set(sha, tree);
    return tree;
  };
  const touched = new Map<string, 'sprocket' | 'person'>();
  for (const each of await commitsSince(connection, tip, start)) {
    // What we merged is the base's.
    if (each.bySprocket && each.parents.length > 1) continue;
    const parent = each.parents[0] ?? null;
    const after = await treeOf(each.sha);
    const before: Awaited<ReturnType<typeof readTree>> =
      parent === null ? new Map() : await treeOf(parent);
    for (const path of new Set([...after.keys(), ...before.keys()])) {
      if (after.get(path)?.sha !== before.get(path)?.sha && !touched.has(path))
        touched.set(path, each.bySprocket ? 'sprocket' : 'person');
    }
  }
  return touched;
}

async function commit(connection: Connection, change: BranchChange): Promise<BranchCommit> {
  for (const path of [...change.files.keys(), ...change.rewrites.keys()]) checkPath(path);
  return untilMoved(change.branch, (mayReplace) => tryCommit(connection, change, mayReplace));
}

/** Tries again while others move the branch; where GitHub takes no replacing of commits, without. */
async function untilMoved<T>(
  branch: string,
  attempt: (mayReplace: boolean) => Promise<T | null>,
): Promise<T> {
  for (let number = 0; number < ATTEMPTS; number += 1) {
    const done = await attempt(number < ATTEMPTS / 2);
    if (done !== null) return done;
  }
  throw new RepositoryError(
    'contended',
    `The branch ${branch} moved ${ATTEMPTS} times while a commit was made. Try again.`,
  );
}

async function tryCommit(
  connection: Connection,
  change: BranchChange,
  mayReplace: boolean,
): Promise<BranchCommit | null> {
  const tip = await branchTip(connection, change.branch);
  const base = tip ?? change.start;
  const before = base === null ? new Map() : await readTree(connection, base);
  const touched = tip === null ? new Map() : await lastTouched(connection, tip, change.start);
  const changes: TreeChange[] = [];
  const kept: string[] = [];
  const put = (path: string, content: string | null): void => {
    changes.push({ path, content, mode: before.get(path)?.mode ?? '100644' });
  };
  for (const [path, content] of change.files) {
    if (before.get(path)?.sha === blobName(content)) continue;
    if (touched.get(path) === 'person') kept.push(path);
    else put(path, content);
  }
  for (const [path, rewrite] of change.rewrites) {
    const sha = before.get(path)?.sha;
    const current =
      sha === undefined ? null : ((await readBlobs(connection, [sha])).get(sha) ?? null);
    const next = rewrite(current);
    if (next !== current) put(path, next);
  }
  for (const [path, by] of touched) {
    const wanted = change.files.has(path) || change.rewrites.has(path);
    if (by === 'sprocket' && before.has(path) && !wanted) put(path, null);
  }
  if (changes.length === 0 && base !== null) {
    if (tip !== null) return { commit: tip, changed: false, kept };
    return (await moveBranch(connection, change.branch, { from: null, to: base }))
      ? { commit: base, changed: false, kept }
      : null;
  }
  const made = await onTop(connection, change, { base, changes, tip, mayReplace });
  return made === null ? null : { commit: made, changed: true, kept };
}

interface Top {
  readonly base: string | null;
  readonly tip: string | null;
  readonly changes: readonly TreeChange[];
  readonly mayReplace: boolean;
}

/** Commits onto the branch, in the place of a commit that only wrote a status; null where it moved. */
async function onTop(
  connection: Connection,
  { branch, message }: Pick<BranchChange, 'branch' | 'message'>,
  { base, tip, changes, mayReplace }: Top,
): Promise<string | null> {
  const replaced = tip === null || !mayReplace ? null : await statusCommit(connection, tip);
  const parents = replaced?.parents ?? (base === null ? [] : [base]);
  const tree = await writeTree(connection, base, changes);
  const made = await writeCommit(connection, { tree, parents, message });
  const move = { from: tip, to: made, replaces: replaced !== null };
  return (await moveBranch(connection, branch, move)) ? made : null;
}

/** Null where the commit is none of ours that only wrote a status. */
async function statusCommit(connection: Connection, sha: string): Promise<BranchCommitInfo | null> {
  const found = await commitInfo(connection, sha);
  return found.bySprocket && found.message.includes(STATUS_TRAILER) ? found : null;
}

/** Says in a commit's message that nothing but a status is in it. */
const STATUS_TRAILER = 'Sprocket-Status: progress';

async function writeStatus(connection: Connection, change: StatusWriting): Promise<void> {
  checkPath(change.path);
  await untilMoved(change.branch, async (mayReplace) => {
    const tip = await branchTip(connection, change.branch);
    const base = tip ?? change.start;
    const current = (await contentOf(connection).file(base, change.path))?.text ?? null;
    const content = change.rewrite(current);
    if (content === current) return base;
    const message = `${change.message}\n${STATUS_TRAILER}\n`;
    const changes = [{ path: change.path, content, mode: '100644' }];
    return onTop(
      connection,
      { branch: change.branch, message },
      { base, tip, changes, mayReplace },
    );
  });
}

function blobName(content: string): string {
  const bytes = Buffer.from(content, 'utf8');
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
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
