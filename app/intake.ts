/**
 * Takes webhooks at once and works on them afterwards: GitHub waits for an answer for 10 s, and its own
 * API may take longer. What is in memory when the process dies is asked for again by the next one.
 */
import type { Logger } from 'pino';
import { GitHubError } from '../src/ports/github.ts';
import { RefusedError } from '../src/usecases/github-context.ts';
import type { KeyedQueue } from './queue.ts';

export interface Delivery {
  readonly id: string;
  readonly event: string;
  /** `owner/name`: what happens to one repository is done in order. */
  readonly repository: string;
}

/** Past so much the answer is a failure: GitHub keeps the delivery, and the reconcile asks for it. */
const MOST_WAITING = 5_000;
/** Deliveries that are remembered to have been taken. */
const MOST_KNOWN = 20_000;
/** Seconds after which work is tried again that GitHub had no time for. */
const AGAIN_AFTER = [5, 60];

export interface IntakeOptions {
  readonly queue: KeyedQueue;
  readonly log: Logger;
  /** Milliseconds of a second of waiting. */
  readonly second: number;
}

export class Intake {
  /** Ids of deliveries that this process has taken and not given up. */
  readonly #taken = new Set<string>();
  /** Those that it gave up, although they were answered. */
  readonly #givenUp = new Set<string>();
  readonly #options: IntakeOptions;
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** Throws where there is too much to do already. */
  take(delivery: Delivery, work: () => Promise<unknown>): void {
    if (this.#stopped || this.#options.queue.size >= MOST_WAITING) {
      throw new Error(`Too much is waiting for ${delivery.event} to be taken.`);
    }
    this.#givenUp.delete(delivery.id);
    remember(this.#taken, delivery.id);
    this.#attempt(delivery, work, 0);
  }

  /** Whether a delivery is done or under way, so that it need not come again. */
  has(id: string): boolean {
    return this.#taken.has(id);
  }

  /** Whether a delivery was answered, and came to nothing. */
  gaveUp(id: string): boolean {
    return this.#givenUp.has(id);
  }

  /** Takes no more, and waits for what is under way, but not for what was to be tried again. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await this.#options.queue.idle();
  }

  #attempt(delivery: Delivery, work: () => Promise<unknown>, number: number): void {
    const { queue, log, second } = this.#options;
    const { id, event, repository } = delivery;
    const fields = { delivery: id, event, repository };
    void queue.run(repository, async () => {
      try {
        log.info({ ...fields, outcome: await work() }, 'handled');
      } catch (error) {
        if (isFinal(error)) {
          log.warn({ ...fields, err: error }, 'refused');
          return;
        }
        const wait = AGAIN_AFTER[number];
        log.error({ ...fields, err: error, again: wait ?? null }, 'not handled');
        if (wait === undefined || this.#stopped) {
          this.#taken.delete(id);
          remember(this.#givenUp, id);
        } else this.#later(wait * second, () => this.#attempt(delivery, work, number + 1));
      }
    });
  }

  #later(milliseconds: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, milliseconds);
    timer.unref();
    this.#timers.add(timer);
  }
}

/** The oldest are forgotten. */
function remember(ids: Set<string>, id: string): void {
  ids.add(id);
  const [oldest = ''] = ids;
  if (ids.size > MOST_KNOWN) ids.delete(oldest);
}

/** Whether coming again would not help. */
function isFinal(error: unknown): boolean {
  if (error instanceof RefusedError) return true;
  return (
    error instanceof GitHubError &&
    !['unavailable', 'rate-limited', 'conflict'].includes(error.code)
  );
}
