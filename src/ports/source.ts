/** A copy of a source: what a sandbox needs to be like it. */
import type { SqlSession } from './sandbox.ts';

/** SQL statements that make an empty database like the source. */
export interface SchemaScript {
  /** Types, tables, routines, views. Their order need not be the one in which they work. */
  readonly objects: readonly string[];
  /** What would hinder the rows on their way: foreign keys, triggers, filled materialized views. */
  readonly afterRows: readonly string[];
  /** Sets sequences to where they are. */
  readonly sequences: readonly string[];
}

/** Reads it in the session's transaction; `without` is a schema that is left out. */
export type ReadSchema = (session: SqlSession, without: string) => Promise<SchemaScript>;
