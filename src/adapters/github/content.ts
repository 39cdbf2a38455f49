/** Files and commits of a repository. */
import type { GitHubContent, RepositoryFile } from '../../ports/github.ts';
import { call, callOrNull } from './call.ts';
import type { Connection } from './call.ts';

export function contentOf({ client, name }: Connection): GitHubContent {
  return {
    async commitOf(ref) {
      const found = await callOrNull(
        `read ${ref}`,
        () =>
          client.request('GET /repos/{owner}/{repo}/commits/{ref}', { ...name, ref, per_page: 1 }),
        [404, 409, 422],
      );
      return found?.sha ?? null;
    },

    async file(commit, path) {
      const found = await callOrNull(`read ${path}`, () =>
        client.request('GET /repos/{owner}/{repo}/contents/{path}', { ...name, path, ref: commit }),
      );
      if (found === null || Array.isArray(found) || found.type !== 'file') return null;
      // Past 1 MB the content stays away; the blob has it up to 100 MB.
      if (!('content' in found) || found.content === '' || found.encoding !== 'base64') {
        return found.size === 0 ? { blob: found.sha, text: '' } : blob({ client, name }, found.sha);
      }
      return { blob: found.sha, text: Buffer.from(found.content, 'base64').toString('utf8') };
    },

    async lastChange(commit, path) {
      const [found] = await call(`read what changed ${path}`, () =>
        client.request('GET /repos/{owner}/{repo}/commits', {
          ...name,
          sha: commit,
          path,
          per_page: 1,
        }),
      );
      const at = found?.commit.committer?.date;
      return found === undefined || at === undefined ? null : { sha: found.sha, at };
    },

    async mergeBase(base, head) {
      const found = await callOrNull(`compare ${base} with ${head}`, () =>
        client.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
          ...name,
          basehead: `${base}...${head}`,
          per_page: 1,
        }),
      );
      return found?.merge_base_commit.sha ?? null;
    },
  };
}

async function blob(
  { client, name }: Pick<Connection, 'client' | 'name'>,
  sha: string,
): Promise<RepositoryFile> {
  const found = await call(`read the blob ${sha}`, () =>
    client.request('GET /repos/{owner}/{repo}/git/blobs/{file_sha}', { ...name, file_sha: sha }),
  );
  return { blob: sha, text: Buffer.from(found.content, 'base64').toString('utf8') };
}
