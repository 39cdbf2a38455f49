/** Issues, comments, reactions, labels. */
import { githubContract } from '../contract.ts';
import { payloadOf } from '../events.ts';
import { created, ok, page, Refusal, text } from '../route.ts';
import type { Call, Route } from '../route.ts';
import { commentShape, issueShape, userShape } from '../shapes.ts';
import { BOT, nextId, timestamp } from '../state.ts';
import type { CommentState, IssueState, RepositoryState, World } from '../state.ts';

const REPO = '/repos/{owner}/{repo}';
const BODY = 65_536;

export const talkRoutes: readonly Route[] = [
  {
    method: 'GET',
    template: `${REPO}/issues`,
    needs: ['issues', 'read'],
    handle: ({ repository, query }) => {
      const state = query.get('state') ?? 'open';
      const creator = query.get('creator');
      const found = [...repository.issues.values()]
        .filter((issue) => state === 'all' || issue.state === state)
        .filter((issue) => creator === null || issue.author === creator)
        .toSorted((a, b) =>
          query.get('direction') === 'asc' ? a.number - b.number : b.number - a.number,
        );
      return ok(page(found, query).map((issue) => issueShape(repository, issue)));
    },
  },
  {
    method: 'POST',
    template: `${REPO}/issues`,
    needs: ['issues', 'write'],
    handle: ({ world, repository, body }) => {
      const labels = Array.isArray(body['labels']) ? body['labels'].map(String) : [];
      const issue = addIssue(world, repository, {
        title: text(body['title']),
        body: limited(text(body['body'])),
        author: BOT,
        labels,
        pull: null,
      });
      return created(issueShape(repository, issue));
    },
  },
  {
    method: 'GET',
    template: `${REPO}/issues/{issue_number}`,
    needs: ['issues', 'read'],
    handle: (call) => ok(issueShape(call.repository, find(call))),
  },
  {
    method: 'PATCH',
    template: `${REPO}/issues/{issue_number}`,
    needs: ['issues', 'write'],
    handle: (call) => {
      const issue = find(call);
      const before = issue.body;
      if (call.body['body'] !== undefined) issue.body = limited(text(call.body['body']));
      if (call.body['title'] !== undefined) issue.title = text(call.body['title']);
      if (call.body['state'] !== undefined) {
        issue.state = call.body['state'] === 'closed' ? 'closed' : 'open';
      }
      call.emit('issues', editedPayload(call.repository, issue, BOT, before));
      return ok(issueShape(call.repository, issue));
    },
  },
  {
    method: 'POST',
    template: `${REPO}/issues/{issue_number}/labels`,
    needs: ['issues', 'write'],
    handle: (call) => {
      const issue = find(call);
      const labels = Array.isArray(call.body['labels']) ? call.body['labels'].map(String) : [];
      issue.labels = [...new Set([...issue.labels, ...labels])];
      const shape = githubContract().example('label');
      return ok(issue.labels.map((name) => ({ ...shape, name })));
    },
  },
  {
    method: 'POST',
    template: `${REPO}/issues/{issue_number}/comments`,
    needs: ['issues', 'write'],
    handle: (call) => {
      const { world, repository, body } = call;
      const comment = addComment(
        world,
        repository,
        find(call).number,
        limited(text(body['body'])),
        BOT,
      );
      call.emit('issue_comment', commentPayload(repository, comment, 'created'));
      return created(commentShape(repository, comment));
    },
  },
  {
    method: 'GET',
    template: `${REPO}/issues/{issue_number}/comments`,
    needs: ['issues', 'read'],
    handle: (call) => {
      const { repository, query } = call;
      const { number } = find(call);
      const since = query.get('since') ?? '';
      const found = [...repository.comments.values()].filter(
        (each) => each.issue === number && Date.parse(each.updatedAt) >= Date.parse(since || '0'),
      );
      return ok(page(found, query).map((each) => commentShape(repository, each)));
    },
  },
  {
    method: 'GET',
    template: `${REPO}/issues/comments/{comment_id}`,
    needs: ['issues', 'read'],
    handle: (call) => ok(commentShape(call.repository, findComment(call))),
  },
  {
    method: 'GET',
    template: `${REPO}/issues/comments/{comment_id}/reactions`,
    needs: ['issues', 'read'],
    handle: (call) => ok(page(findComment(call).reactions, call.query).map(reactionShape)),
  },
  {
    method: 'POST',
    template: `${REPO}/issues/comments/{comment_id}/reactions`,
    needs: ['issues', 'write'],
    handle: (call) => {
      const { reactions } = findComment(call);
      const content = text(call.body['content']);
      const known = reactions.find((each) => each.user === BOT && each.content === content);
      if (known !== undefined) return ok(reactionShape(known));
      const made = { id: nextId(call.world), user: BOT, content };
      reactions.push(made);
      return created(reactionShape(made));
    },
  },
];

export function addIssue(
  world: World,
  repository: RepositoryState,
  issue: Pick<IssueState, 'title' | 'body' | 'author' | 'labels' | 'pull'>,
): IssueState {
  const made: IssueState = {
    id: nextId(world),
    number: repository.issues.size + 1,
    state: 'open',
    createdAt: timestamp(world),
    ...issue,
  };
  repository.issues.set(made.number, made);
  return made;
}

export function addComment(
  world: World,
  repository: RepositoryState,
  issue: number,
  body: string,
  author: string,
): CommentState {
  const at = timestamp(world);
  const comment: CommentState = {
    id: nextId(world),
    issue,
    body,
    author,
    createdAt: at,
    updatedAt: at,
    reactions: [],
  };
  repository.comments.set(comment.id, comment);
  return comment;
}

export function commentPayload(
  repository: RepositoryState,
  comment: CommentState,
  action: 'created' | 'edited',
): Record<string, unknown> {
  const issue = repository.issues.get(comment.issue);
  if (issue === undefined) throw new Error(`no issue #${comment.issue}`);
  return payloadOf('issue_comment', action, repository, comment.author, {
    issue: issueShape(repository, issue),
    comment: commentShape(repository, comment),
  });
}

export function editedPayload(
  repository: RepositoryState,
  issue: IssueState,
  sender: string,
  before: string,
): Record<string, unknown> {
  return payloadOf('issues', 'edited', repository, sender, {
    issue: issueShape(repository, issue),
    changes: { body: { from: before } },
  });
}

function find({ repository, path }: Call): IssueState {
  const issue = repository.issues.get(Number(path['issue_number']));
  if (issue === undefined) throw new Refusal(404, 'Not Found');
  return issue;
}

function findComment({ repository, path }: Call): CommentState {
  const comment = repository.comments.get(Number(path['comment_id']));
  if (comment === undefined) throw new Refusal(404, 'Not Found');
  return comment;
}

function reactionShape({ id, user, content }: CommentState['reactions'][number]) {
  return { ...githubContract().example('reaction'), id, user: userShape(user), content };
}

function limited(body: string): string {
  if (body.length > BODY)
    throw new Refusal(422, `body is too long (maximum is ${BODY} characters)`);
  return body;
}
