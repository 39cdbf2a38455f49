/** Time, as something that can be replaced in a test. */

export interface Clock {
  /** The present moment, ISO 8601 in UTC with milliseconds. */
  now(): string;
  /** Waits for so many milliseconds; returns at once when the signal is or gets aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
