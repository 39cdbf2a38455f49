/** Dispatches, and the workflow runs that came of them. */
import { EVENT_TYPE, PAYLOAD, PAYLOAD_PROPERTIES } from '../../core/checkrun/limits.ts';
import { byteLength } from '../../core/report/markdown.ts';
import { GitHubError } from '../../ports/github.ts';
import type { GitHubWorkflows, WorkflowRun } from '../../ports/github.ts';
import { call, PAGE } from './call.ts';
import type { Connection } from './call.ts';

export function workflowsOf({ client, name }: Connection): GitHubWorkflows {
  return {
    async dispatch(event, payload) {
      const tooLarge = byteLength(JSON.stringify(payload)) >= PAYLOAD;
      const tooMany = Object.keys(payload).length > PAYLOAD_PROPERTIES;
      if (tooLarge || tooMany || event.length > EVENT_TYPE) {
        throw new GitHubError(
          'invalid',
          0,
          `GitHub: dispatch ${event}: the payload is larger than GitHub takes.`,
          'This is an error in Sprocket: please report it.',
        );
      }
      await call(`dispatch ${event}`, () =>
        client.request('POST /repos/{owner}/{repo}/dispatches', {
          ...name,
          event_type: event,
          client_payload: { ...payload },
        }),
      );
    },

    async dispatchedRuns(since) {
      const { workflow_runs: runs } = await call('list workflow runs', () =>
        client.request('GET /repos/{owner}/{repo}/actions/runs', {
          ...name,
          event: 'repository_dispatch',
          created: `>=${since.slice(0, 19)}Z`,
          per_page: PAGE,
        }),
      );
      return runs.map((run): WorkflowRun => ({
        id: Number(run.id),
        title: run.display_title,
        status: run.status === 'completed' || run.status === 'in_progress' ? run.status : 'queued',
        conclusion: run.conclusion,
        url: run.html_url,
      }));
    },
  };
}
