/** A repository on GitHub as a run's repository: nothing is cloned, and commits are signed. */
import { RepositoryError } from '../../ports/repository.ts';
import type {
  BranchChange,
  BranchCommit,
  RunRepository,
  StatusBranch,
  StatusWriting,
} from '../../ports/repository.ts';
import { blobName } from './blob-name.ts';
import type { Connection } from './call.ts';
import type { BranchCommitInfo } from './commits.ts';
import { contentOf } from './content.ts';
import { branchTip, moveBranch, writeCommit, writeTree } from './git-data.ts';
import type { TreeChange } from './git-data.ts';
import { openObjects } from './objects.ts';
import type { GitObjects, Tree } from './objects.ts';

const ATTEMPTS = 10;

export function openGitHubRepository(connection: Connection): RunRepository & StatusBranch {
  const objects = openObjects(connection);
  const writeStatus = statusWriter(objects);
  return {
    resolve: (ref) => contentOf(connection).commitOf(ref),
    readFile: (commit, path) => readFile(objects, commit, path),
    readFolder: (commit, folder) => readFolder(objects, commit, folder),
    readPeoples: (branch, start, folder) => readPeoples(objects, branch, start, folder),
    commit: (change) => commit(objects, change),
    writeStatus,
  };
}

async function readFile(objects: GitObjects, commit: string, path: string): Promise<string | null> {
  const tree = objects.knownTree(commit);
  if (tree === null) return (await contentOf(objects.connection).file(commit, path))?.text ?? null;
  const entry = tree.get(path);
  if (entry === undefined || !isFile(entry)) return null;
  return (await objects.blobs([entry.sha])).get(entry.sha) ?? null;
}

async function readFolder(
  objects: GitObjects,
  commit: string,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const prefix = folder === '' ? '' : `${folder.replace(/\/+$/u, '')}/`;
  const entries = [...(await objects.tree(commit))].filter(
    ([path, entry]) => path.startsWith(prefix) && isFile(entry),
  );
  const contents = await objects.blobs(entries.map(([, { sha }]) => sha));
  return new Map(entries.map(([path, { sha }]) => [path, contents.get(sha) ?? '']));
}

/** Neither a link nor another repository. */
function isFile({ mode }: { readonly mode: string }): boolean {
  return mode.startsWith('100');
}

