/** What a `plan.md` says, as values, and what can be wrong with it. */
import type { QualifiedName } from '../catalog/types.ts';
import type { Status } from '../lifecycle/state.ts';

export const DIALECTS = ['postgres', 'mysql'] as const;
export type Dialect = (typeof DIALECTS)[number];

export const RATINGS = ['Likely', 'Possible', 'Unlikely', 'Manual'] as const;
/** How well a procedure is suited for automatic translation. */
export type Rating = (typeof RATINGS)[number];

export const MODES = ['load', 'load + changes'] as const;
/** `load`: the rows as they are now. `load + changes`: then every change until cutover. */
export type PipelineMode = (typeof MODES)[number];

/** A place in the text: line and column from 1, the column in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A database that the plan names. `urlVariable` is the NAME of the variable that holds its URL. */
interface DatabaseSetting {
  readonly dialect: Dialect;
  readonly urlVariable: string;
}

export interface PlanSettings {
  /** Also the name of the branch, `sprocket/<name>`. */
  readonly name: string;
  readonly source: DatabaseSetting;
  readonly target: DatabaseSetting & { readonly metadataSchema: string };
  /** Null: an embedded PostgreSQL. */
  readonly sandbox: { readonly urlVariable: string } | null;
  readonly production: {
    /** `owner/name`; null: the repository that holds the plan. */
    readonly repository: string | null;
    /** The branch that the pull request goes to; null: the repository's default branch. */
    readonly base: string | null;
    /** Folder of the dbt project, relative to the repository's root, `/` between its parts. */
    readonly project: string;
    /** Logins of people, and `organisation/team` for teams. */
    readonly reviewers: readonly string[];
    readonly labels: readonly string[];
  };
  readonly workers: number;
  readonly proof: {
    /** Tables with more rows are sampled. */
    readonly maxRows: number;
    /** Where rows of tables that pipelines have loaded are taken from. */
    readonly rows: 'target' | 'source';
    /** Values by parameter name, for every procedure that has such a parameter; SQL expressions. */
    readonly parameters: Readonly<Record<string, string>>;
  };
  /** What becomes of MySQL's zero dates on their way. */
  readonly zeroDates: 'error' | 'as_null';
  /** Tables that look like logs but hold data: they become models and are compared. */
  readonly dataTables: readonly QualifiedName[];
}

/** A value for a parameter: an SQL expression, as it would stand in a CALL. */
export interface Argument {
  /** Null where it is given by place. */
  readonly parameter: string | null;
  readonly sql: string;
}

/** What a Status cell says: `Blocked: waits for dw.load_dim_customer()`. */
export interface StatusCell {
  readonly status: Status;
  readonly detail: string | null;
}

export interface PlannedPipeline {
  /** `schema.table` of the source: how progress rows name the pipeline. */
  readonly id: string;
  readonly include: boolean;
  readonly source: QualifiedName;
  readonly target: QualifiedName;
  /** Columns of the key; empty: the primary key of the source. */
  readonly key: readonly string[];
  readonly mode: PipelineMode;
  readonly status: StatusCell;
  readonly position: Position;
}

export interface PlannedProcedure {
  /** `schema.name(argument types)`, spelled as the catalog's `routineId` spells it. */
  readonly id: string;
  readonly include: boolean;
  readonly name: QualifiedName;
  readonly argumentTypes: readonly string[];
  /** From the Arguments column and from `procedures` in the front matter. */
  readonly arguments: readonly Argument[];
  readonly writes: readonly QualifiedName[];
  readonly dependsOn: {
    /** Ids of procedures of this plan. */
    readonly procedures: readonly string[];
    readonly tables: readonly QualifiedName[];
  };
  readonly rating: Rating | null;
  readonly ratingReasons: string | null;
  /** Log tables that are data where this procedure writes them; adds to those of the settings. */
  readonly dataTables: readonly QualifiedName[];
  readonly status: StatusCell;
  readonly position: Position;
}

export interface Plan {
  readonly settings: PlanSettings;
  /** In the order of their rows. */
  readonly pipelines: readonly PlannedPipeline[];
  /** In the order of their rows: the order in which they run where nothing else decides it. */
  readonly procedures: readonly PlannedProcedure[];
  /** Where each setting stands, by dotted path (`source.url`). */
  readonly positions: ReadonlyMap<string, Position>;
}

export type PlanProblemCode =
  | 'too-large'
  | 'front-matter-missing'
  | 'yaml-syntax'
  | 'setting-missing'
  | 'setting-unknown'
  | 'setting-invalid'
  | 'url-instead-of-name'
  | 'section-missing'
  | 'section-duplicate'
  | 'table-missing'
  | 'table-malformed'
  | 'row-malformed'
  | 'column-missing'
  | 'column-duplicate'
  | 'include-invalid'
  | 'rating-invalid'
  | 'mode-invalid'
  | 'status-invalid'
  | 'name-invalid'
  | 'name-too-long'
  | 'argument-invalid'
  | 'pipeline-duplicate'
  | 'pipeline-onto-itself'
  | 'procedure-duplicate'
  | 'procedure-unknown'
  | 'nothing-included'
  | 'variable-empty';

/** Something wrong with a plan. The message says what to write instead; it never holds a secret. */
export interface PlanProblem extends Position {
  readonly code: PlanProblemCode;
  readonly message: string;
}
