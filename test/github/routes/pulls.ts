/** Pull requests. */
import { payloadOf, recordPush } from '../events.ts';
import { created, ok, page, Refusal, text } from '../route.ts';
import type { Call, Route } from '../route.ts';
import { commitShape, headSha, pullShape } from '../shapes.ts';
import { BOT, timestamp } from '../state.ts';
import type { IssueState, RepositoryState, World } from '../state.ts';
import { addIssue } from './talk.ts';

const REPO = '/repos/{owner}/{repo}';
const READ = ['pull_requests', 'read'] as const;
const WRITE = ['pull_requests', 'write'] as const;

export const pullRoutes: readonly Route[] = [
  {
    method: 'GET',
    template: `${REPO}/pulls`,
    needs: READ,
    handle: ({ world, repository, query }) => {
      const head = query.get('head');
      const found = [...repository.issues.values()]
        .filter(({ pull }) => pull !== null)
        .filter(
          (issue) => query.get('state') === 'all' || issue.state === (query.get('state') ?? 'open'),
        )
        .filter(({ pull }) => head === null || head === `${repository.owner}:${pull?.head}`)
        .toSorted((a, b) => b.number - a.number);
      return ok(
        page(found, query).map((issue) =>
          pullShape(world, repository, issue, 'pull-request-simple'),
        ),
      );
    },
  },
  {
    method: 'POST',
    template: `${REPO}/pulls`,
    needs: WRITE,
    handle: (call) => {
      const { world, repository, body } = call;
      const [head, base] = [text(body['head']), text(body['base'])];
      const open = [...repository.issues.values()].some(
        ({ state, pull }) => state === 'open' && pull?.head === head && pull.base === base,
      );
      if (open)
        throw new Refusal(422, `A pull request already exists for ${repository.owner}:${head}.`);
      if (text(body['body']).length > 65_536) throw new Refusal(422, 'body is too long');
      const issue = openPull(world, repository, {
        title: text(body['title']),
        body: text(body['body']),
        head,
        base,
        author: BOT,
      });
      call.emit('pull_request', pullPayload(world, repository, issue, 'opened', BOT));
      return created(pullShape(world, repository, issue, 'pull-request'));
    },
  },
  {
    method: 'GET',
    template: `${REPO}/pulls/{pull_number}`,
    needs: READ,
    handle: (call) => ok(pullShape(call.world, call.repository, find(call), 'pull-request')),
  },
  {
    method: 'PATCH',
    template: `${REPO}/pulls/{pull_number}`,
    needs: WRITE,
    handle: (call) => {
      const issue = find(call);
      if (call.body['title'] !== undefined) issue.title = text(call.body['title']);
      if (call.body['body'] !== undefined) issue.body = text(call.body['body']);
      return ok(pullShape(call.world, call.repository, issue, 'pull-request'));
    },
  },
  {
    method: 'POST',
    template: `${REPO}/merges`,
    needs: ['contents', 'write'],
    handle: (call) => {
      const { repository, body } = call;
      const [into, from] = [text(body['base']), text(body['head'])];
      const [base, head] = [repository.git.resolve(into), repository.git.resolve(from)];
      if (base === null || head === null) throw new Refusal(404, 'Base does not exist');
      if (repository.git.attempt(['merge-base', '--is-ancestor', head, base]) !== null) {
        return { status: 204 };
      }
      const sha = mergeCommit(repository, base, head, `Merge ${from} into ${into}`, BOT);
      if (sha === null) throw new Refusal(409, 'Merge conflict');
      repository.git.run(['update-ref', `refs/heads/${into}`, sha]);
      recordPush(call, `refs/heads/${into}`, base, sha, BOT);
      return created(commitShape(repository, sha));
    },
  },
  {
    method: 'PUT',
    template: `${REPO}/pulls/{pull_number}/merge`,
    needs: ['contents', 'write'],
    handle: (call) => {
      const issue = find(call);
      if (issue.state !== 'open') throw new Refusal(405, 'Pull Request is not mergeable');
      const wanted = text(call.body['sha']);
      if (wanted !== '' && wanted !== headSha(call.repository, issue)) {
        throw new Refusal(409, 'Head branch was modified. Review and try the merge again.');
      }
      const sha = mergePull(call, issue, BOT);
      return ok({ sha, merged: true, message: 'Pull Request successfully merged' });
    },
  },
  {
    method: 'POST',
    template: `${REPO}/pulls/{pull_number}/requested_reviewers`,
    needs: WRITE,
    handle: (call) => {
      const issue = find(call);
      const asked = Array.isArray(call.body['reviewers']) ? call.body['reviewers'].map(String) : [];
      if (asked.some((login) => !call.repository.roles.has(login))) {
        throw new Refusal(422, 'Reviews may only be requested from collaborators.');
      }
      issue.pull?.reviewers.push(...asked);
      return created(pullShape(call.world, call.repository, issue, 'pull-request-simple'));
    },
  },
];

