/** The App as a process: started, killed, started again, and made in a browser the first time. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { WEBHOOK_PATH } from '../../app/setup.ts';
import { planText } from '../core/checkrun/plans.ts';
import { PRIVATE_KEY } from '../github/auth.ts';
import { GitHubDouble } from '../github/double.ts';
import * as people from '../github/people.ts';
import { MANIFEST_CODE } from '../github/routes/app.ts';
import { APP, WEBHOOK_SECRET } from '../github/state.ts';

const MAIN = join(import.meta.dirname, '../../app/main.ts');
const PLAN = planText([{ name: 'dw.load_a()' }]);

let double: GitHubDouble;
let folder = '';
const children: ChildProcess[] = [];

beforeAll(async () => {
  double = await GitHubDouble.start();
});
afterAll(() => double.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sprocket-app-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  double.webhookUrl = null;
  await rm(folder, { recursive: true, force: true });
  expect(double.violations.splice(0)).toEqual([]);
});

interface Started {
  readonly child: ChildProcess;
  readonly log: () => string;
  readonly url: string;
}

async function start(environment: Record<string, string>): Promise<Started> {
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOST: '127.0.0.1',
      PORT: String(port),
      GITHUB_API_URL: double.url,
      SPROCKET_TEST_SPEED: '1',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  }
  return { child, log: () => log, url: `http://127.0.0.1:${port}` };
}

const APP_KEYS = {
  APP_ID: String(APP.id),
  PRIVATE_KEY: PRIVATE_KEY.replaceAll('\n', String.raw`\n`),
  WEBHOOK_SECRET,
};

async function answers(url: string): Promise<unknown> {
  return vi.waitFor(async () => (await fetch(`${url}/health`)).json(), {
    timeout: 60_000,
    interval: 100,
  });
}

/** A running App that gets the webhooks. */
async function running(): Promise<Started> {
  const started = await start(APP_KEYS);
  // Before it is up: what was answered and not done is asked for again as its first act.
  double.webhookUrl = `${started.url}${WEBHOOK_PATH}`;
  expect(await answers(started.url)).toMatchObject({ status: 'ok' });
  return started;
}

describe('without what it needs', () => {
  test.each([
    [{ ...APP_KEYS, WEBHOOK_SECRET: '' }, 'WEBHOOK_SECRET is not set'],
    [{ ...APP_KEYS, PRIVATE_KEY: '' }, 'Set both APP_ID and PRIVATE_KEY'],
    [{ ...APP_KEYS, APP_ID: '1' }, 'does not know App 1 by this key'],
  ])('it does not start, and says why (%#)', async (environment, message) => {
    const { child, log } = await start(environment);
    await once(child, 'close');
    expect(child.exitCode).toBe(1);
    expect(log()).toContain(message);
    expect(log()).not.toContain('    at ');
  });
});

describe('where there is no App yet', () => {
  test('a browser makes it, and the server goes on as that App', async () => {
    const { url, log } = await start({ APP_URL: 'https://sprocket.example.org/' });
    expect(await answers(url)).toEqual({ status: 'setup' });
    const html = await (await fetch(url)).text();
    const [, action = ''] = /action="([^"]*)"/u.exec(html) ?? [];
    const [, manifest = ''] = /name="manifest" value="([^"]*)"/u.exec(html) ?? [];
    expect(action).toMatch(/\/settings\/apps\/new\?state=[0-9a-f]{32}$/u);
    expect(JSON.parse(manifest.replaceAll('&#34;', '"'))).toMatchObject({
      hook_attributes: { url: `https://sprocket.example.org${WEBHOOK_PATH}` },
      redirect_url: 'https://sprocket.example.org/setup',
      public: false,
      default_permissions: { checks: 'write', contents: 'write' },
    });
    const state = new URL(action).searchParams.get('state') ?? '';
    const back = (query: string) => fetch(`${url}/setup?${query}`);
    expect((await back(`code=${MANIFEST_CODE}&state=wrong`)).status).toBe(400);
    expect((await back(`code=wrong&state=${state}`)).status).toBe(500);
    const done = await back(`code=${MANIFEST_CODE}&state=${state}`);
    expect(await done.text()).toContain('/installations/new');
    await vi.waitFor(async () => expect(await answers(url)).toMatchObject({ status: 'ok' }), {
      timeout: 60_000,
    });
    expect(await readFile(join(folder, '.env'), 'utf8')).toContain(`APP_ID=${APP.id}\n`);
    expect((await stat(join(folder, '.env'))).mode & 0o777).toBe(0o600);
    expect(log()).not.toContain('PRIVATE KEY');
    expect(log()).not.toContain(WEBHOOK_SECRET);
  });
});

describe('an App that ends in the middle of something', () => {
  const LINES = /"delivery":"[0-9a-f-]{36}","event":"push","repository":"acme\/[a-z]+".*"outcome"/u;

  test('killed: the next one asks again for what was answered and not done', async () => {
    const repository = double.addRepository('acme', 'killed', { 'README.md': 'hello' });
    const first = await running();
    const held = Promise.withResolvers<void>();
    double.answering = held.promise;
    people.push(double, repository, { 'plan.md': PLAN });
    await double.settled();
    expect(double.world.deliveries.at(-1)?.status).toBe(200);
    first.child.kill('SIGKILL');
    await once(first.child, 'close');
    double.answering = Promise.resolve();
    held.resolve();
    expect(repository.dispatches).toEqual([]);
    const second = await running();
    await vi.waitUntil(() => repository.dispatches.length > 0, 60_000);
    await vi.waitUntil(() => LINES.test(second.log()), 60_000);
    expect(repository.dispatches).toHaveLength(1);
    expect(repository.checks.size).toBe(1);
    expect(repository.issues.size).toBe(1);
  });

  test('told to stop: it does what it has taken first', async () => {
    const repository = double.addRepository('acme', 'stopped', { 'README.md': 'hello' });
    const { child, log } = await running();
    const held = Promise.withResolvers<void>();
    double.answering = held.promise;
    people.push(double, repository, { 'plan.md': PLAN });
    await double.settled();
    child.kill('SIGTERM');
    await vi.waitUntil(() => log().includes('stopping'), 20_000);
    double.answering = Promise.resolve();
    held.resolve();
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
    expect(repository.dispatches).toHaveLength(1);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === 'object' && address !== null ? address.port : 0),
      );
    });
  });
}
