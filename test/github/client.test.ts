import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Connection } from '../../src/adapters/github/call.ts';
import { mintWithKey } from '../../src/adapters/github/app-key.ts';
import { connectAsApp } from '../../src/adapters/github/client.ts';
import type { Transport } from '../../src/adapters/github/client.ts';
import { MIGRATION_PERMISSIONS } from '../../src/adapters/github/permissions.ts';
import { openGitHub } from '../../src/adapters/github/github.ts';
import type { CheckContent } from '../../src/core/checkrun/types.ts';
import { GitHubError } from '../../src/ports/github.ts';
import { PRIVATE_KEY } from './auth.ts';
import { GitHubDouble } from './double.ts';
import { APP } from './state.ts';
import type { RepositoryState } from './state.ts';

let double: GitHubDouble;
let repository: RepositoryState;
let connection: Connection;
const KEY = { appId: String(APP.id), privateKey: PRIVATE_KEY };
const MIGRATION = { owner: 'acme', repo: 'migration' };

beforeAll(async () => {
  double = await GitHubDouble.start();
  repository = double.addRepository('acme', 'migration', { 'a.txt': 'a', 'models/b.sql': 'b' });
  double.addRepository('acme', 'other', { 'a.txt': 'secret' });
  connection = await connectAsApp(
    mintWithKey({ ...KEY, privateKey: KEY.privateKey.replaceAll('\n', '\\n') }, transport()),
    MIGRATION,
    MIGRATION_PERMISSIONS,
    transport(),
  );
});
afterAll(() => double.stop());
afterEach(() => {
  double.rates.forget();
  double.faults.splice(0);
  expect(double.violations.splice(0)).toEqual([]);
});

function transport(): Transport {
  return {
    baseUrl: double.url,
    throttle: true,
    second: 5,
    timeout: 10_000,
    onWarning: () => undefined,
  };
}

const content: CheckContent = {
  state: { status: 'in_progress' },
  title: 'Running',
  summary: 'text',
  text: null,
  annotations: [],
  buttons: [],
  detailsUrl: null,
};

function main(): string {
  return repository.git.resolve('main') ?? '';
}

describe('a token', () => {
  test('is for one repository alone', async () => {
    const other = openGitHub({ ...connection, name: { owner: 'acme', repo: 'other' } });
    await expect(other.repository()).rejects.toMatchObject({ code: 'not-found', status: 404 });
  });

  test('that does not hold any more is minted again within the job', async () => {
    const before = double.world.tokens.size;
    double.world.tokens.clear();
    await openGitHub(connection).repository();
    expect(double.world.tokens.size).toBe(1);
    expect(before).toBeGreaterThan(0);
  });

  test('has no permission that the job does not need', () => {
    const [token] = double.world.tokens.values();
    expect(token?.permissions).toEqual(MIGRATION_PERMISSIONS);
    expect(token?.repositories).toEqual(['migration']);
  });

  test('is never longer in use than it holds, for six hours', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const before = double.requests.length;
      // Waits between writes count on a clock that goes by itself.
      const calm = { ...transport(), throttle: false };
      const mint = mintWithKey(KEY, calm);
      const job = await connectAsApp(mint, MIGRATION, MIGRATION_PERMISSIONS, calm);
      for (let minute = 0; minute < 360; minute += 10) {
        await openGitHub(job).repository();
        vi.advanceTimersByTime(10 * 60_000);
      }
      const made = double.requests.slice(before);
      expect(made.filter(({ status }) => status >= 400)).toEqual([]);
      const minted = made.filter(({ template }) => template.endsWith('/access_tokens'));
      expect(minted.length).toBeGreaterThanOrEqual(6);
      expect(minted.length).toBeLessThanOrEqual(8);
    } finally {
      vi.useRealTimers();
    }
  });

  test('is minted once for requests side by side', async () => {
    double.world.tokens.clear();
    const github = openGitHub(connection);
    await Promise.all(Array.from({ length: 8 }, () => github.repository()));
    expect(double.world.tokens.size).toBe(1);
  });
});

describe('a key', () => {
  const other = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  }).privateKey;
  const bad: readonly (readonly [string, { appId?: string; privateKey?: string }, string])[] = [
    ['no number', { appId: 'Iv1.abc' }, 'app-id is no number.'],
    ['no key', { privateKey: 'hunter2' }, 'private-key is no private key (PEM).'],
    [
      'a cut key',
      { privateKey: PRIVATE_KEY.slice(0, 300) },
      'private-key is no private key (PEM).',
    ],
    ["another App's key", { privateKey: other }, "app-id and private-key don't belong together"],
  ];
  test.each(bad)('%s is told from others, and not shown', async (_what, change, message) => {
    const connecting = (async () => {
      const mint = mintWithKey({ ...KEY, ...change }, transport());
      await connectAsApp(mint, MIGRATION, MIGRATION_PERMISSIONS, transport());
    })();
    const error: unknown = await connecting.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(GitHubError);
    expect(String(error)).toContain(message);
    expect(String(error)).not.toContain('hunter2');
  });
});

