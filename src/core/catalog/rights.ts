/** Rights that a run needs in a database. */
import type { QualifiedName } from './types.ts';

/** Something that the connected role must be allowed to do. */
export type RequiredRight =
  | { readonly on: 'database'; readonly right: 'CREATE' | 'TEMPORARY'; readonly why: string }
  | {
      readonly on: 'schema';
      readonly schema: string;
      readonly right: 'USAGE' | 'CREATE';
      /** Whether the run makes the schema where it is missing; then it needs that right instead. */
      readonly createIfMissing: boolean;
      readonly why: string;
    }
  | {
      readonly on: 'table';
      readonly table: QualifiedName;
      readonly right: 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE';
      /** Whether the run makes the table where it is missing. */
      readonly createIfMissing: boolean;
      readonly why: string;
    }
  | { readonly on: 'role'; readonly right: 'CREATEDB' | 'REPLICATION'; readonly why: string };

/** A right that is missing, with the statement that gives it. */
export interface MissingRight {
  readonly required: RequiredRight;
  /** `no-right`: the object is there; `no-object`: it is not, so no GRANT can help. */
  readonly reason: 'no-right' | 'no-object';
  /** An SQL statement for the owner or a superuser to run; null for `no-object`. */
  readonly grant: string | null;
}
