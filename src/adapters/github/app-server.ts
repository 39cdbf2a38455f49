/** Tokens minted by a running App for a job that proves where it runs; the key stays with the App. */
import { z } from 'zod';
import { GitHubError } from '../../ports/github.ts';
import type { GitHubErrorCode } from '../../ports/github.ts';
import { LEVELS, PERMISSION_NAMES } from './permissions.ts';
import type { Mint } from './tokens.ts';

/** Where the App gives tokens, under its own address. */
export const TOKEN_PATH = '/token';

/** What a job asks for; its OIDC token says who asks. */
export const tokenRequest = z.object({
  /** `owner/name`. */
  repository: z
    .string()
    .regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/u)
    .refine((name) => !/\/\.{1,2}$/u.test(name)),
  permissions: z.partialRecord(z.enum(PERMISSION_NAMES), z.enum(LEVELS)),
});
export type TokenRequest = z.output<typeof tokenRequest>;

export const tokenAnswer = z.object({
  token: z.string().min(1),
  expires_at: z.iso.datetime({ offset: true }),
  app: z.object({ id: z.int().positive(), slug: z.string() }),
});
export type TokenAnswer = z.output<typeof tokenAnswer>;

export const tokenRefusal = z.object({ message: z.string(), advice: z.string() });
export type TokenRefusal = z.output<typeof tokenRefusal>;

export interface AppServer {
  /** Of the App, as `APP_URL` says there. */
  readonly url: string;
  /** GitHub's word for this job, meant for `audience`. */
  readonly idToken: (audience: string) => Promise<string>;
  /** Milliseconds that a second of waiting takes: 1,000. */
  readonly second: number;
}

const TRIES = 4;
const TIMEOUT = 30_000;

/** An address as both sides write it: the audience of the job's OIDC token. */
export function audienceOf(url: string): string {
  return url.replace(/\/+$/u, '');
}

export function mintByServer({ url, idToken, second }: AppServer): Mint {
  const audience = audienceOf(url);
  if (!isSafe(audience)) {
    throw new GitHubError(
      'invalid',
      0,
      'app-url is no https address.',
      'Give the address under which the App is reached, as APP_URL says there.',
    );
  }
  return async (name, permissions) => {
    const body = JSON.stringify({ repository: `${name.owner}/${name.repo}`, permissions });
    for (let attempt = 1; ; attempt += 1) {
      const response = await ask(`${audience}${TOKEN_PATH}`, await idToken(audience), body);
      if (response !== null && response.status < 500) return read(response);
      if (attempt === TRIES) {
        throw new GitHubError(
          'unavailable',
          response?.status ?? 0,
          `The App at ${audience} does not answer (${response?.status ?? 'no connection'}).`,
          'Look whether it runs and is reached from the runner: its /health must answer 200.',
        );
      }
      await wait(second * 2 ** attempt);
    }
  };
}

/** Null where no answer came. */
async function ask(url: string, token: string, body: string): Promise<Response | null> {
  try {
    return await fetch(url, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      // A redirect would carry the job's word to somebody else.
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT),
    });
  } catch {
    return null;
  }
}

async function read(response: Response) {
  const said: unknown = await response.json().catch(() => null);
  if (response.ok) {
    const answer = tokenAnswer.safeParse(said).data;
    if (answer !== undefined) {
      return { token: answer.token, expiresAt: answer.expires_at, app: answer.app };
    }
  }
  const refusal = tokenRefusal.safeParse(said).data ?? {
    message: 'its answer is none of Sprocket',
    advice: 'Check app-url.',
  };
  throw new GitHubError(
    codeOf(response.status),
    response.status,
    `The App gives no token: ${refusal.message} (${response.status}).`,
    refusal.advice,
  );
}

function codeOf(status: number): GitHubErrorCode {
  if (status === 404) return 'not-found';
  return status === 401 || status === 403 ? 'forbidden' : 'invalid';
}

/** Without TLS only where nobody can listen. */
function isSafe(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && hostname === '127.0.0.1');
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
