/** Files on their way from the source to the loaders, and what is to be done once those of a table are in. */
import { Bell } from '../core/movement/bell.ts';

/** Files that wait for a loader; with those being loaded, what the disk must hold. */
const WAITING = 2;

/** A file of a table, or (null) the end of its files. */
export interface Queued<Table, Begun> {
  readonly table: Table;
  readonly begun: Begun | null;
}

/** Files in the order in which they were begun, with a limit on how many wait. */
export class FileQueue<Table, Begun> {
  readonly #files: Queued<Table, Begun>[] = [];
  readonly #bell = new Bell();
  /** Tables of files that a loader has in hand. */
  readonly #loading: Table[] = [];
  #done = false;
  failure: unknown = null;
  /** Files that came in. */
  loaded = 0;

  /** Resolves when there is room for another. */
  async room(): Promise<void> {
    while (this.#files.length >= WAITING && this.failure === null) await this.#bell.next();
  }

  push(file: Queued<Table, Begun>): void {
    this.#files.push(file);
    this.#bell.ring();
  }

  /** The next one is in the hands of the caller until `settle`. */
  async next(): Promise<Queued<Table, Begun> | null> {
    for (;;) {
      if (this.failure !== null) return null;
      const file = this.#files.shift();
      if (file !== undefined) {
        if (file.begun !== null) this.#loading.push(file.table);
        this.#bell.ring();
        return file;
      }
      if (this.#done) return null;
      await this.#bell.next();
    }
  }

  /** A file came in. */
  settle(table: Table): void {
    this.#loading.splice(this.#loading.indexOf(table), 1);
    this.loaded += 1;
    this.#bell.ring();
  }

  /** Resolves when no loader has a file of the table in hand any more; false where it all failed. */
  async isIn(table: Table): Promise<boolean> {
    while (this.failure === null && this.#loading.includes(table)) await this.#bell.next();
    return this.failure === null;
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
