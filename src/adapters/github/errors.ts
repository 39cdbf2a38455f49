/** What GitHub's refusals mean. */
import { GitHubError } from '../../ports/github.ts';
import type { GitHubErrorCode } from '../../ports/github.ts';
import { z } from 'zod';

const failureSchema = z.object({
  status: z.number().default(0),
  message: z.string().default(''),
  response: z
    .object({
      headers: z.record(z.string(), z.union([z.string(), z.number()]).optional()).default({}),
      data: z.unknown(),
    })
    .partial()
    .optional(),
  /** Of GraphQL, which refuses with the status 200. */
  errors: z
    .array(z.object({ type: z.string().optional(), message: z.string() }))
    .min(1)
    .optional(),
});

const OF_GRAPHQL: Readonly<Record<string, GitHubErrorCode>> = {
  NOT_FOUND: 'not-found',
  FORBIDDEN: 'forbidden',
  INSUFFICIENT_SCOPES: 'forbidden',
  RATE_LIMITED: 'rate-limited',
};

const ADVICE: Readonly<Record<GitHubErrorCode, string>> = {
  'not-found':
    'Check the name, and that the App is installed on this repository with access to it.',
  forbidden:
    'Check the permissions of the App, and that its latest ones were accepted for this installation.',
  'rate-limited': 'Wait a few minutes; Sprocket goes on by itself.',
  conflict: 'Somebody changed it at the same moment; try again.',
  invalid: 'Look at what GitHub says is wrong with it.',
  unavailable: "Look at GitHub's status page; Sprocket tries again by itself.",
};

/** Gives the failure of a request as a `GitHubError`; `what` says what was wanted. */
export function githubError(error: unknown, what: string): Error {
  if (error instanceof GitHubError) return error;
  const parsed = failureSchema.safeParse(error);
  if (!parsed.success) return error instanceof Error ? error : new Error(String(error));
  const { status, message, response, errors } = parsed.data;
  const code =
    errors === undefined
      ? codeOf(status, message, response?.headers ?? {})
      : (OF_GRAPHQL[errors[0]?.type ?? ''] ?? 'invalid');
  const said = (errors?.[0]?.message ?? message).split('\n')[0]?.slice(0, 300) ?? '';
  return new GitHubError(code, status, `GitHub: ${what}: ${said} (${status}).`, ADVICE[code]);
}

function codeOf(
  status: number,
  message: string,
  headers: Readonly<Record<string, string | number | undefined>>,
): GitHubErrorCode {
  if (status === 429) return 'rate-limited';
  if (status === 403) {
    const spent = String(headers['x-ratelimit-remaining'] ?? '') === '0';
    const secondary =
      headers['retry-after'] !== undefined || /secondary rate|abuse/iu.test(message);
    return spent || secondary ? 'rate-limited' : 'forbidden';
  }
  if (status === 401) return 'forbidden';
  if (status === 404 || status === 410 || status === 451) return 'not-found';
  if (status === 405 || status === 409) return 'conflict';
  if (status === 0 || status >= 500) return 'unavailable';
  return 'invalid';
}

export function isStatus(error: unknown, ...statuses: readonly number[]): boolean {
  const parsed = failureSchema.safeParse(error);
  return parsed.success && statuses.includes(parsed.data.status);
}
