/**
 * Statements after binding: what they do to which table, with every name resolved. The rules turn
 * these into new versions; they know nothing of the dialect that the statement was written in.
 */
import type { QualifiedName } from '../catalog/types.ts';
import type { Fragment } from './fragment.ts';
import type { Place } from './refusals.ts';
import type { SortColumn } from './postgres/scope.ts';
import type { ColumnInfo, Lines, Version } from './version.ts';

export interface BoundQuery {
  readonly sql: Fragment;
  /** Null where the columns are not known. */
  readonly columns: readonly ColumnInfo[] | null;
  readonly keys: readonly (readonly string[])[];
  readonly reads: readonly Version[];
  /** ORDER BY over plain output columns; null where there is none, or another one. */
  readonly order: readonly SortColumn[] | null;
  /** Positions of output columns whose value is random(), a uuid or the like. */
  readonly randomColumns: readonly number[];
  /** Positions of output columns that are handed out by a sequence. */
  readonly sequenceColumns: readonly number[];
  /** For each output that is a column of the loop around, that column; null for the others. */
  readonly loopColumns: readonly (string | null)[];
  /** What the query reads at any depth, for the loop around. */
  readonly loopReads: readonly LoopRead[];
}

/** A table that is read once, with the equalities that tie its rows to the row of the loop. */
export interface LoopRead {
  readonly table: string;
  readonly pairs: readonly LoopPair[];
}

/** `table.column = row.loopColumn` as a condition that must hold. */
export interface LoopPair {
  /** The version's owner, as `schema.name`. */
  readonly table: string;
  readonly column: string;
  readonly loopColumn: string;
}

/** A value that is put into a column; `default` is the column's DEFAULT. */
export interface Assignment {
  readonly column: string;
  readonly value: Fragment | 'default';
  readonly type: string | null;
}

export interface Returning {
  /** The select list, over the columns of the written rows under the statement's alias. */
  readonly list: Fragment;
  /** It names tables of FROM or USING, not only the one that is written. */
  readonly others: boolean;
  readonly columns: readonly ColumnInfo[] | null;
}

interface Common {
  readonly place: Place;
  readonly lines: Lines;
  readonly comments: readonly string[];
}

/** What a conflict target names: by this PostgreSQL finds the unique index. */
export interface ConflictTarget {
  readonly columns: readonly string[];
  /** Expressions among its elements, spelled as `canonicalExpression` does. */
  readonly expressions: readonly string[];
  /** It has a WHERE: a partial index is meant. */
  readonly partial: boolean;
}

export interface Conflict {
  /** The conflict target; null where the statement names none. */
  readonly target: ConflictTarget | null;
  readonly constraint: string | null;
  readonly action:
    | { readonly kind: 'nothing' }
    | {
        readonly kind: 'update';
        readonly set: readonly Assignment[];
        readonly where: Fragment | null;
      };
}

export interface BoundInsert extends Common {
  readonly kind: 'insert';
  readonly table: TableTarget;
  /** Null where the statement names no columns. */
  readonly columns: readonly string[] | null;
  /** Columns among `columns` for which every row says DEFAULT. */
  readonly defaulted: readonly string[];
  /** Null for DEFAULT VALUES. */
  readonly query: BoundQuery | null;
  readonly conflict: Conflict | null;
  readonly returning: Returning | null;
}

export interface BoundUpdate extends Common {
  /** WITH clause in front of the statement, to be repeated where its FROM list is used. */
  readonly prefix?: Fragment;
  readonly kind: 'update';
  readonly table: TableTarget;
  readonly set: readonly Assignment[];
  /** The FROM list; null where there is none. */
  readonly from: Fragment | null;
  readonly where: Fragment | null;
  readonly loopPairs: readonly LoopPair[];
  readonly loopReads: readonly LoopRead[];
  /** At most one row of FROM matches a row of the table, by keys. */
  readonly singleMatch: boolean;
  readonly returning: Returning | null;
}

export interface BoundDelete extends Common {
  /** WITH clause in front of the statement, to be repeated where its FROM list is used. */
  readonly prefix?: Fragment;
  readonly kind: 'delete';
  readonly table: TableTarget;
  readonly using: Fragment | null;
  readonly where: Fragment | null;
  /** At most one row of USING matches a row of the table, by keys. */
  readonly singleMatch: boolean;
  readonly loopPairs: readonly LoopPair[];
  readonly loopReads: readonly LoopRead[];
  readonly returning: Returning | null;
}

export interface MergeArm {
  readonly match: 'matched' | 'by-target' | 'by-source';
  readonly condition: Fragment | null;
  readonly action:
    | { readonly kind: 'update'; readonly set: readonly Assignment[] }
    | { readonly kind: 'insert'; readonly set: readonly Assignment[] }
    | { readonly kind: 'delete' }
    | { readonly kind: 'nothing' };
}

export interface BoundMerge extends Common {
  /** WITH clause in front of the statement, to be repeated where its FROM list is used. */
  readonly prefix?: Fragment;
  readonly kind: 'merge';
  readonly table: TableTarget;
  /** The source as it stands in FROM, with its alias. */
  readonly source: Fragment;
  readonly sourceAlias: string;
  readonly condition: Fragment;
  readonly arms: readonly MergeArm[];
  /** At most one source row matches a row of the table, by keys. */
  readonly singleMatch: boolean;
  readonly returning: Returning | null;
}

/** The table that a statement writes, and the name by which its text knows it. */
export interface TableTarget {
  readonly name: QualifiedName;
  readonly temporary: boolean;
  readonly onCommit?: 'drop' | 'delete';
  readonly alias: string;
}

export interface TableColumn extends ColumnInfo {
  readonly defaultSql: Fragment | null;
}

export type BoundWrite = BoundInsert | BoundUpdate | BoundDelete | BoundMerge;

export type BoundStatement =
  | BoundWrite
  | (Common & {
      readonly kind: 'truncate';
      readonly tables: readonly TableTarget[];
      readonly restartIdentity: boolean;
      /** Tables that refer to these are emptied too. */
      readonly cascade: boolean;
    })
  | (Common & {
      readonly kind: 'create-as';
      readonly table: TableTarget;
      readonly query: BoundQuery;
      readonly head: readonly string[] | null;
      /** False for WITH NO DATA: the columns without the rows. */
      readonly withData: boolean;
      readonly onlyIfMissing: boolean;
    })
  | (Common & {
      readonly kind: 'create';
      readonly table: TableTarget;
      readonly columns: readonly TableColumn[];
      readonly onlyIfMissing: boolean;
    })
  | (Common & {
      readonly kind: 'drop';
      readonly tables: readonly { readonly schema: string | null; readonly name: string }[];
    })
  | (Common & { readonly kind: 'query'; readonly query: BoundQuery })
  | (Common & {
      readonly kind: 'call';
      readonly path: readonly string[];
      readonly arguments: readonly CallArgument[];
    })
  | (Common & { readonly kind: 'ignored'; readonly message: string });

export interface CallArgument {
  readonly name: string | null;
  readonly value: Fragment;
  readonly type: string | null;
  /** The argument alone is a variable: where an INOUT parameter's value goes back to. */
  readonly variable: readonly string[] | null;
}
