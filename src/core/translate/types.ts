/**
 * What a translation is: the value that goes from the translator to the project writer, the proof,
 * the reports and the run. Nothing in it depends on where it came from or where it goes.
 */
import type { QualifiedName } from '../catalog/types.ts';

/**
 * A piece of SQL text. What is not `text` is a hole that the project writer fills, because only it
 * knows the other models (ref or source), and only the proof knows its clock.
 */
export type SqlPart =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'relation';
      readonly table: QualifiedName;
      /**
       * `current`: the table as this procedure finds it, and does not change before the read.
       * `former`: the table as it was before this procedure, which changes it.
       * `final`: the table as this procedure leaves it, built by another model of the same translation.
       */
      readonly state: 'current' | 'former' | 'final';
    }
  /** A CTE of the same query, or of one around it. */
  | { readonly kind: 'cte'; readonly name: string }
  /** A parameter of the procedure: a dbt `var` that holds an SQL expression, cast to the type. */
  | { readonly kind: 'parameter'; readonly name: string; readonly type: string }
  /** A clock function as its author wrote it: `now()`, `CURRENT_DATE`. `type` is its SQL type. */
  | { readonly kind: 'clock'; readonly text: string; readonly type: string }
  /** A branch over parameters: rendered as Jinja `if` / `elif` / `else`. */
  | { readonly kind: 'branch'; readonly arms: readonly BranchArm[] };

interface BranchArm {
  /** A Jinja condition over parameters; null for the closing `else`. */
  readonly condition: string | null;
  readonly sql: Sql;
}

export type Sql = readonly SqlPart[];

/** One step of a query, in author's words where they are author's. */
export interface Cte {
  readonly name: string;
  /** What the step does, for the comment above it: `insert into dw.sales`. */
  readonly title: string;
  /** Lines of the procedure's body that it comes from. */
  readonly lines: { readonly first: number; readonly last: number };
  /** Column names given in the CTE's head, `name (a, b) as (…)`; null where the query names them. */
  readonly columns: readonly string[] | null;
  readonly sql: Sql;
}

/** `with ctes final`. CTEs are in order: each reads only earlier ones. */
export interface Query {
  readonly ctes: readonly Cte[];
  readonly final: Sql;
}

/**
 * `table`: does not read the table's former state.
 * `rebuild`: a table made again from its former rows and new ones; always exact.
 * `view`: a routine or view that only gives rows.
 */
type Materialization = 'table' | 'rebuild' | 'view';

/**
 * A cheaper form of the same final state, shown to be equal by keys and statements.
 * `append`: `query` gives only new rows; former rows stay untouched.
 * `merge`: `query` gives new and changed rows, one per key; other rows stay untouched.
 */
export interface IncrementalForm {
  readonly strategy: 'append' | 'merge';
  /** Columns that are unique and not null in the table; empty for `append`. */
  readonly uniqueKey: readonly string[];
  readonly query: Query;
}

export interface ModelColumn {
  readonly name: string;
  /** Null where the procedure makes the table and the type can't be told from its text. */
  readonly type: string | null;
  readonly baseType: string | null;
  /**
   * Values of a surrogate key come from a sequence: the proof compares them up to renaming.
   * True where this model hands out such values itself.
   */
  readonly surrogate: boolean;
  /** Why this column can't be proven equal (random(), uuid); null where it can. */
  readonly unprovable: string | null;
}

/** One dbt model: the final state of one table that the procedure writes. */
export interface TranslatedModel {
  /** The table whose final state this is; the model's alias and schema. */
  readonly table: QualifiedName;
  readonly columns: readonly ModelColumn[];
  readonly materialization: Materialization;
  /** The whole final state of the table. */
  readonly query: Query;
  readonly incremental: IncrementalForm | null;
  /**
   * Tables whose models must be built before this one although its SQL does not ref them: they
   * read the former state of this model's table.
   */
  readonly buildAfter: readonly QualifiedName[];
  /** A step that several models share; the procedure itself has no such table. */
  readonly intermediate: boolean;
  /** First and last line of the procedure's body that this model comes from. */
  readonly lines: { readonly first: number; readonly last: number };
}

/** A query that must give no row: a dbt singular data test. */
export interface TranslatedTest {
  /** Unique within the translation; a valid dbt name. */
  readonly name: string;
  readonly query: Query;
  readonly line: number;
  readonly message: string;
  /**
   * `raise`: the procedure raises an error under the same condition.
   * `ambiguity`: rows here mean that the procedure's result depends on the order of its input.
   */
  readonly kind: 'raise' | 'ambiguity';
  /** `before`: must hold on the state that the procedure finds; `after`: on the models' rows. */
  readonly when: 'before' | 'after';
}

interface TranslatedParameter {
  readonly name: string;
  readonly type: string;
  /** SQL text of the default; null where the caller must give a value. */
  readonly defaultSql: string | null;
}

/** Why a procedure, or a part of it, was not translated. */
export interface Refusal {
  /** From the closed list in `refusals.ts`. */
  readonly code: string;
  /** Line of the procedure's body, first line 1. */
  readonly line: number;
  /** The construct as the author wrote it, shortened to one line. */
  readonly construct: string;
  readonly message: string;
  /** What a person can do about it. */
  readonly advice: string;
}

/** Something that a reviewer should know and that is not a refusal. */
export interface Note {
  readonly kind:
    | 'left-out'
    | 'log-table'
    | 'author-bug'
    | 'handler'
    | 'commit'
    | 'ambiguity'
    | 'unprovable'
    | 'inlined'
    | 'general';
  readonly line: number;
  readonly message: string;
}

/** A condition over data in the procedure: the proof counts which sides it has seen. */
export interface TranslatedBranch {
  readonly line: number;
  readonly label: string;
}

export interface Translation {
  /** `schema.name(argument types)`. */
  readonly routine: string;
  /**
   * `models`: tables change, and `models` builds them.
   * `checks`: it only checks; `tests` holds the checks.
   * `calls`: it only calls others; a selector, no model.
   * `nothing`: nothing that lasts depends on it (only logging).
   * `refused`: see `refusals`.
   */
  readonly outcome: 'models' | 'checks' | 'calls' | 'nothing' | 'refused';
  readonly models: readonly TranslatedModel[];
  readonly tests: readonly TranslatedTest[];
  readonly parameters: readonly TranslatedParameter[];
  readonly refusals: readonly Refusal[];
  readonly notes: readonly Note[];
  readonly branches: readonly TranslatedBranch[];
  /** Routines that it calls and whose effects are models of their own, in call order. */
  readonly calls: readonly string[];
  /** Tables that it reads, its own among them. */
  readonly reads: readonly QualifiedName[];
  /** Tables that it writes and that last, log tables left out. */
  readonly writes: readonly QualifiedName[];
  /** Tables that only get row counts, times and messages: not compared, no model. */
  readonly logTables: readonly QualifiedName[];
}
