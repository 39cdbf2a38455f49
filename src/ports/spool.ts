/** The files of a move on this machine. They may be lost at any moment: whatever they hold can be had again. */

export interface DataFiles {
  /** Writes a `.dkt` whole or not at all. Resolves to its bytes. */
  write(name: string, pieces: AsyncIterable<Buffer>): Promise<number>;
  read(name: string): AsyncIterable<Buffer>;
  remove(name: string): Promise<void>;
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
