/** The App itself, its installation, permissions, dispatches and workflow runs. */
import { randomBytes } from 'node:crypto';
import { PRIVATE_KEY } from '../auth.ts';
import { githubContract } from '../contract.ts';
import { created, ok, page, Refusal, text } from '../route.ts';
import type { Route } from '../route.ts';
import { appShape, installationShape, repositoryShape, runShape, userShape } from '../shapes.ts';
import { APP, now, PERMISSIONS, WEBHOOK_SECRET } from '../state.ts';
import type { World } from '../state.ts';

const REPO = '/repos/{owner}/{repo}';
const HOUR = 3_600_000;
/** What GitHub gives a browser that made an App from a manifest. */
export const MANIFEST_CODE = 'a-code-that-holds-once';

export const appRoutes: readonly Route[] = [
  { method: 'GET', template: '/app', needs: 'app', handle: () => ok(appShape()) },
  {
    method: 'POST',
    template: '/app-manifests/{code}/conversions',
    needs: 'nobody',
    handle: ({ path }) => {
      if (path['code'] !== MANIFEST_CODE) throw new Refusal(404, 'Not Found');
      return created({
        ...appShape(),
        client_id: 'x',
        client_secret: 'x',
        webhook_secret: WEBHOOK_SECRET,
        pem: PRIVATE_KEY,
      });
    },
  },
  {
    method: 'GET',
    template: '/app/installations',
    needs: 'app',
    handle: () => ok([installationShape()]),
  },
  {
    method: 'GET',
    template: `${REPO}/installation`,
    needs: 'app',
    handle: ({ repository }) => {
      if (repository.id === 0) throw new Refusal(404, 'Not Found');
      return ok(installationShape());
    },
  },
  {
    method: 'POST',
    template: '/app/installations/{installation_id}/access_tokens',
    needs: 'app',
    handle: ({ world, body }) => {
      // Longer than tokens used to be, and of no fixed shape.
      const token = `ghs_${randomBytes(60).toString('base64url')}`;
      const expires = now(world) + HOUR;
      const asked: unknown = body['permissions'];
      const permissions =
        typeof asked === 'object' && asked !== null
          ? Object.fromEntries(Object.entries(asked).map(([key, level]) => [key, String(level)]))
          : PERMISSIONS;
      const beyond = Object.entries(permissions).some(
        ([key, level]) => PERMISSIONS[key] !== 'write' && PERMISSIONS[key] !== level,
      );
      if (beyond) {
        throw new Refusal(422, 'The permissions requested are not granted to this installation.');
      }
      const repositories = repositoriesOf(world, body);
      world.tokens.set(token, { token, expires, permissions, repositories });
      return created({
        token,
        expires_at: `${new Date(expires).toISOString().slice(0, 19)}Z`,
        permissions,
        repository_selection: repositories === null ? 'all' : 'selected',
        ...(repositories === null
          ? {}
          : {
              repositories: [...world.repositories.values()]
                .filter(({ name }) => repositories.includes(name))
                .map(repositoryShape),
            }),
      });
    },
  },
  {
    method: 'GET',
    template: '/installation/repositories',
    needs: ['metadata', 'read'],
    handle: ({ world, query }) => {
      const all = [...world.repositories.values()];
      return ok({
        total_count: all.length,
        repositories: page(all, query).map(repositoryShape),
      });
    },
  },
  {
    method: 'GET',
    template: '/app/hook/deliveries',
    needs: 'app',
    handle: ({ world, query }) => {
      const base = githubContract().examples('hook-delivery-items')[0];
      const status = query.get('status');
      const found = world.deliveries
        .filter((each) => status !== 'failure' || each.status < 200 || each.status >= 400)
        .toReversed();
      // By cursor and not by page: what comes meanwhile must not move what is asked for.
      const size = Number(query.get('per_page') ?? 30);
      const from = Math.max(
        0,
        found.findIndex(({ id }) => `c${id}` === query.get('cursor')),
      );
      const next = found[from + size];
      const link = `<https://api.github.com/app/hook/deliveries?per_page=${size}&cursor=c${next?.id}>; rel="next"`;
      const answer = ok(
        found.slice(from, from + size).map((each) => ({
          ...base,
          id: each.id,
          guid: each.guid,
          delivered_at: each.at,
          redelivery: each.redelivery,
          status: each.status === 200 ? 'OK' : 'failed',
          status_code: each.status,
          event: each.event,
          action: typeof each.payload['action'] === 'string' ? each.payload['action'] : null,
          installation_id: APP.installation,
        })),
      );
      return next === undefined ? answer : { ...answer, headers: { link } };
    },
  },
  {
    method: 'POST',
    template: '/app/hook/deliveries/{delivery_id}/attempts',
    needs: 'app',
    handle: ({ world, path, emit }) => {
      const found = world.deliveries.find(({ id }) => String(id) === path['delivery_id']);
      if (found === undefined) throw new Refusal(422, 'no such delivery');
      emit('redeliver', { delivery: found.id });
      return { status: 202, body: {} };
    },
  },
  {
    method: 'POST',
    template: `${REPO}/dispatches`,
    needs: ['contents', 'write'],
    handle: ({ repository, body, emit }) => {
      const given: unknown = body['client_payload'];
      const payload: Record<string, unknown> =
        typeof given === 'object' && given !== null ? { ...given } : {};
      const size = Buffer.byteLength(JSON.stringify(payload));
      if (Object.keys(payload).length > 10 || size > 65_535) {
        throw new Refusal(422, 'No more than 10 properties are allowed; less than 64KB');
      }
      const event = text(body['event_type']);
      repository.dispatches.push({ event, payload });
      emit('dispatched', { event });
      return { status: 204 };
    },
  },
  {
    method: 'GET',
    template: `${REPO}/actions/runs`,
    needs: ['actions', 'read'],
    handle: ({ repository, query }) => {
      const since = (query.get('created') ?? '').replace('>=', '');
      const found = repository.runs
        .filter(({ event }) => query.get('event') === null || event === query.get('event'))
        .filter(({ createdAt }) => since === '' || createdAt >= since)
        .toReversed();
      return ok({
        total_count: found.length,
        workflow_runs: page(found, query).map((run) => runShape(repository, run)),
      });
    },
  },
  {
    method: 'GET',
    template: REPO,
    needs: ['metadata', 'read'],
    handle: ({ repository }) => ok(repositoryShape(repository)),
  },
  {
    method: 'GET',
    template: `${REPO}/collaborators/{username}/permission`,
    needs: ['metadata', 'read'],
    handle: ({ repository, path }) => {
      const login = path['username'] ?? '';
      const role = repository.roles.get(login) ?? 'none';
      const shape = githubContract().example(
        'repository-collaborator-permission-response-if-user-has-admin-permissions',
      );
      return ok({
        ...shape,
        permission: BUILT_IN[role] ?? 'read',
        role_name: role,
        user: { ...userShape(login), role_name: role },
      });
    },
  },
  {
    method: 'GET',
    template: '/orgs/{org}/teams/{team_slug}/memberships/{username}',
    needs: ['members', 'read'],
    handle: ({ world, path }) => {
      const members = world.teams.get(`${path['org']}/${path['team_slug']}`);
      if (members?.has(path['username'] ?? '') !== true) throw new Refusal(404, 'Not Found');
      return ok({ url: 'https://api.github.com/teams/1', role: 'member', state: 'active' });
    },
  },
];

/** Names of the repositories that a token is asked for; null: all of the installation. */
function repositoriesOf(world: World, body: Readonly<Record<string, unknown>>): string[] | null {
  const { repositories: names, repository_ids: ids } = body;
  if (names === undefined && ids === undefined) return null;
  const found = [...world.repositories.values()].filter(
    ({ id, name }) =>
      (Array.isArray(names) && names.includes(name)) || (Array.isArray(ids) && ids.includes(id)),
  );
  const asked = [names, ids].flatMap((each) => (Array.isArray(each) ? each : []));
  if (found.length < asked.length) {
    throw new Refusal(
      422,
      'There is at least one repository that does not exist or is not accessible.',
    );
  }
  return found.map(({ name }) => name);
}

/** What every role comes down to in `permission`. */
const BUILT_IN: Readonly<Record<string, string>> = {
  none: 'none',
  read: 'read',
  triage: 'read',
  write: 'write',
  maintain: 'write',
  admin: 'admin',
};