async function readPeoples(
  objects: GitObjects,
  branch: string,
  start: string | null,
  folder: string,
): Promise<ReadonlyMap<string, string>> {
  const from =
    start === null ? new Map<string, string>() : await readFolder(objects, start, folder);
  const tip = await branchTip(objects.connection, branch);
  if (tip === null) return from;
  const touched = await lastTouched(objects, tip, start);
  const present = [...(await readFolder(objects, tip, folder))].filter(
    ([path]) => touched.get(path) !== 'sprocket',
  );
  const changed = [...from].filter(([path]) => touched.get(path) === 'sprocket');
  return new Map([...present, ...changed].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Who changed which path last since `start`: the App, or anybody else. */
async function lastTouched(
  objects: GitObjects,
  tip: string,
  start: string | null,
): Promise<ReadonlyMap<string, 'sprocket' | 'person'>> {
  const touched = new Map<string, 'sprocket' | 'person'>();
  for (const each of await objects.commitsSince(tip, start)) {
    // What we merged is the base's.
    if (each.bySprocket && each.parents.length > 1) continue;
    const parent = each.parents[0] ?? null;
    const after = await objects.tree(each.sha);
    const before: Tree = parent === null ? new Map() : await objects.tree(parent);
    for (const path of new Set([...after.keys(), ...before.keys()])) {
      if (after.get(path)?.sha !== before.get(path)?.sha && !touched.has(path))
        touched.set(path, each.bySprocket ? 'sprocket' : 'person');
    }
  }
  return touched;
}

async function commit(objects: GitObjects, change: BranchChange): Promise<BranchCommit> {
  for (const path of [...change.files.keys(), ...change.rewrites.keys()]) checkPath(path);
  return untilMoved(change.branch, (mayReplace) => tryCommit(objects, change, mayReplace));
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
  objects: GitObjects,
  change: BranchChange,
  mayReplace: boolean,
): Promise<BranchCommit | null> {
  const tip = await branchTip(objects.connection, change.branch);
  const base = tip ?? change.start;
  const before: Tree = base === null ? new Map() : await objects.tree(base);
  const touched = tip === null ? new Map() : await lastTouched(objects, tip, change.start);
  const changes: TreeChange[] = [];
  const kept: string[] = [];
  const put = (path: string, content: string | null): void => {
    const mode = before.get(path)?.mode === '100755' ? '100755' : '100644';
    changes.push({ path, content, mode });
  };
  for (const [path, content] of change.files) {
    if (before.get(path)?.sha === blobName(content)) continue;
    if (touched.get(path) === 'person') kept.push(path);
    else put(path, content);
  }
  for (const [path, rewrite] of change.rewrites) {
    const sha = before.get(path)?.sha;
    const current = sha === undefined ? null : ((await objects.blobs([sha])).get(sha) ?? null);
    const next = rewrite(current);
    if (next !== current) put(path, next);
  }
  for (const [path, by] of touched) {
    const wanted = change.files.has(path) || change.rewrites.has(path);
    if (by === 'sprocket' && before.has(path) && !wanted) put(path, null);
  }
  if (changes.length === 0 && base !== null) {
    if (tip !== null) return { commit: tip, changed: false, kept };
    return (await moveBranch(objects, change.branch, { from: null, to: base }))
      ? { commit: base, changed: false, kept }
      : null;
  }
  const made = await onTop(objects, change, { base, changes, tip, mayReplace });
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
  objects: GitObjects,
  { branch, message }: Pick<BranchChange, 'branch' | 'message'>,
  { base, tip, changes, mayReplace }: Top,
): Promise<string | null> {
  const { connection } = objects;
  const replaced = tip === null || !mayReplace ? null : await statusCommit(objects, tip);
  const parents = replaced?.parents ?? (base === null ? [] : [base]);
  const tree = await writeTree(connection, base, changes);
  const made = await writeCommit(connection, { tree, parents, message });
  const move = { from: tip, to: made, replaces: replaced !== null };
  if (!(await moveBranch(objects, branch, move))) return null;
  objects.made({ sha: made, parents, message, bySprocket: true }, base, changes);
  return made;
}

/** Null where the commit is none of ours that only wrote a status. */
async function statusCommit(objects: GitObjects, sha: string): Promise<BranchCommitInfo | null> {
  const found = await objects.commit(sha);
  return found.bySprocket && found.message.includes(STATUS_TRAILER) ? found : null;
}

/** Says in a commit's message that nothing but a status is in it. */
const STATUS_TRAILER = 'Sprocket-Status: progress';

function statusWriter(objects: GitObjects): (change: StatusWriting) => Promise<void> {
  /** Where nobody has moved the branch since, it holds what was written last. */
  let last = { commit: '', path: '', content: '' };
  const currentText = async (tip: string | null, { path, startText }: StatusWriting) => {
    if (tip === null) return startText;
    return tip === last.commit && path === last.path ? last.content : readFile(objects, tip, path);
  };
  return async (change) => {
    const { branch, path } = change;
    checkPath(path);
    await untilMoved(branch, async (mayReplace) => {
      const tip = await branchTip(objects.connection, branch);
      const base = tip ?? change.start;
      const current = await currentText(tip, change);
      const content = change.rewrite(current);
      if (content === current) return base;
      const message = `${change.message}\n${STATUS_TRAILER}\n`;
      const changes = [{ path, content, mode: '100644' as const }];
      const made = await onTop(objects, { branch, message }, { base, tip, changes, mayReplace });
      if (made !== null) last = { commit: made, path, content };
      return made;
    });
  };
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
