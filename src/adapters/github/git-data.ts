/** Commits, trees and refs by GitHub's Git data API: what an App commits so is signed by GitHub. */
import { z } from 'zod';
import { RepositoryError } from '../../ports/repository.ts';
import { call, callOrNull } from './call.ts';
import type { Connection } from './call.ts';
import { isStatus } from './errors.ts';

export interface TreeEntry {
  readonly mode: string;
  readonly sha: string;
}

/** Files and links of a commit by path. */
export async function readTree(
  { client, name }: Connection,
  commit: string,
): Promise<ReadonlyMap<string, TreeEntry>> {
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

/** Blobs of one GraphQL request, which costs as much as one of REST. */
const BLOBS = 100;
const blobsSchema = z.object({
  repository: z.record(
    z.string(),
    z
      .object({
        isBinary: z.boolean().nullable(),
        isTruncated: z.boolean(),
        text: z.string().nullable(),
      })
      .nullable(),
  ),
});

/** Contents of text blobs by their names; binary ones come as REST gives them, read as UTF-8. */
export async function readBlobs(
  connection: Connection,
  shas: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>();
  const wanted = [...new Set(shas)];
  for (let start = 0; start < wanted.length; start += BLOBS) {
    const batch = wanted.slice(start, start + BLOBS);
    const found = await fetchBlobs(connection, batch);
    for (const [index, sha] of batch.entries()) {
      const blob = found[`b${index}`];
      const whole = blob?.text !== null && blob?.text !== undefined && !blob.isTruncated;
      contents.set(sha, whole ? (blob.text ?? '') : await restBlob(connection, sha));
    }
  }
  return contents;
}

async function fetchBlobs({ client, name }: Connection, shas: readonly string[]) {
  const fields = shas
    .map(
      (sha, index) =>
        `b${index}: object(oid: "${checked(sha)}") { ... on Blob { isBinary isTruncated text } }`,
    )
    .join('\n');
  const query = `query ($owner: String!, $repo: String!) { repository(owner: $owner, name: $repo) { ${fields} } }`;
  const data = await call('read files', async () => ({
    data: await client.graphql(query, { ...name }),
  }));
  return blobsSchema.parse(data).repository;
}

function checked(sha: string): string {
  if (!/^[0-9a-f]{40}$/u.test(sha)) throw new RepositoryError('failed', `"${sha}" names no blob.`);
  return sha;
}

async function restBlob({ client, name }: Connection, sha: string): Promise<string> {
  const found = await call('read a file', () =>
    client.request('GET /repos/{owner}/{repo}/git/blobs/{file_sha}', { ...name, file_sha: sha }),
  );
  return Buffer.from(found.content, 'base64').toString('utf8');
}

export interface TreeChange {
  readonly path: string;
  readonly mode: string;
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
          mode: modeOf(mode),
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

function modeOf(mode: string): '100644' | '100755' {
  return mode === '100755' ? '100755' : '100644';
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
  connection: Connection,
  branch: string,
  { from, to, replaces = false }: Move,
): Promise<boolean> {
  const { client, name } = connection;
  if (from !== null && replaces) return replaceTip(connection, branch, from, to);
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

const repositoryIdSchema = z.object({ repository: z.object({ id: z.string() }) });

/** Only GraphQL moves a branch back under the condition that it stands where it was seen. */
async function replaceTip(
  { client, name }: Connection,
  branch: string,
  from: string,
  to: string,
): Promise<boolean> {
  const found = await call('read the repository', async () => ({
    data: await client.graphql(
      'query ($owner: String!, $repo: String!) { repository(owner: $owner, name: $repo) { id } }',
      { ...name },
    ),
  }));
  const input = {
    repositoryId: repositoryIdSchema.parse(found).repository.id,
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
