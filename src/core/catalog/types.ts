/**
 * What Sprocket knows of a database: the same shape whatever the dialect.
 *
 * A catalog is a value. An adapter reads it once; everything after that (graph, translation,
 * project, proof) works on it without a connection.
 */

/** A name as the database stores it: unquoted, case as stored. */
export interface QualifiedName {
  readonly schema: string;
  readonly name: string;
}

/** One column of a table or view, in the order of the table. */
export interface Column {
  readonly name: string;
  /** The full type as the dialect prints it, with length and precision: `character varying(20)`. */
  readonly type: string;
  /** The type without length or precision: `character varying`. */
  readonly baseType: string;
  readonly nullable: boolean;
  /** SQL text of the DEFAULT; null where there is none. */
  readonly defaultSql: string | null;
  readonly identity: 'always' | 'by default' | null;
  /** The sequence that serial or identity columns take their values from. */
  readonly sequence: QualifiedName | null;
  /** SQL text of GENERATED ALWAYS AS (…) STORED; null where the column is an ordinary one. */
  readonly generatedSql: string | null;
  readonly comment: string | null;
}

/** PRIMARY KEY or UNIQUE, as a constraint or as a unique index. */
export interface UniqueKey {
  readonly name: string;
  readonly kind: 'primary' | 'unique';
  readonly columns: readonly string[];
  readonly nullsNotDistinct: boolean;
  /** Condition of a partial unique index; null where it covers all rows. */
  readonly predicateSql: string | null;
  /** True where an expression, not a plain column, is indexed; `columns` is then empty. */
  readonly hasExpressions: boolean;
  /** SQL text of everything that is indexed, columns and expressions; absent for plain columns. */
  readonly indexedSql?: readonly string[];
}

export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly references: QualifiedName;
  readonly referencedColumns: readonly string[];
  /** What a change of the referenced row does to the referring rows. */
  readonly onDelete?: ForeignKeyAction;
  readonly onUpdate?: ForeignKeyAction;
}

/** `restrict` stands for NO ACTION too: both end in an error. */
export type ForeignKeyAction = 'restrict' | 'cascade' | 'set null' | 'set default';

export type TriggerEvent = 'insert' | 'update' | 'delete' | 'truncate';

export interface CheckConstraint {
  readonly name: string;
  /** The condition alone, without CHECK and its parentheses. */
  readonly sql: string;
}

export interface Table {
  readonly name: QualifiedName;
  readonly kind: 'table' | 'partitioned' | 'foreign';
  readonly columns: readonly Column[];
  readonly keys: readonly UniqueKey[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly checks: readonly CheckConstraint[];
  /** Names of triggers that act on writes: hidden writers. */
  readonly triggers: readonly string[];
  /** Events on which any of them acts; all where it is left out. */
  readonly triggerEvents?: readonly TriggerEvent[];
  readonly comment: string | null;
  /** The planner's estimate; null where the table was never analysed. */
  readonly estimatedRows: number | null;
  /** The partitioned table that this one is a part of; absent for all others. */
  readonly partitionOf?: QualifiedName;
  /** Tables whose columns it has by INHERITS, and that show its rows too; absent for most. */
  readonly inherits?: readonly QualifiedName[];
}

export interface View {
  readonly name: QualifiedName;
  readonly materialized: boolean;
  readonly columns: readonly Column[];
  /** The query of the view, without CREATE VIEW and without the closing semicolon. */
  readonly sql: string;
  readonly comment: string | null;
}

export interface RoutineParameter {
  readonly name: string;
  readonly type: string;
  readonly mode: 'in' | 'out' | 'inout' | 'variadic' | 'table';
  readonly defaultSql: string | null;
}

/** A stored procedure or function. */
export interface Routine {
  readonly name: QualifiedName;
  readonly kind: 'procedure' | 'function';
  readonly language: string;
  readonly parameters: readonly RoutineParameter[];
  /** Result type as the dialect prints it (`void`, `TABLE(a integer)`, `SETOF x`); null for procedures. */
  readonly returns: string | null;
  readonly returnsSet: boolean;
  /** The text between the quotes: what the author wrote. */
  readonly body: string;
  /** The whole CREATE statement; `body` occurs in it word for word where the dialect keeps it so. */
  readonly definition: string;
  /** `SET name = value` clauses of the routine itself, e.g. `search_path`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly volatility: 'immutable' | 'stable' | 'volatile';
  readonly isTrigger: boolean;
  readonly comment: string | null;
}

export interface Sequence {
  readonly name: QualifiedName;
  readonly start: string;
  readonly increment: string;
  /** The column that owns it (serial, identity); null for one that stands alone. */
  readonly ownedBy: { readonly table: QualifiedName; readonly column: string } | null;
}

export interface UserType {
  readonly name: QualifiedName;
  readonly kind: 'enum' | 'domain' | 'composite';
  /** Labels of an enum, in order. */
  readonly labels: readonly string[];
  /** Underlying type of a domain. */
  readonly baseType: string | null;
  /** SQL text of a domain's own DEFAULT, which its columns have where they name none. */
  readonly defaultSql?: string;
  /** Fields of a composite type. */
  readonly fields: readonly { readonly name: string; readonly type: string }[];
}

export interface Catalog {
  readonly dialect: 'postgres' | 'mysql';
  readonly version: string;
  readonly database: string;
  /** Schemas that unqualified names are looked up in, in order, without system schemas. */
  readonly searchPath: readonly string[];
  readonly tables: readonly Table[];
  readonly views: readonly View[];
  readonly routines: readonly Routine[];
  readonly sequences: readonly Sequence[];
  readonly types: readonly UserType[];
  readonly schemaComments: Readonly<Record<string, string>>;
}
