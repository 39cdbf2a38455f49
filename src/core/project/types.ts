/** What the project writer takes and gives. Values only: reading and writing files is an edge's work. */
import type { Catalog, QualifiedName } from '../catalog/types.ts';
import type { Translation } from '../translate/types.ts';

/** A text file of a dbt project; `path` is relative to the project, with `/` on every system. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

export interface ProjectInput {
  readonly catalog: Catalog;
  /**
   * The translations that become part of the project, in execution order. A procedure that was
   * skipped or refused is left out: its tables are then read as sources.
   */
  readonly translations: readonly Translation[];
  readonly options: ProjectOptions;
}

export interface ProjectOptions {
  /** Name of a new project; ignored where one exists. */
  readonly name: string;
  /** `live`: the author's clock functions. Else a `timestamptz` literal that takes their place. */
  readonly clock: 'live' | string;
  /** SQL expressions for parameters, by routine and parameter; they take the place of defaults. */
  readonly parameters: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly unitTests: readonly ModelUnitTest[];
  readonly freshness: readonly SourceFreshness[];
  /** Tables that pipelines move: where they are in the target, by `schema.name` in the source. */
  readonly moved: ReadonlyMap<string, QualifiedName>;
  /** The project that the models are added to; null for a new one. */
  readonly existing: ExistingProject | null;
}

/** Rows of a table, values as the database prints them. */
export interface FixtureRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** One dbt unit test: what a model's query gives on a few rows. */
export interface ModelUnitTest {
  /** Unique within the project; other characters than letters, digits and `_` are replaced. */
  readonly name: string;
  readonly description: string;
  /** The routine and the table of the model under test. */
  readonly routine: string;
  readonly table: QualifiedName;
  /** Inputs that the model's SQL may read; those that it does not are left out, missing ones are empty. */
  readonly given: readonly ({
    readonly table: QualifiedName;
    readonly state: 'current' | 'former' | 'final';
  } & FixtureRows)[];
  /** SQL expressions for parameters of the routine, in place of what the project's variables hold. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Rows that the model's query gives: the table's whole state. May leave out columns. */
  readonly expected: FixtureRows;
  /** Those that are new or changed: what a query of an incremental form gives. */
  readonly expectedChanges: FixtureRows;
}

export interface SourceFreshness {
  readonly table: QualifiedName;
  /** The column that says when a row was loaded. */
  readonly loadedAtColumn: string;
  readonly warnAfterHours: number;
  readonly errorAfterHours: number | null;
}

/** What matters of a dbt project that is there already. Made by `readExistingProject`. */
export interface ExistingProject {
  readonly name: string;
  /** `dbt_project.yml`, byte for byte, and its path. */
  readonly projectFile: ProjectFile;
  readonly modelPath: string;
  readonly macroPath: string;
  readonly testPath: string;
  /** Names that models, seeds and snapshots of people have taken. */
  readonly modelNames: readonly string[];
  /** Models that an earlier rendering wrote. */
  readonly migrated: readonly MigratedModel[];
  readonly testNames: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly macroNames: readonly string[];
  /** Whether `generate_schema_name` is redefined, and takes a custom schema as it is written. */
  readonly schemaMacro: 'none' | 'verbatim' | 'other';
  /** Tables that existing models build, as far as their configuration says so. */
  readonly builtTables: readonly { readonly model: string; readonly table: QualifiedName }[];
  readonly sources: readonly ExistingSource[];
  /** Folder below the project in which models of a schema live already. */
  readonly schemaFolders: Readonly<Record<string, string>>;
  /** `yml` or `yaml`, and whether such files start with an underscore. */
  readonly yamlExtension: 'yml' | 'yaml';
  readonly yamlUnderscore: boolean;
  readonly selectorsFile: ProjectFile | null;
  /** Paths of all files that were read. */
  readonly paths: readonly string[];
}

export interface MigratedModel {
  readonly model: string;
  /** Null for a view of the database. */
  readonly procedure: string | null;
  /** `schema.name` of the table whose state it gives. */
  readonly table: string;
  /** True where it gives a state between two procedures. */
  readonly step: boolean;
}

/** A source table that the existing project has declared. */
export interface ExistingSource {
  readonly source: string;
  readonly name: string;
  readonly table: QualifiedName;
}

/** A model of the rendered project. */
export interface RenderedModel {
  readonly name: string;
  readonly path: string;
  /** The routine that it comes from; null for a view of the database. */
  readonly routine: string | null;
  /** The relation that dbt builds. */
  readonly relation: QualifiedName;
  /** The table whose state it gives: the relation itself, or the end of its chain. */
  readonly table: QualifiedName;
  /** `final`: builds the table. `step`: a state between two procedures. `view`: came along. */
  readonly role: 'final' | 'step' | 'view';
}

/** Something that a person must know or do before the project works as the procedures did. */
export interface ProjectProblem {
  readonly code:
    | 'table-built-twice'
    | 'macro-clash'
    | 'schema-macro'
    | 'foreign-table'
    | 'unsupported-name'
    | 'case-clash'
    | 'referenced-before'
    | 'function-reads-step'
    | 'domain-type'
    | 'no-contract';
  /** Table, model or file that it is about. */
  readonly subject: string;
  readonly message: string;
  readonly advice: string;
}

export interface RenderedProject {
  /** Sorted by path. Files of an existing project are here only where they change. */
  readonly files: readonly ProjectFile[];
  /** In build order. */
  readonly models: readonly RenderedModel[];
  /** Names of singular tests by routine. */
  readonly tests: readonly { readonly routine: string; readonly name: string }[];
  readonly problems: readonly ProjectProblem[];
}

/** The input can't be made into a project at all: a fault of whoever made the translations. */
export class ProjectError extends Error {
  override readonly name = 'ProjectError';
  readonly code: 'cycle' | 'unknown-model' | 'unsafe-path';

  constructor(code: ProjectError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
