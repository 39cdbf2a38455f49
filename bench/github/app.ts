/** The App as a process of its own, on the double of the tests. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PRIVATE_KEY } from '../../test/github/auth.ts';
import { GitHubDouble } from '../../test/github/double.ts';
import { startIssuer } from '../../test/github/oidc.ts';
import type { OidcIssuer } from '../../test/github/oidc.ts';
import { APP, WEBHOOK_SECRET } from '../../test/github/state.ts';

export const ROOT = join(import.meta.dirname, '../..');
const PORT = 3917;

export interface BenchedApp {
  readonly double: GitHubDouble;
  readonly issuer: OidcIssuer;
  readonly url: string;
  readonly webhookUrl: string;
  /** Deliveries that it has taken and not done. */
  waiting(): Promise<number>;
  /** Waits until it has done everything. */
  idle(): Promise<void>;
  /** Megabytes that it takes. */
  memory(): number;
  stop(): Promise<void>;
}

export async function startBenchedApp(): Promise<BenchedApp> {
  const double = await GitHubDouble.start();
  const issuer = await startIssuer();
  const url = `http://127.0.0.1:${PORT}`;
  const child = spawn(process.execPath, [join(ROOT, 'app/main.ts')], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOST: '127.0.0.1',
      PORT: String(PORT),
      LOG_LEVEL: 'warn',
      GITHUB_API_URL: double.url,
      APP_URL: url,
      OIDC_ISSUER: issuer.url,
      APP_ID: String(APP.id),
      PRIVATE_KEY,
      WEBHOOK_SECRET,
      SPROCKET_TEST_SPEED: '1',
    },
    cwd: '/',
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const waiting = async (): Promise<number> => (await health(url)) ?? 0;
  const benched: BenchedApp = {
    double,
    issuer,
    url,
    webhookUrl: `${url}/api/github/webhooks`,
    waiting,
    async idle() {
      while ((await waiting()) > 0) {
        double.rates.forget();
        await sleep(100);
      }
      await double.settled();
    },
    memory() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      return Math.round(Number(/VmRSS:\s+(\d+)/u.exec(status)?.[1] ?? 0) / 1024);
    },
    async stop() {
      child.kill('SIGKILL');
      await issuer.close();
      await double.stop();
    },
  };
  for (let tries = 0; tries < 300; tries += 1) {
    await sleep(100);
    if ((await health(url)) !== null) return benched;
  }
  await benched.stop();
  throw new Error('The App does not start.');
}

/** Null while it does not listen. */
async function health(url: string): Promise<number | null> {
  try {
    const response = await fetch(`${url}/health`);
    const answer: unknown = await response.json();
    return typeof answer === 'object' && answer !== null && 'waiting' in answer
      ? Number(answer.waiting)
      : null;
  } catch {
    return null;
  }
}
