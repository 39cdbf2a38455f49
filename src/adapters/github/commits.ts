/** Commits of a branch: who made them, and on what. */
import { allPages, call, callOrNull, PAGE } from './call.ts';
import type { Connection } from './call.ts';

export interface BranchCommitInfo {
  readonly sha: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly bySprocket: boolean;
}

interface CommitResponse {
  readonly sha: string;
  readonly author: object | null;
  readonly commit: { readonly message: string };
  readonly parents: readonly { readonly sha?: string }[];
}

/** Commits of a run's branch that are looked through; a run makes one per wave. */
const PAGES = 10;

/**
 * What was committed on a branch itself since `start`, newest first; null: from its beginning. What a
 * merge brought from elsewhere is not in it, the merge is.
 */
export async function commitsSince(
  connection: Connection,
  tip: string,
  start: string | null,
): Promise<readonly BranchCommitInfo[]> {
  const { client, name } = connection;
  const infos = (commits: readonly CommitResponse[]) =>
    commits.map((commit) => info(connection, commit));
  if (start !== null) {
    const ahead = await allPages(async (page) => {
      const found = await callOrNull('compare commits', () =>
        client.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
          ...name,
          basehead: `${start}...${tip}`,
          per_page: PAGE,
          page,
        }),
      );
      return found?.commits ?? [];
    }, PAGES);
    return onBranch(infos(ahead), tip);
  }
  const all = infos(
    await allPages(
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
    ),
  );
  return onBranch(all, tip);
}

function onBranch(commits: readonly BranchCommitInfo[], tip: string): readonly BranchCommitInfo[] {
  const known = new Map(commits.map((commit) => [commit.sha, commit]));
  const chain: BranchCommitInfo[] = [];
  for (let next = known.get(tip); next !== undefined; next = known.get(next.parents[0] ?? '')) {
    chain.push(next);
  }
  return chain;
}

export async function commitInfo(connection: Connection, sha: string): Promise<BranchCommitInfo> {
  const found = await call('read a commit', () =>
    connection.client.request('GET /repos/{owner}/{repo}/commits/{ref}', {
      ...connection.name,
      ref: sha,
      per_page: 1,
    }),
  );
  return info(connection, found);
}

function info({ slug }: Connection, { sha, author, commit, parents }: CommitResponse) {
  const login = author !== null && 'login' in author ? author.login : null;
  return {
    sha,
    parents: parents.flatMap((parent) => parent.sha ?? []),
    message: commit.message,
    bySprocket: login === `${slug}[bot]`,
  };
}
