/** Pull requests. */
import type { GitHubPulls, PullRequest } from '../../ports/github.ts';
import { call, callOrNull } from './call.ts';
import type { Connection } from './call.ts';
import { githubError, isStatus } from './errors.ts';

interface PullResponse {
  readonly number: number;
  readonly state: string;
  readonly merged_at: string | null;
  readonly body: string | null;
  readonly html_url: string;
  readonly head: {
    readonly sha: string;
    readonly ref: string;
    readonly repo: { readonly id: number | bigint } | null;
  };
  readonly base: {
    readonly sha: string;
    readonly ref: string;
    readonly repo: { readonly id: number | bigint };
  };
  readonly user: { readonly login: string } | null;
}

export function pullsOf({ client, name }: Connection): GitHubPulls {
  return {
    async pull(number) {
      const found = await callOrNull('read the pull request', () =>
        client.request('GET /repos/{owner}/{repo}/pulls/{pull_number}', {
          ...name,
          pull_number: number,
        }),
      );
      return found === null ? null : pullOf(found);
    },

    async merge(number, head) {
      await call(`merge pull request #${number}`, () =>
        client.request('PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge', {
          ...name,
          pull_number: number,
          sha: head,
        }),
      );
    },

    async openPulls() {
      const found = await call('list pull requests', () =>
        client.request('GET /repos/{owner}/{repo}/pulls', {
          ...name,
          state: 'open',
          sort: 'updated',
          direction: 'desc',
          per_page: 30,
        }),
      );
      return found.map((pull) => ({ number: pull.number, updatedAt: pull.updated_at }));
    },

    async mergeBranch(into, from) {
      try {
        const { status } = await client.request('POST /repos/{owner}/{repo}/merges', {
          ...name,
          base: into,
          head: from,
        });
        return Number(status) === 204 ? 'nothing new' : 'merged';
      } catch (error) {
        // 403: it brings workflows, which the App's tokens in a job may not write.
        if (isStatus(error, 403, 409)) return 'conflict';
        throw githubError(error, `merge ${from} into ${into}`);
      }
    },

    async pullsFrom(branch) {
      const found = await call('list pull requests', () =>
        client.request('GET /repos/{owner}/{repo}/pulls', {
          ...name,
          head: `${name.owner}:${branch}`,
          state: 'all',
          sort: 'created',
          direction: 'desc',
          per_page: 30,
        }),
      );
      return found.map(pullOf);
    },

    async createPull(pull) {
      const made = await call('open the pull request', () =>
        client.request('POST /repos/{owner}/{repo}/pulls', { ...name, ...pull }),
      );
      return pullOf(made);
    },

    async updatePull(number, change) {
      await call('update the pull request', () =>
        client.request('PATCH /repos/{owner}/{repo}/pulls/{pull_number}', {
          ...name,
          pull_number: number,
          ...change,
        }),
      );
    },

    async requestReviews(number, people, teams) {
      const refused: string[] = [];
      // One by one: a single name that may not review makes GitHub refuse all of them.
      const asked = [
        ...people.map((person) => ({ shown: person, body: { reviewers: [person] } })),
        ...teams.map((team) => ({ shown: team, body: { team_reviewers: [team] } })),
      ];
      for (const { shown, body } of asked) {
        try {
          await client.request(
            'POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers',
            { ...name, pull_number: number, ...body },
          );
        } catch (error) {
          if (!isStatus(error, 403, 404, 422)) throw githubError(error, 'request a review');
          refused.push(shown);
        }
      }
      return refused;
    },

    async addLabels(number, labels) {
      if (labels.length === 0) return;
      await call('label the pull request', () =>
        client.request('POST /repos/{owner}/{repo}/issues/{issue_number}/labels', {
          ...name,
          issue_number: number,
          labels: [...labels],
        }),
      );
    },
  };
}

function pullOf(response: PullResponse): PullRequest {
  const { head, base } = response;
  return {
    number: response.number,
    state: response.state === 'open' ? 'open' : 'closed',
    merged: response.merged_at !== null,
    body: response.body ?? '',
    url: response.html_url,
    head: { sha: head.sha, ref: head.ref },
    base: { sha: base.sha, ref: base.ref },
    fromFork: head.repo?.id !== base.repo.id,
    author: response.user?.login ?? 'ghost',
  };
}
