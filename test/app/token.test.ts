/** What the App gives a job that proves where it runs, and what it gives nobody. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mintByServer, tokenAnswer } from '../../src/adapters/github/app-server.ts';
import { connectAsApp } from '../../src/adapters/github/client.ts';
import { openGitHub } from '../../src/adapters/github/github.ts';
import {
  MIGRATION_PERMISSIONS,
  PRODUCTION_PERMISSIONS,
} from '../../src/adapters/github/permissions.ts';
import { planText } from '../core/checkrun/plans.ts';
import { claimsOf, startIssuer } from '../github/oidc.ts';
import type { JobClaims, OidcIssuer } from '../github/oidc.ts';
import * as people from '../github/people.ts';
import type { RepositoryState } from '../github/state.ts';
import { startStage } from './harness.ts';
import type { Stage } from './harness.ts';

const PLAN = planText([{ name: 'dw.load()' }]).replace(
  'url: TARGET_DATABASE_URL }',
  'url: TARGET_DATABASE_URL }\nproduction: { repository: acme/analytics }',
);
const ALL = { ...MIGRATION_PERMISSIONS };

let issuer: OidcIssuer;
let stage: Stage;
let migration: RepositoryState;
let claims: JobClaims;
/** Where the App is reached: what jobs' tokens are meant for. */
let appUrl = '';

beforeAll(async () => {
  issuer = await startIssuer();
  stage = await startStage({ oidcIssuer: issuer.url });
  migration = stage.double.addRepository('acme', 'migration', { 'plan.md': PLAN });
  stage.double.addRepository('acme', 'analytics', { 'README.md': 'dbt' });
  stage.double.addRepository('acme', 'payroll', { 'README.md': 'secret' });
  claims = claimsOf(migration);
  appUrl = `http://127.0.0.1:${stage.app.port}`;
});

afterAll(async () => {
  await stage.close();
  await issuer.close();
  expect(stage.double.violations).toEqual([]);
});

async function ask(token: string | null, body: unknown = own()) {
  const response = await fetch(`${appUrl}/token`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
  });
  return { status: response.status, text: await response.text() };
}

function own() {
  return { repository: 'acme/migration', permissions: ALL };
}

/** What the double knows of the token in an answer. */
function given(text: string) {
  const { token, app } = tokenAnswer.parse(JSON.parse(text));
  return { app, ...stage.double.world.tokens.get(token) };
}

/** The hour of the jobs' tokens is over; the App's own, which may add workflows, go on. */
function forgetJobs(): void {
  const { tokens } = stage.double.world;
  for (const [token, { permissions }] of tokens) {
    if (permissions['workflows'] === undefined) tokens.delete(token);
  }
}

test('a job of the workflow gets a token for its repository, with what it asks for', async () => {
  const { status, text } = await ask(await issuer.sign(claims, appUrl), {
    repository: 'ACME/migration',
    permissions: { checks: 'write', contents: 'read' },
  });
  expect(status).toBe(200);
  expect(given(text)).toMatchObject({
    app: { id: 4242, slug: 'sprocket-test' },
    repositories: ['migration'],
    permissions: { checks: 'write', contents: 'read' },
  });
});

test('the production repository of the plan, with what a pull request takes', async () => {
  const { status, text } = await ask(await issuer.sign(claims, appUrl), {
    repository: 'acme/analytics',
    permissions: ALL,
  });
  expect(status).toBe(200);
  expect(given(text)).toMatchObject({
    repositories: ['analytics'],
    permissions: PRODUCTION_PERMISSIONS,
  });
});

test('a token costs GitHub one request, and one for the production repository three', async () => {
  const oidc = await issuer.sign(claims, appUrl);
  // The App's own look at its start is over then.
  await stage.app.reconcile();
  const cost = async (body: unknown) => {
    stage.double.requests.splice(0);
    await ask(oidc, body);
    return stage.double.requests.length;
  };
  await cost(own());
  expect(await cost(own())).toBe(1);
  expect(await cost({ repository: 'acme/analytics', permissions: ALL })).toBe(3);
});

test('an installation that is another one by now is looked up again', async () => {
  const oidc = await issuer.sign(claims, appUrl);
  expect((await ask(oidc)).status).toBe(200);
  stage.double.faults.push({
    method: 'POST',
    path: /access_tokens$/u,
    answer: { status: 404, message: 'Not Found' },
  });
  expect((await ask(oidc)).status).toBe(200);
});

test('the App gives nothing that is not asked for, and never `workflows`', async () => {
  const { status, text } = await ask(await issuer.sign(claims, appUrl), {
    repository: 'acme/migration',
    permissions: { workflows: 'write' },
  });
  expect({ status, text }).toMatchObject({ status: 400 });
});

