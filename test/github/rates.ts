/** GitHub's secondary limits: points a minute, and new content a minute and an hour. */
import { now } from './state.ts';
import type { World } from './state.ts';

const MINUTE = 60_000;
const LIMITS = { points: 900, contentMinute: 80, contentHour: 500, atOnce: 100 } as const;

interface Entry {
  readonly at: number;
  readonly points: number;
  readonly content: boolean;
}

export class Rates {
  readonly #world: World;
  #entries: Entry[] = [];
  #open = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** Counts a request; gives what it goes past, null where nothing. */
  enter(method: string, template: string): string | null {
    const at = now(this.#world);
    this.#open += 1;
    this.#entries = this.#entries.filter((entry) => entry.at > at - 60 * MINUTE);
    const content = method === 'POST' && /\/(?:issues|comments|pulls|reactions)$/u.test(template);
    this.#entries.push({ at, points: method === 'GET' ? 1 : 5, content });
    const minute = this.#entries.filter((entry) => entry.at > at - MINUTE);
    const made = (entries: readonly Entry[]) => entries.filter((entry) => entry.content).length;
    if (this.#open > LIMITS.atOnce) return 'more than 100 at once';
    if (minute.reduce((sum, { points }) => sum + points, 0) > LIMITS.points) return 'points';
    if (made(minute) > LIMITS.contentMinute) return 'content a minute';
    return made(this.#entries) > LIMITS.contentHour ? 'content an hour' : null;
  }

  /** As if an hour had gone by. */
  forget(): void {
    this.#entries = [];
  }

  leave(): void {
    this.#open -= 1;
  }
}