export function openPull(
  world: World,
  repository: RepositoryState,
  pull: {
    readonly title: string;
    readonly body: string;
    readonly head: string;
    readonly base: string;
    readonly author: string;
    readonly fork?: boolean;
  },
): IssueState {
  const baseSha = repository.git.resolve(pull.base);
  const head = repository.git.resolve(pull.head);
  if (baseSha === null || head === null) throw new Refusal(422, 'Validation Failed: base or head');
  if (baseSha === head) throw new Refusal(422, `No commits between ${pull.base} and ${pull.head}`);
  return addIssue(world, repository, {
    title: pull.title,
    body: pull.body,
    author: pull.author,
    labels: [],
    pull: {
      head: pull.head,
      base: pull.base,
      headRepository: pull.fork === true ? repository.id + 1 : repository.id,
      baseSha,
      mergedAt: null,
      reviewers: [],
    },
  });
}

/** Merges, closes, and tells the App of the push and of the pull request. */
export function mergePull(
  call: Pick<Call, 'world' | 'repository' | 'emit'>,
  issue: IssueState,
  sender: string,
): string {
  const { world, repository, emit } = call;
  const { pull } = issue;
  const before = repository.git.resolve(pull?.base ?? '');
  const head = headSha(repository, issue);
  if (pull === null || before === null) throw new Refusal(405, 'Pull Request is not mergeable');
  const sha = mergeCommit(repository, before, head, `Merge #${issue.number}`, sender);
  if (sha === null) throw new Refusal(405, 'Merge conflict');
  repository.git.run(['update-ref', `refs/heads/${pull.base}`, sha]);
  pull.mergedAt = timestamp(world);
  issue.state = 'closed';
  recordPush(call, `refs/heads/${pull.base}`, before, sha, sender);
  emit('pull_request', pullPayload(world, repository, issue, 'closed', sender));
  return sha;
}

/** Null where the two are in conflict. */
function mergeCommit(
  { git }: RepositoryState,
  onto: string,
  other: string,
  message: string,
  who: string,
): string | null {
  const tree = git.attempt(['merge-tree', '--write-tree', onto, other])?.split('\n')[0];
  if (tree === undefined) return null;
  const author = { name: who, email: `${who}@users.noreply.github.com` };
  return git.run(['commit-tree', tree, '-p', onto, '-p', other, '-m', message], '', author);
}

export function pullPayload(
  world: World,
  repository: RepositoryState,
  issue: IssueState,
  action: 'opened' | 'synchronize' | 'closed',
  sender: string,
): Record<string, unknown> {
  return payloadOf('pull_request', action, repository, sender, {
    number: issue.number,
    pull_request: pullShape(world, repository, issue, 'pull-request'),
  });
}

function find({ repository, path }: Call): IssueState {
  const issue = repository.issues.get(Number(path['pull_number']));
  if (issue?.pull === undefined || issue.pull === null) throw new Refusal(404, 'Not Found');
  return issue;
}
