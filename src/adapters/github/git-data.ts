/** Writes commits, trees and refs by GitHub's Git data API: what an App commits so is signed by GitHub. */
import { RepositoryError } from '../../ports/repository.ts';
import { call, callOrNull } from './call.ts';
import type { Connection } from './call.ts';
import { isStatus } from './errors.ts';
import type { GitObjects } from './objects.ts';

export interface TreeChange {
  readonly path: string;
  readonly mode: '100644' | '100755';
  /** Null removes it. */
  readonly content: string | null;
}

/** Bytes of contents in one request; GitHub gives up on trees much larger than this. */
const REQUEST_BYTES = 4_000_000;
const REQUEST_ENTRIES = 500;

/** Writes a tree over that of `base` (null: over nothing) with contents in line, in few requests. */
export async function writeTree(
  { client, name }: Connection,
  base: string | null,
  changes: readonly TreeChange[],
): Promise<string> {
  let tree = base;
  for (const batch of batches(changes)) {
    const on: string | null = tree;
    const made = await call('write the tree', () =>
      client.request('POST /repos/{owner}/{repo}/git/trees', {
        ...name,
        ...(on === null ? {} : { base_tree: on }),
        tree: batch.map(({ path, mode, content }) => ({
          path,
          mode,
          type: 'blob' as const,
          ...(content === null ? { sha: null } : { content }),
        })),
      }),
    );
    tree = made.sha;
  }
  if (tree === null) throw new RepositoryError('failed', 'There is nothing to commit.');
  return tree;
}

function batches(changes: readonly TreeChange[]): (readonly TreeChange[])[] {
  const all: TreeChange[][] = [];
  let bytes = REQUEST_BYTES;
  for (const change of changes) {
    const size = Buffer.byteLength(change.content ?? '');
    const last = all.at(-1);
    if (last === undefined || bytes + size > REQUEST_BYTES || last.length >= REQUEST_ENTRIES) {
      all.push([change]);
      bytes = size;
    } else {
      last.push(change);
      bytes += size;
    }
  }
  return all;
}

/** Names neither author nor committer: only so does GitHub sign for the App. */
export async function writeCommit(
  { client, name }: Connection,
  commit: { readonly tree: string; readonly parents: readonly string[]; readonly message: string },
): Promise<string> {
  const made = await call('commit', () =>
    client.request('POST /repos/{owner}/{repo}/git/commits', {
      ...name,
      tree: commit.tree,
      message: commit.message,
      parents: [...commit.parents],
    }),
  );
  return made.sha;
}

export interface Move {
  /** Where the branch stands; null: it is made. */
  readonly from: string | null;
  readonly to: string;
  /** `to` takes the place of `from` instead of standing on it. */
  readonly replaces?: boolean;
}

/** Moves a branch; false where somebody else moved it. */
export async function moveBranch(
  objects: GitObjects,
  branch: string,
  { from, to, replaces = false }: Move,
): Promise<boolean> {
  const { client, name } = objects.connection;
  if (from !== null && replaces) return replaceTip(objects, branch, from, to);
  try {
    await (from === null
      ? client.request('POST /repos/{owner}/{repo}/git/refs', {
          ...name,
          ref: `refs/heads/${branch}`,
          sha: to,
        })
      : client.request('PATCH /repos/{owner}/{repo}/git/refs/{ref}', {
          ...name,
          ref: `heads/${branch}`,
          sha: to,
          force: false,
        }));
    return true;
  } catch (error) {
    if (isStatus(error, 409, 422)) return false;
    return call('move the branch', () => Promise.reject(error));
  }
}

/** Only GraphQL moves a branch back under the condition that it stands where it was seen. */
async function replaceTip(
  { connection: { client }, nodeId }: GitObjects,
  branch: string,
  from: string,
  to: string,
): Promise<boolean> {
  const input = {
    repositoryId: await nodeId(),
    refUpdates: [{ name: `refs/heads/${branch}`, beforeOid: from, afterOid: to, force: true }],
  };
  try {
    await client.graphql(
      'mutation ($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }',
      { input },
    );
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'GraphqlResponseError') return false;
    return call('move the branch', () => Promise.reject(error));
  }
}

/** Null where there is no such branch. */
export async function branchTip(
  { client, name }: Connection,
  branch: string,
): Promise<string | null> {
  const found = await callOrNull('read the branch', () =>
    client.request('GET /repos/{owner}/{repo}/git/ref/{ref}', { ...name, ref: `heads/${branch}` }),
  );
  return found?.object.sha ?? null;
}
