/** Contents and Git data. */
import { githubContract } from '../contract.ts';
import { created, ok, page, Refusal, text } from '../route.ts';
import type { Call, Route } from '../route.ts';
import { commitShape } from '../shapes.ts';
import { BOT } from '../state.ts';
import { recordPush } from '../events.ts';

const READ = ['contents', 'read'] as const;
const WRITE = ['contents', 'write'] as const;
const REPO = '/repos/{owner}/{repo}';
/** What GitHub answers in full; past it only the blob has the content. */
const INLINE = 1024 * 1024;

export const contentRoutes: readonly Route[] = [
  {
    method: 'GET',
    template: `${REPO}/commits/{ref}`,
    needs: READ,
    handle: ({ repository, path }) => {
      const sha = repository.git.resolve(path['ref'] ?? '');
      if (sha === null) throw new Refusal(422, `No commit found for SHA: ${path['ref']}`);
      return ok(commitShape(repository, sha));
    },
  },
  {
    method: 'GET',
    template: `${REPO}/commits`,
    needs: READ,
    handle: ({ repository, query }) => {
      const start = repository.git.resolve(query.get('sha') ?? repository.defaultBranch);
      if (start === null) throw new Refusal(404, 'Not Found');
      const only = query.get('path');
      const list = repository.git.run([
        'log',
        '--format=%H',
        start,
        ...(only === null ? [] : ['--', only]),
      ]);
      const shas = list.split('\n').filter((sha) => sha !== '');
      return ok(page(shas, query).map((sha) => commitShape(repository, sha)));
    },
  },
  {
    method: 'GET',
    template: `${REPO}/contents/{path}`,
    needs: READ,
    handle: ({ repository, path, query }) => {
      const name = path['path'] ?? '';
      const commit = repository.git.resolve(query.get('ref') ?? repository.defaultBranch);
      const blob = commit === null ? null : repository.git.blobOf(commit, name);
      if (blob === null) throw new Refusal(404, 'Not Found');
      const bytes = repository.git.blob(blob);
      const inline = bytes.length <= INLINE;
      return ok({
        ...githubContract().example('content-file-response-if-content-is-a-file'),
        name: name.split('/').at(-1),
        path: name,
        sha: blob,
        size: bytes.length,
        encoding: inline ? 'base64' : 'none',
        content: inline ? bytes.toString('base64') : '',
      });
    },
  },
  {
    method: 'GET',
    template: `${REPO}/git/blobs/{file_sha}`,
    needs: READ,
    handle: ({ repository, path }) => {
      const sha = path['file_sha'] ?? '';
      const bytes = repository.git.blob(sha);
      return ok({
        sha,
        node_id: 'x',
        size: bytes.length,
        url: `https://api.github.com/blobs/${sha}`,
        encoding: 'base64',
        content: bytes.toString('base64'),
      });
    },
  },
  {
    method: 'GET',
    template: `${REPO}/compare/{basehead}`,
    needs: READ,
    handle: ({ repository, path, query }) => {
      const [base = '', head = ''] = (path['basehead'] ?? '').split('...');
      const [from, to] = [repository.git.resolve(base), repository.git.resolve(head)];
      const merge =
        from === null || to === null ? null : repository.git.attempt(['merge-base', from, to]);
      if (from === null || to === null || merge === null) throw new Refusal(404, 'Not Found');
      const ahead = repository.git
        .run(['rev-list', '--reverse', `${from}..${to}`])
        .split('\n')
        .filter((sha) => sha !== '');
      return ok({
        ...githubContract().example('commit-comparison'),
        base_commit: commitShape(repository, from),
        merge_base_commit: commitShape(repository, merge),
        total_commits: ahead.length,
        ahead_by: ahead.length,
        commits: page(ahead, query).map((sha) => commitShape(repository, sha)),
        files: [],
      });
    },
  },
  {
    method: 'GET',
    template: `${REPO}/git/ref/{ref}`,
    needs: READ,
    handle: ({ repository, path }) => {
      const ref = path['ref'] ?? '';
      const sha = repository.git.attempt(['rev-parse', '--verify', '--quiet', `refs/${ref}`]);
      if (sha === null) throw new Refusal(404, 'Not Found');
      return ok(refShape(`refs/${ref}`, sha));
    },
  },
  {
    method: 'POST',
    template: `${REPO}/git/refs`,
    needs: WRITE,
    handle: (call) => {
      const { repository, body } = call;
      const ref = text(body['ref']);
      const sha = text(body['sha']);
      const made = repository.git.attempt(['update-ref', ref, sha, '0'.repeat(40)]);
      if (made === null) throw new Refusal(422, 'Reference already exists');
      recordPush(call, ref, '0'.repeat(40), sha, BOT);
      return created(refShape(ref, sha));
    },
  },
  {
    method: 'PATCH',
    template: `${REPO}/git/refs/{ref}`,
    needs: WRITE,
    handle: (call) => {
      const { repository, path, body } = call;
      const ref = `refs/${path['ref'] ?? ''}`;
      const sha = text(body['sha']);
      const old = repository.git.attempt(['rev-parse', '--verify', '--quiet', ref]);
      if (old === null) throw new Refusal(422, 'Reference does not exist');
      const forward = repository.git.attempt(['merge-base', '--is-ancestor', old, sha]);
      if (forward === null && body['force'] !== true) {
        throw new Refusal(422, 'Update is not a fast forward');
      }
      repository.git.run(['update-ref', ref, sha, old]);
      recordPush(call, ref, old, sha, BOT);
      return ok(refShape(ref, sha));
    },
  },
  {
    method: 'GET',
    template: `${REPO}/git/trees/{tree_sha}`,
    needs: READ,
    handle: ({ repository, path, query }) => {
      const name = path['tree_sha'] ?? '';
      const sha = repository.git.attempt(['rev-parse', '--verify', '--quiet', `${name}^{tree}`]);
      if (sha === null) throw new Refusal(404, 'Not Found');
      const recursive = query.get('recursive') === null ? [] : ['-r', '-t'];
      return ok({
        sha,
        url: 'https://api.github.com/tree',
        truncated: false,
        tree: treeOf(repository.git.run(['ls-tree', '-z', ...recursive, sha])),
      });
    },
  },
  {
    method: 'POST',
    template: `${REPO}/git/trees`,
    needs: WRITE,
    handle: (call) => created(writeTree(call)),
  },
  {
    method: 'POST',
    template: `${REPO}/git/blobs`,
    needs: WRITE,
    handle: ({ repository, body }) => {
      const encoding = body['encoding'] === 'base64' ? 'base64' : 'utf8';
      const bytes = Buffer.from(text(body['content']), encoding);
      const sha = repository.git.run(['hash-object', '-w', '--stdin'], bytes);
      return created({ sha, url: `https://api.github.com/blobs/${sha}` });
    },
  },
  {
    method: 'POST',
    template: `${REPO}/git/commits`,
    needs: WRITE,
    handle: ({ repository, body }) => {
      const parents = Array.isArray(body['parents']) ? body['parents'].map(String) : [];
      const sha = repository.git.run(
        [
          'commit-tree',
          text(body['tree']),
          ...parents.flatMap((parent) => ['-p', parent]),
          '-F',
          '-',
        ],
        text(body['message']),
        { name: BOT, email: `${BOT}@users.noreply.github.com` },
      );
      // GitHub signs what an App commits without naming an author or committer of its own.
      const verified = body['author'] === undefined && body['committer'] === undefined;
      const shape = githubContract().example('git-commit');
      const commit = commitShape(repository, sha);
      const inner = githubContract().example('git-commit')['verification'];
      return created({
        ...shape,
        sha,
        message: text(body['message']),
        tree: { sha: text(body['tree']), url: 'https://api.github.com/tree' },
        parents: commit['parents'],
        verification: { ...(typeof inner === 'object' ? inner : {}), verified },
      });
    },
  },
];

