/**
 * Versions of relations: each write makes a new one, and each read is bound to the one that was
 * current when its statement began. A version is a value; nothing changes it once it is made.
 */
import type { QualifiedName } from '../catalog/types.ts';
import type { Fragment } from './fragment.ts';

export interface ColumnInfo {
  readonly name: string;
  /** Full type as the dialect prints it; null where it is not known without asking a server. */
  readonly type: string | null;
}

export interface Lines {
  readonly first: number;
  readonly last: number;
}

type VersionBody =
  /** The state before the call: a table or view that exists. */
  | { readonly kind: 'initial'; readonly table: QualifiedName }
  | { readonly kind: 'empty' }
  /** A query; `head` names its columns where the query itself names them otherwise. */
  | { readonly kind: 'query'; readonly sql: Fragment; readonly head: readonly string[] | null }
  /** All rows of all inputs, which have the same columns in the same order. */
  | { readonly kind: 'union'; readonly inputs: readonly Version[] };

/** How a version came from an earlier one, where a cheaper materialization can use it. */
type Change =
  /** Rows were added, none was changed. */
  | { readonly kind: 'append'; readonly base: Version; readonly added: readonly Version[] }
  /** Rows were changed in place or added: `rows` holds each of them once, by a key of the table. */
  | { readonly kind: 'merge'; readonly base: Version; readonly rows: Version };

export interface Version {
  readonly id: number;
  /** What the CTE is to be called; numbered when the name is taken. */
  readonly label: string;
  readonly title: string;
  readonly lines: Lines;
  /** Null where the columns are not known. */
  readonly columns: readonly ColumnInfo[] | null;
  readonly body: VersionBody;
  /** Sets of columns by which the rows are known to be unique. */
  readonly keys: readonly (readonly string[])[];
  readonly change: Change | null;
  /** The table, as `schema.name`, whose state this is; null for everything else. */
  readonly owner: string | null;
  /** No table is read for it: only constants, parameters, clocks and counters. */
  readonly dataFree: boolean;
}

/** Label of the versions that hold the number of rows of a statement. */
export const ROW_COUNT = 'row_count';

/** Hands out version numbers. One per translation, so that equal input gives equal output. */
export class VersionFactory {
  #next = 1;

  make(fields: Omit<Version, 'id'>): Version {
    return { id: this.#next++, ...fields };
  }
}
