/** Files on their way from the source to the loaders. */
import { Bell } from '../core/movement/bell.ts';

/** Files that wait for a loader; with those being loaded, what the disk must hold. */
const WAITING = 2;

/** Files on their way to a loader, with a limit on how many wait. */
export class FileQueue<Begun> {
  readonly #files: Begun[] = [];
  readonly #bell = new Bell();
  #done = false;
  failure: unknown = null;
  /** Files that came in. */
  loaded = 0;

  /** Resolves when there is room for another. */
  async room(): Promise<void> {
    while (this.#files.length >= WAITING && this.failure === null) await this.#bell.next();
  }

  push(file: Begun): void {
    this.#files.push(file);
    this.#bell.ring();
  }

  async next(): Promise<Begun | null> {
    for (;;) {
      if (this.failure !== null) return null;
      const file = this.#files.shift();
      if (file !== undefined) {
        this.#bell.ring();
        return file;
      }
      if (this.#done) return null;
      await this.#bell.next();
    }
  }

  end(): void {
    this.#done = true;
    this.#bell.ring();
  }

  fail(error: unknown): void {
    this.failure ??= error;
    this.#bell.ring();
  }
}
