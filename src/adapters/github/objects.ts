/**
 * What a repository holds under names that git makes of its content. It never changes: what was read
 * or written here once is not read again.
 */
import { z } from 'zod';
import { RepositoryError } from '../../ports/repository.ts';
import { blobName } from './blob-name.ts';
import { callOrNull } from './call.ts';
import type { Connection } from './call.ts';
import { commitInfo, commitsSince } from './commits.ts';
import type { BranchCommitInfo } from './commits.ts';
import { blobText } from './content.ts';
import type { TreeChange } from './git-data.ts';
import { askRepository, BLOB_FIELDS, blobSchema, wholeText } from './graphql.ts';

export interface TreeEntry {
  readonly mode: string;
  readonly sha: string;
}

/** Files and links of a commit by path. */
export type Tree = ReadonlyMap<string, TreeEntry>;

export interface GitObjects {
  readonly connection: Connection;
  tree(commit: string): Promise<Tree>;
  /** Null where it would have to be read. */
  knownTree(commit: string): Tree | null;
  /** Contents of text blobs by their names; binary ones come as REST gives them, read as UTF-8. */
  blobs(shas: readonly string[]): Promise<ReadonlyMap<string, string>>;
  commit(sha: string): Promise<BranchCommitInfo>;
  /** See `commitsSince`. */
  commitsSince(tip: string, start: string | null): Promise<readonly BranchCommitInfo[]>;
  /** GitHub's name for the repository where only GraphQL can do something. */
  nodeId(): Promise<string>;
  /** What a commit that was made here holds: the tree of `base` (null: nothing), changed. */
  made(commit: BranchCommitInfo, base: string | null, changes: readonly TreeChange[]): void;
}

/** Blobs of one request. */
const BLOBS = 100;

export function openObjects(connection: Connection): GitObjects {
  const trees = new Map<string, Tree>();
  const blobs = new Map<string, string>();
  const commits = new Map<string, BranchCommitInfo>();
  const histories = new Map<string, readonly BranchCommitInfo[]>();
  let nodeId: string | null = null;

  async function fetchBlobs(shas: readonly string[]): Promise<void> {
    const fields = shas.map(
      (sha, at) => `b${at}: object(oid: "${checked(sha)}") { ${BLOB_FIELDS} }`,
    );
    const { id, ...found } = await askRepository(connection, 'read files', {
      fields: `id ${fields.join(' ')}`,
      answer: z.object({ id: z.string() }).catchall(blobSchema),
    });
    nodeId = id;
    const answers = new Map(Object.entries(found));
    for (const [at, sha] of shas.entries()) {
      const text = wholeText(answers.get(`b${at}`) ?? null);
      blobs.set(sha, text ?? (await blobText(connection, sha)));
    }
  }

  return {
    connection,

    async tree(commit) {
      const tree = trees.get(commit) ?? (await readTree(connection, commit));
      if (isName(commit)) trees.set(commit, tree);
      return tree;
    },

    knownTree: (commit) => trees.get(commit) ?? null,

    async blobs(shas) {
      const missing = [...new Set(shas)].filter((sha) => !blobs.has(sha));
      for (let start = 0; start < missing.length; start += BLOBS) {
        await fetchBlobs(missing.slice(start, start + BLOBS));
      }
      return new Map(shas.map((sha) => [sha, blobs.get(sha) ?? '']));
    },

    async commit(sha) {
      const found = commits.get(sha) ?? (await commitInfo(connection, sha));
      commits.set(sha, found);
      return found;
    },

    async commitsSince(tip, start) {
      const key = `${start ?? ''}...${tip}`;
      const found = histories.get(key) ?? (await commitsSince(connection, tip, start));
      histories.set(key, found);
      for (const each of found) commits.set(each.sha, each);
      return found;
    },

    async nodeId() {
      const { id } =
        nodeId === null
          ? await askRepository(connection, 'read the repository', {
              fields: 'id',
              answer: z.object({ id: z.string() }),
            })
          : { id: nodeId };
      nodeId = id;
      return id;
    },

    made(commit, base, changes) {
      commits.set(commit.sha, commit);
      const before = base === null ? new Map<string, TreeEntry>() : trees.get(base);
      const after = before === undefined ? null : treeAfter(before, changes);
      if (after === null) return;
      trees.set(commit.sha, after);
      for (const { content } of changes) {
        if (content !== null) blobs.set(blobName(content), content);
      }
    },
  };
}

/** Null where a file takes the place of a folder, or a folder that of a file: git knows what becomes of it. */
function treeAfter(before: Tree, changes: readonly TreeChange[]): Tree | null {
  const folders = new Set([...before.keys()].flatMap(foldersOf));
  const after = new Map(before);
  for (const { path, mode, content } of changes) {
    if (folders.has(path) || foldersOf(path).some((folder) => before.has(folder))) return null;
    if (content === null) after.delete(path);
    else after.set(path, { mode, sha: blobName(content) });
  }
  return after;
}

function foldersOf(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, at) => parts.slice(0, at + 1).join('/'));
}

async function readTree({ client, name }: Connection, commit: string): Promise<Tree> {
  const found = await callOrNull('read the tree', () =>
    client.request('GET /repos/{owner}/{repo}/git/trees/{tree_sha}', {
      ...name,
      tree_sha: commit,
      recursive: '1',
    }),
  );
  if (found?.truncated === true) {
    throw new RepositoryError(
      'failed',
      `${name.owner}/${name.repo} has more than 100,000 files, which GitHub does not list at once. Keep the dbt project in a repository of its own.`,
    );
  }
  return new Map(
    (found?.tree ?? [])
      .filter(({ type }) => type !== 'tree')
      .map(({ path, mode, sha }) => [path ?? '', { mode: mode ?? '100644', sha: sha ?? '' }]),
  );
}

function checked(sha: string): string {
  if (!isName(sha)) throw new RepositoryError('failed', `"${sha}" names no blob.`);
  return sha;
}

/** Branches move; what a name is made of does not. */
function isName(sha: string): boolean {
  return /^[0-9a-f]{40}$/u.test(sha);
}
