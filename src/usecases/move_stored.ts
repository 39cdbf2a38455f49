/** What the metadata tables keep of a move, as values. */
import { z } from 'zod';
import type { KeyRange, TableMapping } from '../core/movement/model.ts';

export interface StoredTable {
  readonly number: number;
  readonly mapping: TableMapping;
  /** `created` → `loaded` (rows) → `indexed` (key and plain indexes) → `final` (constraints). */
  readonly phase: 'created' | 'loaded' | 'indexed' | 'final';
  readonly files: number;
  /** The last key that some file covers; null: none yet. */
  readonly covered: readonly string[] | null;
  /** Files cover the whole table. */
  readonly complete: boolean;
  /** For a table without a key: the place in the log that its rows stand for. */
  readonly loadedAt: string | null;
}

export interface StoredFile extends KeyRange {
  readonly file: string;
  readonly number: number;
}

export interface StoredStream {
  readonly applied: string;
  readonly file: number;
  readonly changes: number;
  readonly sourceMs: number | null;
  readonly stalls: number;
  readonly cutover: 'no' | 'asked' | 'done';
}

const keySchema = z.array(z.string());
export const phaseSchema = z.enum(['created', 'loaded', 'indexed', 'final']);
export const cutoverSchema = z.enum(['no', 'asked', 'done']);
// The mapping is what `mapTable` made and this store wrote; its shape is checked by its one odd field.
export const mappingSchema = z.custom<TableMapping>(
  (value) =>
    z
      .object({ columns: z.array(z.object({ source: z.string(), read: z.string() })) })
      .safeParse(value).success,
);

/** The bound of a file. */
export function storedKey(text: string | null | undefined): readonly string[] | null {
  return text === null || text === undefined ? null : keySchema.parse(JSON.parse(text));
}