function refShape(ref: string, sha: string) {
  return {
    ref,
    node_id: 'x',
    url: `https://api.github.com/${ref}`,
    object: { type: 'commit', sha, url: `https://api.github.com/commits/${sha}` },
  };
}

function treeOf(listing: string) {
  return listing
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const [meta = '', path = ''] = line.split('\t');
      const [mode = '', type = '', sha = ''] = meta.split(' ');
      return {
        path,
        mode,
        type,
        sha,
        url: `https://api.github.com/${type}/${sha}`,
        ...(type === 'blob' ? { size: 1 } : {}),
      };
    });
}

function writeTree({ repository, body }: Call) {
  const { git } = repository;
  const base = text(body['base_tree']);
  const entries = Array.isArray(body['tree']) ? body['tree'] : [];
  const index = new Map(
    base === ''
      ? []
      : git
          .run(['ls-tree', '-r', '-z', base])
          .split('\0')
          .filter((line) => line !== '')
          .map((line): [string, string] => [line.split('\t')[1] ?? '', line]),
  );
  for (const entry of entries) {
    const record: Record<string, unknown> =
      typeof entry === 'object' && entry !== null ? { ...entry } : {};
    const path = text(record['path']);
    if (record['sha'] === null) {
      if (!index.delete(path)) throw new Refusal(422, `GitRPC::BadObjectState: ${path}`);
      continue;
    }
    const sha =
      typeof record['content'] === 'string'
        ? git.run(['hash-object', '-w', '--stdin'], record['content'])
        : text(record['sha']);
    index.set(path, `${text(record['mode'])} blob ${sha}\t${path}`);
  }
  const sha = nestedTree(git.run.bind(git), [...index.values()]);
  return {
    sha,
    url: `https://api.github.com/trees/${sha}`,
    truncated: false,
    tree: treeOf(git.run(['ls-tree', '-z', sha])),
  };
}

/** git has no single command that makes nested trees of flat paths. */
function nestedTree(
  run: (args: readonly string[], input?: string) => string,
  lines: readonly string[],
): string {
  const here: string[] = [];
  const below = new Map<string, string[]>();
  for (const line of lines) {
    const [meta = '', path = ''] = line.split('\t');
    const slash = path.indexOf('/');
    if (slash < 0) here.push(line);
    else {
      const folder = path.slice(0, slash);
      below.set(folder, [...(below.get(folder) ?? []), `${meta}\t${path.slice(slash + 1)}`]);
    }
  }
  for (const [folder, inside] of below)
    here.push(`040000 tree ${nestedTree(run, inside)}\t${folder}`);
  return run(['mktree', '-z'], here.map((line) => `${line}\0`).join(''));
}
