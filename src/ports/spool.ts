/** The files of a move on this machine. They may be lost at any moment: whatever they hold can be had again. */

/** A `.dkt` that may still be growing. */
export interface DataFile {
  /** Its bytes, once all of it is there; rejects with what kept it from that. */
  readonly written: Promise<number>;
  /** What kept it from being written; null so far. */
  failure(): unknown;
  /** From its start, along with the writing; ends where that ended, and throws what that threw. */
  read(): AsyncIterable<Buffer>;
  remove(): Promise<void>;
}

export interface DataFiles {
  /** Begins a `.dkt`. */
  write(name: string, pieces: AsyncIterable<Buffer>): DataFile;
}

export interface ChangeFiles {
  /** Adds to the end of `N.ckt`; not durable before `sync`. */
  append(file: number, text: string): Promise<void>;
  sync(file: number): Promise<void>;
  /** Cuts what lies after `bytes`. */
  truncate(file: number, bytes: number): Promise<void>;
  /** Bytes `from` to `to`, as a binary string. */
  read(file: number, from: number, to: number): Promise<string>;
  remove(file: number): Promise<void>;
}

export interface WorkFolder {
  readonly data: DataFiles;
  readonly changes: ChangeFiles;
  /** Removes whatever an earlier run left. */
  clear(): Promise<void>;
  close(): Promise<void>;
}
