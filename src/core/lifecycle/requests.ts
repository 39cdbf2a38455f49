/** Requests to a run that may be told twice, late, and in another order than they were made. */
import type { Action } from './action.ts';
import type { Instant } from './state.ts';

/** A request that was obeyed. */
export interface DoneRequest {
  readonly id: string;
  readonly askedAt: Instant;
  /** What it set the whole run to; null where it was about something else. */
  readonly action: Action | null;
}

export function isDoneBefore(done: readonly DoneRequest[], id: string): boolean {
  return done.some((each) => each.id === id);
}

/** The action that was asked for last after a moment; one that was asked for earlier counts no more. */
export function laterAction(done: readonly DoneRequest[], askedAt: Instant): DoneRequest | null {
  const later = done.filter(
    (each) => each.action !== null && Date.parse(each.askedAt) > Date.parse(askedAt),
  );
  return later.toSorted((a, b) => Date.parse(a.askedAt) - Date.parse(b.askedAt)).at(-1) ?? null;
}
