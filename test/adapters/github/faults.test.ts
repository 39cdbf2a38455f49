/** Single requests to GitHub that do not go well. */
import nock from 'nock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectAsApp } from '../../../src/adapters/github/client.ts';
import { openGitHub } from '../../../src/adapters/github/github.ts';
import { MIGRATION_PERMISSIONS } from '../../../src/adapters/github/permissions.ts';
import { GitHubError } from '../../../src/ports/github.ts';
import type { GitHub } from '../../../src/ports/github.ts';

const API = 'https://api.github.com';
const NAME = { owner: 'acme', repo: 'migration' };
const PATH = '/repos/acme/migration';
const GOOD = { id: 7, default_branch: 'main', html_url: 'https://github.com/acme/migration' };
const SECONDARY = { message: 'You have exceeded a secondary rate limit.' };

let github: GitHub;
const warnings: string[] = [];

beforeAll(async () => {
  nock.disableNetConnect();
  const mint = () =>
    Promise.resolve({
      token: 'ghs_test',
      expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
      app: { id: 1, slug: 'sprocket' },
    });
  const connection = await connectAsApp(mint, NAME, MIGRATION_PERMISSIONS, {
    baseUrl: API,
    throttle: true,
    second: 2,
    timeout: 60_000,
    onWarning: (message) => warnings.push(message),
  });
  github = openGitHub(connection);
});
beforeEach(() => {
  warnings.splice(0);
});
afterEach(() => {
  const left = nock.pendingMocks();
  nock.cleanAll();
  expect(left).toEqual([]);
});
afterAll(() => {
  nock.enableNetConnect();
  nock.restore();
});

function once() {
  return nock(API).get(PATH);
}

async function failure(): Promise<unknown> {
  return github.repository().then(
    () => null,
    (error: unknown) => error,
  );
}

describe('is asked again', () => {
  test.each([
    ['500', 500, {}, {}],
    ['502', 502, {}, {}],
    ['503', 503, {}, {}],
    ['429 with retry-after', 429, SECONDARY, { 'retry-after': '1' }],
    ['429 that says nothing more', 429, {}, {}],
    ['403 with retry-after', 403, SECONDARY, { 'retry-after': '1' }],
    [
      '403 of a spent quota',
      403,
      { message: 'API rate limit exceeded' },
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' },
    ],
  ])('%s', async (_what, status, body, headers) => {
    once().reply(status, body, headers);
    once().reply(200, GOOD);
    expect(await github.repository()).toMatchObject({ id: 7, defaultBranch: 'main' });
  });

  test('a secondary limit without retry-after: after a minute', async () => {
    once().reply(403, SECONDARY);
    once().reply(200, GOOD);
    expect(await github.repository()).toMatchObject({ id: 7 });
    expect(warnings).toEqual(['GitHub asks to wait 60 s (secondary rate limit).']);
  });

  test.each(['ECONNRESET', 'ECONNREFUSED', 'EPIPE'])('%s', async (code) => {
    once().replyWithError(Object.assign(new Error(code), { code }));
    once().reply(200, GOOD);
    expect(await github.repository()).toMatchObject({ id: 7 });
  });
});

describe('is told', () => {
  test('502 after four tries', async () => {
    once().times(4).reply(502, { message: 'Bad gateway' });
    const error = await failure();
    expect(error).toBeInstanceOf(GitHubError);
    expect(error).toMatchObject({ code: 'unavailable', status: 502 });
  });

  test('a limit that does not end', async () => {
    let asked = 0;
    once()
      .times(100)
      .reply(() => {
        asked += 1;
        return [429, SECONDARY, { 'retry-after': '1' }];
      });
    expect(await failure()).toMatchObject({ code: 'rate-limited', status: 429 });
    expect(asked).toBeLessThan(20);
    nock.cleanAll();
  });

  test('403 for want of permission, at once, with what to do', async () => {
    once().reply(403, { message: 'Resource not accessible by integration' });
    expect(await failure()).toMatchObject({
      code: 'forbidden',
      status: 403,
      advice: expect.stringContaining('permissions of the App'),
    });
  });

  test.each([
    [404, 'not-found'],
    [410, 'not-found'],
    [451, 'not-found'],
    [422, 'invalid'],
  ])('%i, at once', async (status, code) => {
    once().reply(status, { message: 'no' });
    expect(await failure()).toMatchObject({ code, status });
  });

  test('401, after the token was minted anew once', async () => {
    once().times(2).reply(401, { message: 'Bad credentials' });
    expect(await failure()).toMatchObject({ code: 'forbidden', status: 401 });
  });

  test('an answer that is no JSON', async () => {
    once().times(4).reply(502, '<html>502</html>', { 'content-type': 'text/html' });
    expect(await failure()).toMatchObject({ code: 'unavailable' });
  });
});

test('a file past 1 MB comes as a blob', async () => {
  const text = 'x'.repeat(1_100_000);
  nock(API)
    .get(`${PATH}/contents/plan.md`)
    .query({ ref: 'main' })
    .reply(200, {
      type: 'file',
      sha: 'b'.repeat(40),
      size: text.length,
      content: '',
      encoding: 'none',
    })
    .get(`${PATH}/git/blobs/${'b'.repeat(40)}`)
    .reply(200, { content: Buffer.from(text).toString('base64'), encoding: 'base64' });
  expect((await github.file('main', 'plan.md'))?.text).toBe(text);
});
