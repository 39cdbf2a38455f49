/** Check runs, with GitHub's limits and ownership. */
import { created, ok, page, Refusal, text } from '../route.ts';
import type { Call, Route } from '../route.ts';
import { checkShape } from '../shapes.ts';
import { APP, nextId, timestamp } from '../state.ts';
import type { CheckState } from '../state.ts';

const REPO = '/repos/{owner}/{repo}';
const TEXT = 65_535;
const PER_SUITE = 1_000;

export const checkRoutes: readonly Route[] = [
  {
    method: 'POST',
    template: `${REPO}/check-runs`,
    needs: ['checks', 'write'],
    handle: (call) => {
      const { world, repository, body } = call;
      const sha = repository.git.resolve(text(body['head_sha']));
      if (sha === null) throw new Refusal(422, 'No commit found for SHA');
      const name = text(body['name']);
      const same = [...repository.checks.values()].filter(
        (each) => each.sha === sha && each.name === name,
      );
      if (same.length >= PER_SUITE) throw new Refusal(422, 'Too many check runs of this name');
      const check: CheckState = {
        id: nextId(world),
        appId: APP.id,
        name,
        sha,
        externalId: text(body['external_id']),
        status: 'queued',
        conclusion: null,
        title: '',
        summary: '',
        text: null,
        detailsUrl: null,
        actions: [],
        annotations: [],
        startedAt: timestamp(world),
        completedAt: null,
        updates: 0,
      };
      change(call, check);
      repository.checks.set(check.id, check);
      return created(checkShape(repository, check));
    },
  },
  {
    method: 'PATCH',
    template: `${REPO}/check-runs/{check_run_id}`,
    needs: ['checks', 'write'],
    handle: (call) => {
      const check = find(call);
      if (check.appId !== APP.id) {
        throw new Refusal(
          403,
          'Invalid app_id - check run can only be modified by the app that created it',
        );
      }
      const wasCompleted = check.status === 'completed';
      if (
        wasCompleted &&
        call.body['status'] !== undefined &&
        call.body['status'] !== 'completed'
      ) {
        throw new Refusal(422, 'A completed check run can not be reopened');
      }
      change(call, check);
      check.updates += 1;
      return ok(checkShape(call.repository, check));
    },
  },
  {
    method: 'GET',
    template: `${REPO}/check-runs/{check_run_id}`,
    needs: ['checks', 'read'],
    handle: (call) => ok(checkShape(call.repository, find(call))),
  },
  {
    method: 'GET',
    template: `${REPO}/commits/{ref}/check-runs`,
    needs: ['checks', 'read'],
    handle: ({ repository, path, query }) => {
      const sha = repository.git.resolve(path['ref'] ?? '');
      const found = [...repository.checks.values()].filter(
        (check) =>
          check.sha === sha &&
          (query.get('check_name') === null || check.name === query.get('check_name')) &&
          (query.get('app_id') === null || String(check.appId) === query.get('app_id')),
      );
      return ok({
        total_count: found.length,
        check_runs: page(found, query).map((check) => checkShape(repository, check)),
      });
    },
  },
];

function find({ repository, path }: Call): CheckState {
  const check = repository.checks.get(Number(path['check_run_id']));
  if (check === undefined) throw new Refusal(404, 'Not Found');
  return check;
}

function change({ world, body }: Call, check: CheckState): void {
  const output = body['output'];
  if (typeof output === 'object' && output !== null) {
    const { title, summary, text: long, annotations }: Record<string, unknown> = { ...output };
    for (const value of [summary, long]) {
      if (text(value).length > TEXT) throw new Refusal(422, 'Only 65535 characters are allowed');
    }
    check.title = text(title);
    check.summary = text(summary);
    if (long !== undefined) check.text = text(long);
    if (Array.isArray(annotations)) check.annotations.push(...annotations);
  }
  const actions = body['actions'];
  if (Array.isArray(actions)) {
    check.actions = actions.map((each: unknown) => {
      const action: Record<string, unknown> =
        typeof each === 'object' && each !== null ? { ...each } : {};
      return {
        label: text(action['label']),
        description: text(action['description']),
        identifier: text(action['identifier']),
      };
    });
  }
  if (body['details_url'] !== undefined) check.detailsUrl = text(body['details_url']);
  if (body['status'] !== undefined) check.status = text(body['status']);
  if (body['conclusion'] !== undefined) {
    check.status = 'completed';
    check.conclusion = text(body['conclusion']);
    check.completedAt = timestamp(world);
  }
}
