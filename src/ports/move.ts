/** The two databases of a move, in the words of the move. Values are text throughout. */
import type { QualifiedName } from '../core/catalog/types.ts';
import type { FieldText } from '../core/movement/changes.ts';
import type { ComparedColumns } from '../core/movement/compare.ts';
import type {
  Dialect,
  KeyColumn,
  KeyRange,
  MovedTable,
  TableMapping,
} from '../core/movement/model.ts';
import type { Step } from '../core/movement/net.ts';

/** The connection is gone, or the server is: worth another try. The message holds no address. */
export class ConnectionLost extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'ConnectionLost';
  }
}

export type Rows = readonly (readonly (string | null)[])[];

/** Runs statements of SQL that both dialects read alike; `?` stands for a parameter. */
export interface Statements {
  query(sql: string, parameters?: readonly (string | null)[]): Promise<Rows>;
  /** Rows that an INSERT, UPDATE or DELETE changed. */
  change(sql: string, parameters?: readonly (string | null)[]): Promise<number>;
}

/** How rows travel in a `.dkt`: as wire text, or in a binary form that both servers share. */
export type RowForm = 'text' | 'binary';

/** Rows on their way out of the source. */
export interface RowStream {
  /** What the target's loader reads. */
  readonly pieces: AsyncIterable<Buffer>;
  /** Rows that the server says it sent; known at the end. */
  sent(): number;
}

export interface SnapshotReader {
  /** Least and greatest value of a numeric key; null for an empty table. */
  extent(table: QualifiedName, key: KeyColumn): Promise<readonly [bigint, bigint] | null>;
  /** The key `rows` rows after `lower`; null where fewer are left. */
  bound(
    table: QualifiedName,
    key: readonly KeyColumn[],
    lower: readonly string[] | null,
    rows: number,
  ): Promise<readonly string[] | null>;
  read(mapping: TableMapping, key: readonly KeyColumn[], range: KeyRange, form: RowForm): RowStream;
  /** The first row whose values the target can't hold, as a message; null where there is none. */
  findRefused(
    mapping: TableMapping,
    key: readonly KeyColumn[],
    range: KeyRange,
  ): Promise<string | null>;
  /** Zero dates that became NULL. */
  countNulled(mapping: TableMapping): Promise<number>;
}

/** One consistent state of the source, and its exact place in the log (null: not asked for). */
export interface Snapshot {
  readonly position: string | null;
  readonly reader: SnapshotReader;
  close(): Promise<void>;
}

/** A table whose changes are followed. `number` is its place in the plan. */
export interface FollowedTable {
  readonly number: number;
  readonly mapping: TableMapping;
}

/** Takes what a source's log says, in commit order. A promise holds the source back. */
export interface ChangeSink {
  begin(position: string, time: number): void;
  change(
    table: number,
    kind: 'insert' | 'update' | 'delete',
    old: FieldText | null,
    row: FieldText | null,
  ): void | Promise<void>;
  truncate(table: number): void;
  /** The columns of a table as the log now gives them. Resolves to the mapping that holds from here. */
  columns(table: number, names: readonly string[]): Promise<TableMapping>;
  /** DDL other than that. `what` completes "the table was …". */
  ddl(table: number, what: string): void;
  commit(position: string): void | Promise<void>;
  /** A place in the open transaction that `rollback` can go back to. */
  savepoint(name: string): void;
  /** Takes back what came since that savepoint, or the whole open transaction (null). */
  rollback(savepoint: string | null): void | Promise<void>;
  /** Everything up to here was seen, and no transaction is open. */
  idle(position: string): void;
}

export interface ChangeStream {
  /** Tells the source that everything before `position` is durable in the target. */
  acknowledge(position: string): void;
  /** Rejects when the stream breaks; never resolves otherwise. */
  readonly broken: Promise<never>;
  stop(): Promise<void>;
}

/** For what may have to wait until somebody else's transactions end. */
export interface Waiting {
  readonly stopping: AbortSignal;
  readonly say: (message: string) => void;
}

export interface SourceLag {
  readonly bytes: number;
  /** Log that the source keeps for us; null where it has no such thing. */
  readonly retainedBytes: number | null;
  /** What the source says of the log that we need: `reserved`, `extended`, `unreserved`, `lost`. */
  readonly status: string | null;
}

