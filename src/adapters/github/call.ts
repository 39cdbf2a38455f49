/** One repository's address and the client that speaks to it. */
import type { Octokit } from '@octokit/core';
import type { RepositoryName } from '../../ports/github.ts';
import { githubError, isStatus } from './errors.ts';

/** What every client of the App can do, whoever made it. */
export type Client = Pick<Octokit, 'request' | 'graphql'>;

export interface Connection {
  readonly client: Client;
  readonly name: RepositoryName;
  /** The App's slug: its login is `slug[bot]`. */
  readonly slug: string;
  readonly appId: number;
}

/** Runs a request; `what` completes "GitHub: …" in the error. */
export async function call<T>(what: string, request: () => Promise<{ data: T }>): Promise<T> {
  try {
    return (await request()).data;
  } catch (error) {
    throw githubError(error, what);
  }
}

/** The same, with null where GitHub has no such thing. */
export async function callOrNull<T>(
  what: string,
  request: () => Promise<{ data: T }>,
  missing: readonly number[] = [404],
): Promise<T | null> {
  try {
    return (await request()).data;
  } catch (error) {
    if (isStatus(error, ...missing)) return null;
    throw githubError(error, what);
  }
}

export const PAGE = 100;

/** Reads page after page until one is not full, at most so many. */
export async function allPages<T>(
  page: (number: number) => Promise<readonly T[]>,
  most: number,
): Promise<T[]> {
  const items: T[] = [];
  for (let number = 1; number <= most; number += 1) {
    const found = await page(number);
    items.push(...found);
    if (found.length < PAGE) break;
  }
  return items;
}
