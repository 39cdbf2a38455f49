/** One thing after the other, for sources that push: handled in order, with the source held back meanwhile. */

export interface SerialOptions<T> {
  /** Handles one item; the next waits for the promise, where there is one. */
  readonly handle: (item: T) => void | Promise<void>;
  readonly pause: () => void;
  readonly resume: () => void;
  /** The first failure ends it: nothing is handled after. */
  readonly fail: (error: unknown) => void;
}

/** Returns `push`. A handler that throws stops the queue and reports once. */
export function serialQueue<T>(options: SerialOptions<T>): (item: T) => void {
  const waiting: T[] = [];
  let busy = false;
  let failed = false;

  const failOnce = (error: unknown) => {
    if (failed) return;
    failed = true;
    waiting.length = 0;
    options.fail(error);
  };
  const drain = async (first: Promise<void>) => {
    options.pause();
    await first;
    // A failure empties the queue.
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      const result = options.handle(item);
      if (result !== undefined) await result;
    }
    busy = false;
    if (!failed) options.resume();
  };
  return (item) => {
    if (failed) return;
    if (busy) {
      waiting.push(item);
      return;
    }
    try {
      const result = options.handle(item);
      if (result instanceof Promise) {
        busy = true;
        drain(result).catch(failOnce);
      }
    } catch (error) {
      failOnce(error);
    }
  };
}
