/** Issues, comments and reactions. */
import { REACTIONS } from '../../ports/github.ts';
import type { GitHubTalk, Issue } from '../../ports/github.ts';
import { allPages, call, callOrNull, PAGE } from './call.ts';
import type { Connection } from './call.ts';

interface IssueResponse {
  readonly number: number;
  readonly body?: string | null | undefined;
  readonly state: string;
  readonly html_url: string;
  readonly pull_request?: unknown;
}

/** Pages that are looked through: the App has one issue per plan. */
const PAGES = 5;

export function talkOf({ client, name, slug }: Connection): GitHubTalk {
  const login = `${slug}[bot]`;
  return {
    async comment(id) {
      const found = await callOrNull('read the comment', () =>
        client.request('GET /repos/{owner}/{repo}/issues/comments/{comment_id}', {
          ...name,
          comment_id: id,
        }),
      );
      if (found === null) return null;
      return {
        id,
        body: found.body ?? '',
        author: found.user?.login ?? 'ghost',
        createdAt: found.created_at,
        updatedAt: found.updated_at,
      };
    },

    async ownReplies(issue, since) {
      const found = await allPages(
        (page) =>
          call('list comments', () =>
            client.request('GET /repos/{owner}/{repo}/issues/{issue_number}/comments', {
              ...name,
              issue_number: issue,
              since,
              per_page: PAGE,
              page,
            }),
          ),
        PAGES,
      );
      return found.filter(({ user }) => user?.login === login).map(({ body }) => body ?? '');
    },

    async reply(issue, body) {
      const made = await call('comment', () =>
        client.request('POST /repos/{owner}/{repo}/issues/{issue_number}/comments', {
          ...name,
          issue_number: issue,
          body,
        }),
      );
      return made.html_url;
    },

    async react(comment, content) {
      await callOrNull('react to the comment', () =>
        client.request('POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', {
          ...name,
          comment_id: comment,
          content,
        }),
      );
    },

    async ownReactions(comment) {
      const found = await callOrNull('read reactions', () =>
        client.request('GET /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', {
          ...name,
          comment_id: comment,
          per_page: PAGE,
        }),
      );
      const own = (found ?? [])
        .filter(({ user }) => user?.login === login)
        .map(({ content }) => content);
      return new Set(REACTIONS.filter((reaction) => own.includes(reaction)));
    },

    async issue(number) {
      const found = await callOrNull('read the issue', () =>
        client.request('GET /repos/{owner}/{repo}/issues/{issue_number}', {
          ...name,
          issue_number: number,
        }),
      );
      return found === null ? null : issueOf(found);
    },

    async ownIssues() {
      const found = await allPages(
        (page) =>
          call('list issues', () =>
            client.request('GET /repos/{owner}/{repo}/issues', {
              ...name,
              creator: login,
              state: 'all',
              direction: 'asc',
              per_page: PAGE,
              page,
            }),
          ),
        PAGES,
      );
      return found.map(issueOf).filter(({ isPullRequest }) => !isPullRequest);
    },

    async createIssue({ title, body }) {
      const made = await call('open an issue', () =>
        client.request('POST /repos/{owner}/{repo}/issues', {
          ...name,
          title,
          body,
          labels: ['sprocket'],
        }),
      );
      return issueOf(made);
    },

    async updateIssue(number, change) {
      await call('update the issue', () =>
        client.request('PATCH /repos/{owner}/{repo}/issues/{issue_number}', {
          ...name,
          issue_number: number,
          ...change,
        }),
      );
    },
  };
}

function issueOf(response: IssueResponse): Issue {
  return {
    number: response.number,
    body: response.body ?? '',
    state: response.state === 'open' ? 'open' : 'closed',
    url: response.html_url,
    isPullRequest: response.pull_request !== undefined && response.pull_request !== null,
  };
}
