/**
 * The life of one procedure in a run.
 *
 *                        ┌──────────── retry ────────────┐
 *                        ▼                               │
 *   ┌─────────┐ claim ┌─────────┐ finish ┌───────────┐   │
 *   │ Pending │──────▶│ Running │───────▶│ Failed    │───┤
 *   └─────────┘◀──────└─────────┘        ├───────────┤   │
 *     ▲     │ release   │  ▲ │           │ Completed │   │
 *     │     │           └──┘ └──────────▶│ …(manual) │   │
 *     │     │         take over          └───────────┘   │
 *  dependencies                                          │
 *     │     ▼                            ┌───────────┐   │
 *   ┌─────────┐                          │ Skipped   │───┘
 *   │ Blocked │     skip, accept ───────▶│ …accepted │
 *   └─────────┘                          └───────────┘
 *
 * Pending               ready: everything that it reads is there; the next free worker takes it.
 *                       A clean stop leaves it here too, with the mark that it had reached.
 * Blocked               something that it reads is not there yet. Taken up by itself as soon as it is.
 * Running               a worker holds its lock. A worker that dies leaves the state as it is and lets
 *                       go of the lock, which is how the next worker knows (`take over`).
 * Completed             translated and proven.
 * Completed (manual)    a person's model, proven.
 * Completed (accepted)  a person took a model whose proof could not be given.
 * Skipped               a person left it out; its dependents read its table as a source.
 * Failed                it needs a person: retry, skip, manual or accept.
 *
 * Only `transition` decides a status.
 */
import type { ProofOutcome } from '../proof/types.ts';

export const PHASES = ['discover', 'analyse', 'translate', 'build', 'prove', 'record'] as const;
export type Phase = (typeof PHASES)[number];

export const STATUSES = [
  'Pending',
  'Blocked',
  'Running',
  'Failed',
  'Completed',
  'Completed (manual)',
  'Completed (accepted)',
  'Skipped',
] as const;
export type Status = (typeof STATUSES)[number];

/** The statuses that end an attempt. */
export type Outcome = Exclude<Status, 'Pending' | 'Blocked' | 'Running'>;

/** A moment, ISO 8601 in UTC with milliseconds. */
export type Instant = string;

/** One try at a procedure: what `wirekite_progress` shows of it. */
export interface Attempt {
  readonly startedAt: Instant;
  /** Null while the attempt is open: it is running, was stopped, or its worker died. */
  readonly finishedAt: Instant | null;
  /** The last phase that was finished; at the end the outcome. */
  readonly mark: Phase | Outcome | null;
  /** How often a worker died over it. */
  readonly restarts: number;
}

export interface ProcedureState {
  readonly status: Status;
  /** `manual`: the model is a person's, taken from the run's branch. */
  readonly route: 'automatic' | 'manual';
  /** The latest attempt; null where there was none. */
  readonly attempt: Attempt | null;
  /** Who runs it: unique per claim, so that a worker that lost its lock can't record. */
  readonly claim: string | null;
  /** What the proof of the latest attempt said; null where it did not come to one. */
  readonly proof: ProofOutcome | null;
  /** Why it failed, for people; null otherwise. */
  readonly reason: string | null;
}

export const INITIAL_STATE: ProcedureState = {
  status: 'Pending',
  route: 'automatic',
  attempt: null,
  claim: null,
  proof: null,
  reason: null,
};

/** How many times a procedure may take its worker down before it is left to a person. */
export const MAX_RESTARTS = 5;

export type ProcedureEvent =
  /** The number of procedures and pipelines that it reads from and that are not done. */
  | { readonly type: 'dependencies'; readonly open: number }
  | { readonly type: 'claim'; readonly claim: string; readonly at: Instant }
  /** Its worker is gone (the lock is free): another one goes on. */
  | { readonly type: 'take over'; readonly claim: string; readonly at: Instant }
  | { readonly type: 'mark'; readonly claim: string; readonly phase: Phase }
  /** The worker stops in good order and gives it back. */
  | { readonly type: 'release'; readonly claim: string }
  | {
      readonly type: 'finish';
      readonly claim: string;
      readonly at: Instant;
      readonly proof: ProofOutcome | null;
      /** Null where it went well. */
      readonly failure: string | null;
    }
  | { readonly type: 'retry' }
  | { readonly type: 'manual' }
  | { readonly type: 'skip'; readonly at: Instant }
  /** `hasModel`: there is a model that a person can take. */
  | { readonly type: 'accept'; readonly at: Instant; readonly hasModel: boolean };

/** True where those that read from it need not wait. */
export function isDone(status: Status): boolean {
  return status !== 'Failed' && isOutcome(status);
}

export function isOutcome(status: string): status is Outcome {
  return (
    (STATUSES as readonly string[]).includes(status) &&
    status !== 'Pending' &&
    status !== 'Blocked' &&
    status !== 'Running'
  );
}

export function isPhase(text: string): text is Phase {
  return (PHASES as readonly string[]).includes(text);
}

/** True where `phase` was finished in an attempt that is marked with `mark`. */
export function isPast(mark: Attempt['mark'], phase: Phase): boolean {
  if (mark === null) return false;
  return !isPhase(mark) || PHASES.indexOf(mark) >= PHASES.indexOf(phase);
}
