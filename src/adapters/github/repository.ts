/** A repository on GitHub as a run's repository: nothing is cloned, and commits are signed. */
import { createHash } from 'node:crypto';
import { RepositoryError } from '../../ports/repository.ts';
import type { BranchChange, BranchCommit, RunRepository } from '../../ports/repository.ts';
import { allPages, call, PAGE } from './call.ts';
import type { Connection } from './call.ts';
import { contentOf } from './content.ts';
import { branchTip, moveBranch, readBlobs, readTree, writeCommit, writeTree } from './git-data.ts';
import type { TreeChange } from './git-data.ts';

const ATTEMPTS = 10;
/** Commits of a run's branch that are looked through; a run makes one per wave. */
const PAGES = 10;

export function openGitHubRepository(connection: Connection): RunRepository {
  return {
    resolve: (ref) => contentOf(connection).commitOf(ref),
    readFile: async (commit, path) =>
      (await contentOf(connection).file(commit, path))?.text ?? null,
    readFolder: (commit, folder) => readFolder(connection, commit, folder),
    readPeoples: (branch, start, folder) => readPeoples(connection, branch, start, folder),
    commit: (change) => commit(connection, change),
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
  const { client, name, slug } = connection;
  const commits = await allPages(
    (page) =>
      call('list commits', () =>
        client.request('GET /repos/{owner}/{repo}/commits', {
          ...name,
          sha: tip,
          per_page: PAGE,
          page,
        }),
      ),
    PAGES,
  );
  const touched = new Map<string, 'sprocket' | 'person'>();
  for (const [index, each] of commits.entries()) {
    if (each.sha === start) break;
    const parent = each.parents[0]?.sha ?? null;
    const by = each.author?.login === `${slug}[bot]` ? 'sprocket' : 'person';
    const after = await readTree(connection, each.sha);
    const before = parent === null ? new Map() : await readTree(connection, parent);
    for (const path of new Set([...after.keys(), ...before.keys()])) {
      if (after.get(path)?.sha !== before.get(path)?.sha && !touched.has(path))
        touched.set(path, by);
    }
    if (index === commits.length - 1) break;
  }
  return touched;
}

async function commit(connection: Connection, change: BranchChange): Promise<BranchCommit> {
  for (const path of [...change.files.keys(), ...change.rewrites.keys()]) checkPath(path);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const done = await tryCommit(connection, change);
    if (done !== null) return done;
  }
  throw new RepositoryError(
    'contended',
    `The branch ${change.branch} moved ${ATTEMPTS} times while a commit was made. Try again.`,
  );
}

async function tryCommit(
  connection: Connection,
  change: BranchChange,
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
    return (await moveBranch(connection, change.branch, null, base))
      ? { commit: base, changed: false, kept }
      : null;
  }
  const tree = await writeTree(connection, base, changes);
  const made = await writeCommit(connection, {
    tree,
    parents: base === null ? [] : [base],
    message: change.message,
  });
  const moved = await moveBranch(connection, change.branch, tip, made);
  return moved ? { commit: made, changed: true, kept } : null;
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