test('a request that is not answered in time is asked again', async () => {
  let asked = 0;
  const silent = createServer((_request, response) => {
    asked += 1;
    if (asked > 1) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ id: 7, default_branch: 'main', html_url: 'https://x' }));
    }
  });
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  const address = silent.address();
  const port = typeof address === 'object' ? address?.port : null;
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const mint = () => Promise.resolve({ token: 't', expiresAt, app: { id: 1, slug: 's' } });
  const { client } = await connectAsApp(mint, MIGRATION, MIGRATION_PERMISSIONS, {
    ...transport(),
    baseUrl: `http://127.0.0.1:${port}`,
    timeout: 1_000,
  });
  const facts = await openGitHub({ ...connection, client }).repository();
  expect(facts.id).toBe(7);
  expect(asked).toBe(2);
  silent.closeAllConnections();
  silent.close();
});

describe('files', () => {
  test('of several commits come in one request, also the large and the odd ones', async () => {
    const github = openGitHub(connection);
    const first = main();
    const large = 'ä'.repeat(400_000);
    repository.git.commit('main', { 'a.txt': large, 'empty.txt': '', 'zero.bin': 'a\0b' }, 'More');
    const before = double.requests.length;
    const wanted = [
      { commit: first, path: 'a.txt' },
      { commit: 'HEAD', path: 'empty.txt' },
      { commit: 'main', path: 'models/b.sql' },
      { commit: 'main', path: 'models' },
      { commit: 'main', path: 'gone.txt' },
      { commit: 'gone', path: 'a.txt' },
    ];
    const found = await github.files(wanted);
    expect(found.map((file) => file?.text)).toEqual([
      'a',
      '',
      'b',
      undefined,
      undefined,
      undefined,
    ]);
    expect(found[0]?.blob).toBe(repository.git.blobOf(first, 'a.txt'));
    expect(double.requests.length - before).toBe(1);
    const rest = await github.files([
      { commit: 'HEAD', path: 'a.txt' },
      { commit: 'HEAD', path: 'zero.bin' },
    ]);
    expect(rest.map((file) => file?.text)).toEqual([large, 'a\0b']);
  });

  test('that may not be read are told from those that are not there', async () => {
    const other = openGitHub({ ...connection, name: { owner: 'acme', repo: 'other' } });
    await expect(other.files([{ commit: 'HEAD', path: 'a.txt' }])).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('Could not resolve'),
    });
    const narrow = await connectAsApp(
      mintWithKey(KEY, transport()),
      MIGRATION,
      { checks: 'write' },
      transport(),
    );
    const blind = openGitHub(narrow).files([{ commit: 'HEAD', path: 'a.txt' }]);
    await expect(blind).rejects.toMatchObject({ code: 'forbidden' });
  });
});

describe('a check run', () => {
  test('of another App can not be changed', async () => {
    const github = openGitHub(connection);
    const made = await github.createCheck(main(), 'plan:x', content);
    const state = repository.checks.get(made.id);
    if (state === undefined) throw new Error('no check run');
    repository.checks.set(made.id, { ...state, appId: 1 });
    await expect(github.updateCheck(made.id, content)).rejects.toMatchObject({ status: 403 });
  });

  test('takes more annotations than one request holds', async () => {
    const github = openGitHub(connection);
    const annotations = Array.from({ length: 120 }, (_, at) => ({
      path: 'plan.md',
      startLine: at + 1,
      endLine: at + 1,
      level: 'failure' as const,
      title: 'x',
      message: 'y',
    }));
    const made = await github.createCheck(main(), 'plan:y', { ...content, annotations });
    expect(repository.checks.get(made.id)?.annotations).toHaveLength(120);
  });
});

describe('a dispatch', () => {
  test('past the limits is refused before it is sent', async () => {
    const github = openGitHub(connection);
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`p${at}`, at]));
    await expect(github.dispatch('x', many)).rejects.toMatchObject({ code: 'invalid' });
    await expect(github.dispatch('x', { a: 'x'.repeat(65_600) })).rejects.toMatchObject({
      code: 'invalid',
    });
    await expect(github.dispatch('x'.repeat(101), {})).rejects.toMatchObject({ code: 'invalid' });
    expect(repository.dispatches).toEqual([]);
  });
});