type TokenChange = Parameters<OidcIssuer['sign']>[2] & { readonly audience?: string };

describe('nothing is given', () => {
  const pushed = (change: Partial<JobClaims>): Partial<JobClaims> => change;
  const other = 'acme/migration/.github/workflows/other.yml@refs/heads/main';
  const branch = 'acme/migration/.github/workflows/sprocket.yml@refs/heads/mine';
  test.each([
    [
      'another branch',
      pushed({ ref: 'refs/heads/mine', workflow_ref: branch, job_workflow_ref: branch }),
    ],
    ['another workflow', pushed({ workflow_ref: other, job_workflow_ref: other })],
    [
      'a reusable workflow of others',
      pushed({ job_workflow_ref: 'evil/x/.github/workflows/x.yml@refs/heads/main' }),
    ],
    ['a pull request', pushed({ event_name: 'pull_request_target' })],
    ['a repository that took the name', pushed({ repository_id: '1' })],
  ])('to %s', async (_what, change) => {
    const { status, text } = await ask(await issuer.sign({ ...claims, ...change }, appUrl));
    expect({ status, text }).toMatchObject({ status: 403 });
    expect(text).toContain('advice');
  });

  test.each([
    ['for another App', { audience: 'https://other.example' }],
    ['of another issuer', { issuer: 'https://evil.example' }],
    ['with another key', { by: 'stranger' }],
    ['that is too old', { age: 3_600 }],
  ] as const)('for an OIDC token %s', async (_what, change) => {
    const { audience = appUrl, ...rest }: TokenChange = change;
    const { status } = await ask(await issuer.sign(claims, audience, rest));
    expect(status).toBe(401);
  });

  test.each([[null], ['x'], ['eyJhbGciOiJub25lIn0.e30.']])('for %s in its place', async (token) => {
    expect((await ask(token)).status).toBe(401);
  });

  test.each([
    ['acme/payroll', 403],
    ['evil/analytics', 403],
  ])('for %s, which no plan names', async (repository, expected) => {
    const token = await issuer.sign(claims, appUrl);
    expect((await ask(token, { repository, permissions: ALL })).status).toBe(expected);
  });

  test.each(['', '{', '{"repository":"acme/../x","permissions":{}}', 'x'.repeat(5_000)])(
    'for a request that is none',
    async (body) => {
      expect((await ask(await issuer.sign(claims, appUrl), body)).status).toBe(400);
    },
  );

  test('for a production repository that the installation does not cover', async () => {
    people.push(stage.double, migration, {
      'plan.md': PLAN.replace('acme/analytics', 'acme/nowhere'),
    });
    const { status, text } = await ask(await issuer.sign(claims, appUrl), {
      repository: 'acme/nowhere',
      permissions: ALL,
    });
    people.push(stage.double, migration, { 'plan.md': PLAN });
    expect(status).toBe(404);
    expect(text).toContain('not installed on acme/nowhere');
  });

  test('to where the App is not installed', async () => {
    const elsewhere = claimsOf({ owner: 'acme', name: 'gone', id: 5 });
    const { status, text } = await ask(await issuer.sign(elsewhere, appUrl));
    expect(status).toBe(404);
    expect(text).toContain('not installed on acme/gone');
  });
});

test('no token and no OIDC token is ever logged', async () => {
  const oidc = await issuer.sign(claims, appUrl);
  const { text } = await ask(oidc);
  const { token } = tokenAnswer.parse(JSON.parse(text));
  const log = JSON.stringify(stage.log);
  expect(log).toContain('token given');
  expect(log).not.toContain(token);
  expect(log).not.toContain(oidc.split('.')[2]);
});

test("the Action's half asks anew when a token is over", async () => {
  const transport = {
    baseUrl: stage.double.url,
    throttle: false,
    second: 5,
    timeout: 10_000,
    onWarning: () => undefined,
  };
  const mint = mintByServer({
    url: appUrl,
    idToken: (audience) => issuer.sign(claims, audience),
    second: 5,
  });
  const connection = await connectAsApp(mint, { owner: 'acme', repo: 'migration' }, ALL, transport);
  expect(connection).toMatchObject({ appId: 4242, slug: 'sprocket-test' });
  const github = openGitHub(connection);
  await github.repository();
  forgetJobs();
  expect(await github.repository()).toMatchObject({ defaultBranch: 'main' });
  await stage.restart();
  forgetJobs();
  await expect(github.repository()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('does not answer'),
  });
});

test.each(['http://sprocket.example', 'sprocket.example', 'ftp://x'])('%s is no address', (url) => {
  expect(() => mintByServer({ url, idToken: () => Promise.resolve(''), second: 1 })).toThrow(
    'app-url is no https address.',
  );
});
