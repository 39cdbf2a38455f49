/** Rights that a run needs in a database. */
import type { QualifiedName } from './types.ts';

interface Reason {
  /** What the run does with it, for people: `reads it`, `keeps its progress there`. */
  readonly why: string;
}

interface Creatable {
  /** Whether the run makes the object where it is missing. */
  readonly createIfMissing: boolean;
}

export type TableRight = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE';

/**
 * Something that the connected role must be allowed to do. `WRITE` on a database: the server takes
 * writes at all. `CREATE` on a schema that the run makes itself: the right to make it. `OWNER` of a
 * table: a role that may act as its owner. `all tables`: those that are in the schema now.
 */
export type RequiredRight =
  | ({ readonly on: 'database'; readonly right: 'CREATE' | 'TEMPORARY' | 'WRITE' } & Reason)
  | ({
      readonly on: 'schema';
      readonly schema: string;
      readonly right: 'USAGE' | 'CREATE';
    } & Creatable &
      Reason)
  | ({
      readonly on: 'table';
      readonly table: QualifiedName;
      readonly right: TableRight | 'OWNER';
    } & Creatable &
      Reason)
  | ({
      readonly on: 'all tables';
      readonly schema: string;
      readonly right: TableRight;
    } & Reason)
  | ({ readonly on: 'parameter'; readonly parameter: string; readonly right: 'SET' } & Reason)
  | ({ readonly on: 'role'; readonly right: 'CREATEDB' | 'REPLICATION' } & Reason);

/**
 * `no-right`: the object is there, the right is not. `no-object`: it is not there, so no GRANT can
 * help. `row-security`: the role would see only some of the rows. `read-only`: nobody can write.
 */
export type MissingReason = 'no-right' | 'no-object' | 'row-security' | 'read-only';

/** A right that is missing, with the statement that gives it. */
export interface MissingRight {
  readonly required: RequiredRight;
  readonly reason: MissingReason;
  /** An SQL statement for the owner or a superuser to run; null where none helps. */
  readonly grant: string | null;
}