export interface MoveSource {
  readonly dialect: Dialect;
  /**
   * Null where there is no such table. With `inspect`, data decides what the type leaves open, which may mean to read all
   * of it; `stopping` ends that, and `Stopped` is thrown.
   */
  describe(
    name: QualifiedName,
    inspect: boolean,
    stopping?: AbortSignal,
  ): Promise<MovedTable | null>;
  /** `exact`: with the place in the log that the snapshot stands for. */
  snapshot(exact: boolean, waiting: Waiting): Promise<Snapshot>;
  /** Prepares the log for these tables and returns where their changes begin. May be called again. */
  prepareChanges(plan: string, tables: readonly QualifiedName[], waiting: Waiting): Promise<string>;
  /** What its log says of a transaction may be taken back in the end (`ChangeSink.rollback`). */
  readonly takesBack: boolean;
  /** Its log tells of rows that a foreign key deleted or changed (CASCADE, SET NULL). */
  readonly logsCascades: boolean;
  /** Where `CE` rows get their `source` from: a slot, or the binlog that `position` is in. */
  logName(plan: string, position: string): string;
  follow(
    plan: string,
    from: string,
    tables: readonly FollowedTable[],
    sink: ChangeSink,
  ): Promise<ChangeStream>;
  /** The end of the log now. Writes a mark into it where the source can, so that it is reached. */
  currentPosition(): Promise<string>;
  lag(plan: string, applied: string): Promise<SourceLag>;
  /** What keeps its changes from being followed, each with what to do; nothing is changed. */
  followProblems(): Promise<readonly string[]>;
  /** Undoes `prepareChanges`. */
  releaseChanges(plan: string): Promise<void>;
  readonly side: ComparedSide;
  close(): Promise<void>;
}

export interface TargetTransaction extends Statements {
  /** Loads rows. Resolves to how many came in; throws where one was refused or altered. */
  load(mapping: TableMapping, pieces: AsyncIterable<Buffer>, form: RowForm): Promise<number>;
  apply(mapping: TableMapping, step: Step): Promise<void>;
  /** Adds a column that `mapping` has; earlier rows get `missing`. Harmless where it is there. */
  addColumn(mapping: TableMapping, column: string, missing: string | null): Promise<void>;
  /** Empties tables, those that refer to each other together. */
  empty(tables: readonly QualifiedName[]): Promise<void>;
  commit(): Promise<void>;
  /** Also ends a statement that is under way. */
  rollback(): Promise<void>;
}

interface TargetCapabilities {
  readonly exactCollation: string;
  /** DDL is part of the transaction; else it ends whatever the transaction did before, and begins it anew. */
  readonly transactionalDdl: boolean;
}

export interface MoveTarget {
  readonly dialect: Dialect;
  readonly capabilities: TargetCapabilities;
  /** Outside of any transaction. */
  readonly statements: Statements;
  /** A lock that dies with this process's connection; null where somebody else holds it. */
  claim(name: string): Promise<Claim | null>;
  /** The statements that create the metadata tables, if they are not there. */
  createMetadata(schema: string): Promise<void>;
  hasTypes(types: readonly string[]): Promise<ReadonlySet<string>>;
  /** Creates the table where it is missing. */
  createTable(mapping: TableMapping, source: MovedTable): Promise<void>;
  isEmpty(table: QualifiedName): Promise<boolean>;
  /** True where rows may come in PostgreSQL's binary form. */
  takesBinary(mapping: TableMapping): Promise<boolean>;
  /**
   * After the rows: the key where it was left for later, and indexes that are not unique. Makes only what is not there;
   * `stopping` ends the statement under way (the next run makes it anew), and `Stopped` is thrown.
   */
  addKeyAndIndexes(mapping: TableMapping, stopping: AbortSignal): Promise<void>;
  /** Once nothing is in motion: unique indexes, foreign keys to moved tables, sequences past the maximum. Likewise. */
  addConstraints(
    mapping: TableMapping,
    moved: readonly TableMapping[],
    stopping: AbortSignal,
  ): Promise<void>;
  begin(): Promise<TargetTransaction>;
  readonly side: ComparedSide;
  close(): Promise<void>;
}

export interface Claim {
  /** Rejects when the lock is lost. */
  readonly lost: Promise<never>;
  release(): Promise<void>;
}

/** A table as one side compares it. */
export interface ComparedTable extends ComparedColumns {
  readonly name: QualifiedName;
}

/** Which rows: a range of a numeric key, or a piece of all rows by a digest of the key. */
export type Piece =
  | { readonly kind: 'range'; readonly lower: string | null; readonly upper: string | null }
  | { readonly kind: 'bucket'; readonly bucket: number; readonly of: number }
  | { readonly kind: 'all' };

export interface PieceSum {
  readonly piece: string;
  readonly rows: number;
  readonly sum: string;
}

export interface ComparedSide {
  extent(table: ComparedTable): Promise<readonly [bigint, bigint] | null>;
  /** Rows and digest of each stretch of `width` values of a numeric key from `min`, in one walk. */
  sumRanges(
    table: ComparedTable,
    min: bigint,
    max: bigint,
    width: bigint,
  ): Promise<readonly PieceSum[]>;
  /** Every `rows`-th value of a numeric key in a piece, in order. */
  bounds(table: ComparedTable, piece: Piece, rows: number): Promise<readonly string[]>;
  /** Rows and digest of each of `count` pieces by a digest of the key, in one walk. */
  sumBuckets(table: ComparedTable, count: number): Promise<readonly PieceSum[]>;
  /** Key and digest of every row of a piece, ordered by nothing. */
  digests(table: ComparedTable, piece: Piece): Promise<ReadonlyMap<string, string>>;
  /** The columns of the rows with these keys (as `digests` gave them), as compared text. */
  rows(
    table: ComparedTable,
    piece: Piece,
    keys: readonly string[],
  ): Promise<ReadonlyMap<string, readonly (string | null)[]>>;
  /** Ends the comparison under way. */
  cancel(): Promise<void>;
}
