/** Files and commits of a repository. */
import { z } from 'zod';
import type { GitHubContent, RepositoryFile } from '../../ports/github.ts';
import { call, callOrNull } from './call.ts';
import type { Connection } from './call.ts';
import { askRepository, BLOB_FIELDS, blobSchema, wholeText } from './graphql.ts';

export function contentOf(connection: Connection): GitHubContent {
  const { client, name } = connection;
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
        return {
          blob: found.sha,
          text: found.size === 0 ? '' : await blobText(connection, found.sha),
        };
      }
      return { blob: found.sha, text: Buffer.from(found.content, 'base64').toString('utf8') };
    },

    async files(wanted) {
      const found = await askRepository(
        connection,
        `read ${wanted.map(({ path }) => path).join(', ')}`,
        {
          fields: wanted
            .map((_, at) => `f${at}: object(expression: $f${at}) { ${BLOB_FIELDS} }`)
            .join(' '),
          answer: z.record(z.string(), blobSchema),
          variables: Object.fromEntries(
            wanted.map(({ commit, path }, at) => [`f${at}`, `${commit}:${path}`]),
          ),
        },
      );
      const answers = new Map(Object.entries(found));
      return Promise.all(
        wanted.map(async (_, at): Promise<RepositoryFile | null> => {
          const answer = answers.get(`f${at}`) ?? null;
          if (answer?.oid === undefined) return null;
          return {
            blob: answer.oid,
            text: wholeText(answer) ?? (await blobText(connection, answer.oid)),
          };
        }),
      );
    },

    async paths(commit) {
      const found = await callOrNull('list the files', () =>
        client.request('GET /repos/{owner}/{repo}/git/trees/{tree_sha}', {
          ...name,
          tree_sha: commit,
          recursive: '1',
        }),
      );
      return (found?.tree ?? []).flatMap(({ type, path }) => (type === 'blob' ? (path ?? []) : []));
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

/** Past what other ways give of it: up to 100 MB. */
export async function blobText({ client, name }: Connection, sha: string): Promise<string> {
  const found = await call(`read the blob ${sha}`, () =>
    client.request('GET /repos/{owner}/{repo}/git/blobs/{file_sha}', { ...name, file_sha: sha }),
  );
  return Buffer.from(found.content, 'base64').toString('utf8');
}
