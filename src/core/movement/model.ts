/**
 * What the movement of data is about: tables to move, how each column travels, and how far a move has come.
 *
 * A value that travels is *wire text*: what `COPY … (FORMAT text)` and `LOAD DATA` both read back
 * to exactly the value that left, or `null`. SQL in a mapping is a template; `{c}` stands for the quoted column.
 */
import type { QualifiedName } from '../catalog/types.ts';

export type Dialect = 'postgres' | 'mysql';

/** One column of a table that is to be moved. */
export interface MovedColumn {
  readonly name: string;
  /** A number that a column keeps whatever its name becomes, and that no other gets; null where the server has none. */
  readonly place: number | null;
  /** As the dialect prints it: `numeric(10,2)`, `bigint(20) unsigned`, `enum('a','b')`. */
  readonly type: string;
  /** Lower case, without length: `numeric`, `bigint unsigned`. Arrays end in `[]`; a domain is its base type. */
  readonly baseType: string;
  readonly kind: 'base' | 'enum' | 'array' | 'range' | 'composite' | 'other';
  /** Characters or bits; null where the type has none. */
  readonly length: number | null;
  readonly precision: number | null;
  readonly scale: number | null;
  readonly nullable: boolean;
  readonly labels: readonly string[];
  readonly autoIncrement: boolean;
  /** GENERATED ALWAYS AS (…): its expression. */
  readonly generatedSql: string | null;
  readonly charset: string | null;
  readonly collation: string | null;
  /**
   * What only the data can tell: whether every value is 0 or 1 (`tinyint(1)`), or within a day (`time`).
   * Null where the type does not ask, or where it was not looked at.
   */
  readonly fits: boolean | null;
  /** The value that rows from before an `ADD COLUMN … DEFAULT` have, as text; null where there is none. */
  readonly missingValue: string | null;
  /** False where such rows have a value that nothing but the rows can tell. */
  readonly missingKnown: boolean;
}

export interface MovedIndex {
  readonly name: string;
  readonly unique: boolean;
  readonly columns: readonly string[];
  /** The whole CREATE INDEX, where it is more than columns; only of use in the same dialect. */
  readonly definition: string | null;
}

export interface MovedForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly references: QualifiedName;
  readonly referencedColumns: readonly string[];
  readonly onDelete: string;
  readonly onUpdate: string;
}

export interface MovedTable {
  readonly name: QualifiedName;
  readonly columns: readonly MovedColumn[];
  /** Columns of the primary key, else of a unique index without NULLs; empty where there is none. */
  readonly key: readonly string[];
  readonly keyIsPrimary: boolean;
  readonly indexes: readonly MovedIndex[];
  readonly foreignKeys: readonly MovedForeignKey[];
  /** Estimates; both 0 where nothing is known. */
  readonly estimatedRows: number;
  readonly estimatedBytes: number;
  /** Changes carry enough to find the row: a key, or the whole old row. */
  readonly followable: boolean;
}

/** Names of the functions that turn a value of a change into wire text (`convert.ts`). */
export type Conversion =
  | 'text'
  | 'bool-to-int'
  | 'numeric-65'
  | 'money'
  | 'hex'
  | 'date-range'
  | 'utc'
  | 'array-json'
  | 'json-string'
  | 'float-finite'
  | 'float-single'
  | 'char-trim'
  | 'zero-one'
  | 'within-day'
  | 'time'
  | 'zero-date-null'
  | 'zero-date-error'
  | 'bytea'
  | 'fixed-bytea'
  | 'bits'
  | 'bit-bool'
  | 'set-array'
  | 'year'
  | 'uuid'
  | 'blob-hex'
  | 'no-nul'
  | 'enum';

/** A class of values that the target can't hold. */
export interface Refusal {
  /** Template of a condition on the source, true for such values. */
  readonly sql: string;
  /** Completes "the target can't hold …". */
  readonly values: string;
  /** Nobody would refuse such a value later: it would arrive as another one. So it is looked for before a load. */
  readonly silent?: boolean;
}

/** How one column travels from its source to its target. */
export interface ColumnMapping {
  readonly source: string;
  readonly target: string;
  /** Of the source's column; mappings of older versions have none. */
  readonly place?: number | null;
  /** As the source printed it when the move began: a later ALTER shows against it. */
  readonly sourceType: string;
  readonly targetType: string;
  readonly nullable: boolean;
  /** Condition for a CHECK on the target, a template; null where there is none. */
  readonly check: string | null;
  readonly autoIncrement: boolean;
  readonly generatedSql: string | null;
  /** Template on the source: wire text of the column. */
  readonly read: string;
  /** The text of `read` may hold characters that need escaping. */
  readonly escape: boolean;
  /** Template on the target, `{v}` is the wire text; null where the column takes it as it is. */
  readonly write: string | null;
  readonly convert: Conversion;
  /** What `convert` needs to know, e.g. the width of bits. */
  readonly argument: string;
  /** Templates: equal text on both sides means equal values. */
  readonly compareSource: string;
  readonly compareTarget: string;
  readonly refuses: readonly Refusal[];
}

/** How one table travels. */
export interface TableMapping {
  readonly source: QualifiedName;
  readonly target: QualifiedName;
  readonly columns: readonly ColumnMapping[];
  /** Source names of the key columns, in order; empty where there is none. */
  readonly key: readonly string[];
  readonly keyIsPrimary: boolean;
  readonly indexes: readonly MovedIndex[];
  readonly foreignKeys: readonly MovedForeignKey[];
}

/** One line of a plan's Pipelines table. */
export interface Pipeline {
  readonly source: QualifiedName;
  readonly target: QualifiedName;
  /** Columns that the plan names as key; empty: take the table's own. */
  readonly key: readonly string[];
  readonly follow: boolean;
}

/** What a move is asked to do. */
export interface MovePlan {
  readonly name: string;
  readonly pipelines: readonly Pipeline[];
  readonly zeroDates: 'error' | 'null';
  /** Size of a `.dkt` file that is aimed at, in bytes. */
  readonly chunkBytes: number;
}

/** Rows with `lower < key <= upper`; null is no bound. Values are text, one per key column. */
export interface KeyRange {
  readonly lower: readonly string[] | null;
  readonly upper: readonly string[] | null;
}

/** The key columns of a source, as far as a literal needs them. */
export interface KeyColumn {
  readonly name: string;
  readonly baseType: string;
  readonly type: string;
}
