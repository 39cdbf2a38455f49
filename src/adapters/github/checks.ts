/** Check runs of the App. */
import { ANNOTATIONS } from '../../core/checkrun/limits.ts';
import { CHECK_NAME, CONCLUSIONS } from '../../core/checkrun/types.ts';
import type { Annotation, CheckContent, CheckState } from '../../core/checkrun/types.ts';
import type { CheckRun, GitHubChecks } from '../../ports/github.ts';
import { allPages, call, callOrNull, PAGE } from './call.ts';
import type { Connection } from './call.ts';

interface CheckResponse {
  readonly id: number | bigint;
  readonly head_sha: string;
  readonly external_id: string | null;
  readonly status: string;
  readonly conclusion: string | null;
  readonly html_url: string | null;
  readonly started_at: string | null;
  readonly details_url: string | null;
  readonly output: { readonly title: string | null; readonly summary: string | null };
  readonly app: { readonly id: number | bigint } | null;
}

export function checksOf(connection: Connection): GitHubChecks {
  const { client, name, appId } = connection;

  async function update(id: number, content: CheckContent): Promise<CheckRun> {
    const [first = [], ...more] = chunks(content.annotations);
    const updated = await call('update the check run', () =>
      client.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
        ...name,
        check_run_id: id,
        ...body(content, first),
      }),
    );
    await append(id, content, more);
    return checkRun(updated);
  }

  /** GitHub appends the annotations of each request to those that are there. */
  async function append(
    id: number,
    content: CheckContent,
    more: readonly (readonly Annotation[])[],
  ): Promise<void> {
    for (const annotations of more) {
      await call('annotate the check run', () =>
        client.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
          ...name,
          check_run_id: id,
          output: output(content, annotations),
        }),
      );
    }
  }

  return {
    async createCheck(sha, externalId, content) {
      const [first = [], ...more] = chunks(content.annotations);
      const created = await call('create a check run', () =>
        client.request('POST /repos/{owner}/{repo}/check-runs', {
          ...name,
          name: CHECK_NAME,
          head_sha: sha,
          external_id: externalId,
          ...body(content, first),
        }),
      );
      await append(Number(created.id), content, more);
      return checkRun(created);
    },

    updateCheck: update,

    async check(id) {
      const found = await callOrNull('read the check run', () =>
        client.request('GET /repos/{owner}/{repo}/check-runs/{check_run_id}', {
          ...name,
          check_run_id: id,
        }),
      );
      return found === null ? null : checkRun(found);
    },

    async checksOf(sha) {
      const found = await allPages(async (page) => {
        const data = await call('list check runs', () =>
          client.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
            ...name,
            ref: sha,
            check_name: CHECK_NAME,
            filter: 'all',
            app_id: appId,
            per_page: PAGE,
            page,
          }),
        );
        return data.check_runs;
      }, 10);
      return found.map(checkRun).toSorted((a, b) => a.id - b.id);
    },
  };
}

function body(content: CheckContent, annotations: readonly Annotation[]) {
  const { state, buttons, detailsUrl } = content;
  const actions = buttons.map((button) => ({ ...button }));
  return {
    ...(detailsUrl === null ? {} : { details_url: detailsUrl }),
    ...(state.status === 'completed'
      ? { status: 'completed' as const, conclusion: state.conclusion }
      : { status: state.status }),
    output: output(content, annotations),
    actions,
  };
}

function output(content: CheckContent, annotations: readonly Annotation[]) {
  return {
    title: content.title,
    summary: content.summary,
    ...(content.text === null ? {} : { text: content.text }),
    ...(annotations.length === 0
      ? {}
      : {
          annotations: annotations.map(({ path, startLine, endLine, level, title, message }) => ({
            path,
            start_line: startLine,
            end_line: endLine,
            annotation_level: level,
            title,
            message,
          })),
        }),
  };
}

function chunks(annotations: readonly Annotation[]): (readonly Annotation[])[] {
  const count = Math.ceil(annotations.length / ANNOTATIONS);
  return Array.from({ length: count }, (_, index) =>
    annotations.slice(index * ANNOTATIONS, (index + 1) * ANNOTATIONS),
  );
}

function checkRun(response: CheckResponse): CheckRun {
  return {
    id: Number(response.id),
    sha: response.head_sha,
    externalId: response.external_id ?? '',
    state: stateOf(response),
    title: response.output.title,
    summary: response.output.summary,
    url: response.html_url,
    detailsUrl: response.details_url,
    startedAt: response.started_at,
  };
}

/** `stale` and states that only GitHub itself gives count as the nearest of ours. */
function stateOf({ status, conclusion }: CheckResponse): CheckState {
  if (status === 'completed') {
    return {
      status,
      conclusion: CONCLUSIONS.find((each) => each === conclusion) ?? 'cancelled',
    };
  }
  return { status: status === 'in_progress' ? 'in_progress' : 'queued' };
}
