/** PAUSE, RUN and STOP for everything that a move has under way. */
import { effectiveAction } from '../core/lifecycle/action.ts';
import type { Action } from '../core/lifecycle/action.ts';
import { Bell } from '../core/movement/bell.ts';
import { Stopped } from '../core/movement/errors.ts';
import type { Clock } from '../ports/clock.ts';
import { ConnectionLost } from '../ports/move.ts';

const POLL_MS = 500;
const RETRY_MS = 1000;

export interface MoveControl {
  action(): Action;
  /** Returns while RUN holds, waits while PAUSE does, throws `Stopped` for STOP. */
  gate(): Promise<void>;
  /** Aborted at STOP. */
  readonly stopping: AbortSignal;
  /** Resolves at the next change of the action. */
  changed(): Promise<void>;
  close(): Promise<void>;
}

export interface ControlOptions {
  /** The words in `wirekite_action`. A failure keeps what held before, if anything did. */
  readonly words: () => Promise<readonly (string | null)[]>;
  readonly clock: Clock;
  /** SIGTERM and SIGINT: acts as STOP for this process. */
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/** Polls until closed; the first look is done when the promise resolves, and fails it where nothing could be seen. */
export async function watchAction(options: ControlOptions): Promise<MoveControl> {
  const stopping = new AbortController();
  const closed = new AbortController();
  const holds: { action: Action } = { action: options.signal.aborted ? 'STOP' : 'RUN' };
  let warned: string | null = null;
  const bell = new Bell();

  const set = (next: Action) => {
    if (next === holds.action) return;
    holds.action = next;
    if (next === 'STOP') stopping.abort();
    bell.ring();
  };
  if (holds.action === 'STOP') stopping.abort();
  options.signal.addEventListener('abort', () => set('STOP'));

  const look = async () => {
    const effective = effectiveAction(await options.words());
    if (effective.warning !== null && effective.warning !== warned) options.warn(effective.warning);
    warned = effective.warning;
    // A stop that began is not taken back: everything is on its way out already.
    if (holds.action !== 'STOP') set(options.signal.aborted ? 'STOP' : effective.action);
  };
  const poll = async () => {
    for (;;) {
      await options.clock.sleep(POLL_MS, closed.signal);
      if (closed.signal.aborted) return;
      // The work itself meets a target that is gone, and says so.
      await look().catch(() => undefined);
    }
  };
  await look();
  const polling = poll();
  return {
    action: () => holds.action,
    stopping: stopping.signal,
    changed: () => bell.next(),
    async gate() {
      while (holds.action === 'PAUSE') await bell.next();
      if (holds.action === 'STOP') throw new Stopped();
    },
    async close() {
      closed.abort();
      await polling;
    },
  };
}

/** Passes pieces on while RUN holds, so that PAUSE and STOP reach into the middle of a file. */
export async function* gated<T>(pieces: AsyncIterable<T>, control: MoveControl): AsyncIterable<T> {
  for await (const piece of pieces) {
    if (control.action() !== 'RUN') await control.gate();
    yield piece;
  }
}

/** Repeats what fails for want of a connection, once a second, until `patienceMs` is over or the signal comes. */
export async function patiently<T>(
  clock: Clock,
  signal: AbortSignal,
  patienceMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const until = Date.parse(clock.now()) + patienceMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ConnectionLost) || signal.aborted || Date.parse(clock.now()) > until)
        throw error;
      await clock.sleep(RETRY_MS, signal);
    }
  }
}
