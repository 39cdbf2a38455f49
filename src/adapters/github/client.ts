/** A client that acts as the App on some repositories, for as long as a job lasts. */
import { createAppAuth } from '@octokit/auth-app';
import { Octokit } from '@octokit/core';
import { retry } from '@octokit/plugin-retry';
import { throttling } from '@octokit/plugin-throttling';
import { z } from 'zod';
import { GitHubError } from '../../ports/github.ts';
import type { RepositoryName } from '../../ports/github.ts';
import { call } from './call.ts';
import type { Client, Connection } from './call.ts';
import { isStatus } from './errors.ts';

export interface AppIdentity {
  readonly appId: string;
  /** PEM; line breaks may be written as `\n`, as many secret stores do. */
  readonly privateKey: string;
  /** Of GitHub's API. */
  readonly baseUrl: string;
  /** Waits between writes as GitHub asks for; false only where a test counts on speed. */
  readonly throttle: boolean;
  /** Milliseconds that a second of waiting takes: 1,000. */
  readonly second: number;
  readonly onWarning: (message: string) => void;
}

/** Permissions that tokens are narrowed to: what the Action does, and nothing else. */
const PERMISSIONS = {
  actions: 'read',
  checks: 'write',
  contents: 'write',
  issues: 'write',
  members: 'read',
  metadata: 'read',
  pull_requests: 'write',
} as const;

const RETRIES = 3;
const Base = Octokit.plugin(retry, throttling);

/**
 * Opens a repository as the App. Tokens are for this repository alone and are minted again before
 * their hour ends, and once where GitHub says that one does not hold any more.
 */
export async function connectAsApp(
  identity: AppIdentity,
  name: RepositoryName,
): Promise<Connection> {
  const appId = Number(identity.appId);
  if (!Number.isInteger(appId) || appId <= 0) {
    throw new GitHubError(
      'invalid',
      0,
      'app-id is no number.',
      'Give the App ID that the page of the App shows.',
    );
  }
  const asApp = plain(identity);
  const auth = createAppAuth({
    appId,
    privateKey: identity.privateKey.replaceAll('\\n', '\n'),
    request: asApp.request,
  });
  // Hooks see one object of options and none of what an outer hook passes on: it is changed in place.
  asApp.hook.before('request', async (options) => {
    const { token } = await auth({ type: 'app' });
    options.headers['authorization'] = `bearer ${token}`;
  });
  const [app, installation] = [
    await call('read the App', () => asApp.request('GET /app')),
    await call(`find the App's installation on ${name.owner}/${name.repo}`, () =>
      asApp.request('GET /repos/{owner}/{repo}/installation', { ...name }),
    ),
  ];
  const client = plain(identity);
  const token = async (refresh: boolean): Promise<string> => {
    const minted = await auth({
      type: 'installation',
      installationId: Number(installation.id),
      repositoryNames: [name.repo],
      permissions: granted(installation.permissions),
      refresh,
    });
    return minted.token;
  };
  client.hook.wrap('request', async (request, options) => {
    options.headers['authorization'] = `token ${await token(false)}`;
    try {
      return await request(options);
    } catch (error) {
      if (!isStatus(error, 401)) throw error;
      options.headers['authorization'] = `token ${await token(true)}`;
      return request(options);
    }
  });
  return { client, name, appId, slug: app?.slug ?? '' };
}

/** Never more than the installation has: asking for more is refused as a whole. */
function granted(has: unknown): Record<string, 'read' | 'write'> {
  const known = z.record(z.string(), z.string()).catch({}).parse(has);
  return Object.fromEntries(
    Object.entries(PERMISSIONS).flatMap(([key, level]): [string, 'read' | 'write'][] => {
      const given = known[key];
      if (given === undefined) return [];
      return [[key, level === 'write' && given === 'write' ? 'write' : 'read']];
    }),
  );
}

function plain({ baseUrl, throttle, second, onWarning }: AppIdentity): Octokit & Client {
  const again = (kind: string) => (after: number, options: unknown, _: unknown, count: number) => {
    onWarning(`GitHub asks to wait ${after} s (${kind}).`);
    void options;
    return count < RETRIES;
  };
  return new Base({
    baseUrl,
    userAgent: 'sprocket',
    request: { timeout: 30_000 },
    retry: { retryAfterBaseValue: second },
    throttle: throttle
      ? {
          onRateLimit: again('rate limit'),
          onSecondaryRateLimit: again('secondary rate limit'),
          retryAfterBaseValue: second,
        }
      : { enabled: false },
    log: { debug: ignore, info: ignore, warn: onWarning, error: onWarning },
  });
}

function ignore(): void {
  // Every single request is of no interest in a job's log.
}
