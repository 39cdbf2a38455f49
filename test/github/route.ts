/** What a route of the double gets and gives. */
import type { RepositoryState, World } from './state.ts';

export interface Call {
  readonly world: World;
  /** The repository in the path; throws 404 where there is none. */
  readonly repository: RepositoryState;
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown>;
  /** Sends a webhook to the App. */
  readonly emit: (event: string, payload: Record<string, unknown>) => void;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly method: string;
  readonly template: string;
  /** `app`: with the App's JWT; `nobody`: without any token. Else the permission of the installation that the route needs. */
  readonly needs: 'app' | 'nobody' | readonly [permission: string, level: 'read' | 'write'];
  readonly handle: (call: Call) => Answer;
}

/** An answer that is no success. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function created(body: unknown): Answer {
  return { status: 201, body };
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The page of a list that the query asks for. */
export function page<T>(items: readonly T[], query: URLSearchParams): readonly T[] {
  const size = Number(query.get('per_page') ?? 30);
  if (size > 100) throw new Refusal(422, 'per_page is at most 100');
  const number = Number(query.get('page') ?? 1);
  return items.slice((number - 1) * size, number * size);
}
