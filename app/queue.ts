/** Work that goes one after the other per key, and side by side between keys. */

export class KeyedQueue {
  readonly #tails = new Map<string, Promise<unknown>>();
  #waiting = 0;

  /** Runs `work` when everything before it under the same key has ended, well or not. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const running = before.then(work, work);
    this.#tails.set(key, running);
    this.#waiting += 1;
    try {
      return await running;
    } finally {
      this.#waiting -= 1;
      if (this.#tails.get(key) === running) this.#tails.delete(key);
    }
  }

  /** Work that has not ended. */
  get size(): number {
    return this.#waiting;
  }

  /** Resolves as soon as nothing is left, also of what comes meanwhile. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.allSettled(this.#tails.values());
  }
}
