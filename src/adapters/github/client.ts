/** A client that acts as the App on one repository, for as long as a job lasts. */
import { Octokit } from '@octokit/core';
import { retry } from '@octokit/plugin-retry';
import { throttling } from '@octokit/plugin-throttling';
import type { RepositoryName } from '../../ports/github.ts';
import type { Client, Connection } from './call.ts';
import { isStatus } from './errors.ts';
import type { Permissions } from './permissions.ts';
import { freshTokens } from './tokens.ts';
import type { Mint } from './tokens.ts';

/** How to speak to GitHub's API. */
export interface Transport {
  readonly baseUrl: string;
  /** Waits between writes as GitHub asks for; false only where a test counts on speed. */
  readonly throttle: boolean;
  /** Milliseconds that a second of waiting takes: 1,000. */
  readonly second: number;
  /** Milliseconds after which a request that was not answered is given up. */
  readonly timeout: number;
  readonly onWarning: (message: string) => void;
}

const RETRIES = 3;
const Base = Octokit.plugin(retry, throttling);

/**
 * Opens a repository as the App. Tokens are for it alone, and are minted again before their hour
 * ends, and once where GitHub says that one does not hold any more.
 */
export async function connectAsApp(
  mint: Mint,
  name: RepositoryName,
  permissions: Permissions,
  transport: Transport,
): Promise<Connection> {
  const tokens = freshTokens(() => mint(name, permissions));
  const client = plainClient(transport);
  client.hook.wrap('request', async (request, options) => {
    const { token } = await tokens.current();
    // Hooks see one object of options and none of what an outer hook passes on: it is changed in place.
    options.headers['authorization'] = `token ${token}`;
    try {
      return await request(options);
    } catch (error) {
      if (!isStatus(error, 401)) throw error;
      options.headers['authorization'] = `token ${(await tokens.another(token)).token}`;
      return request(options);
    }
  });
  const { app } = await tokens.current();
  return { client, name, appId: app.id, slug: app.slug };
}

/** A client that nobody is behind yet. */
export function plainClient({
  baseUrl,
  throttle,
  second,
  timeout,
  onWarning,
}: Transport): Octokit & Client {
  const again = (kind: string) => (after: number, options: unknown, _: unknown, count: number) => {
    onWarning(`GitHub asks to wait ${after} s (${kind}).`);
    void options;
    return count < RETRIES;
  };
  return new Base({
    baseUrl,
    userAgent: 'sprocket',
    request: { fetch: fetchWithin(timeout) },
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

/** Octokit itself waits for as long as the other side keeps the line open. */
function fetchWithin(timeout: number): typeof fetch {
  return (input, init) => {
    const limit = AbortSignal.timeout(timeout);
    const signal = init?.signal ? AbortSignal.any([init.signal, limit]) : limit;
    return fetch(input, { ...init, signal });
  };
}

function ignore(): void {
  // Every single request is of no interest in a job's log.
}
