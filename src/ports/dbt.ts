/** Running a dbt project against a database. */
import type { ConnectionParameters } from './sandbox.ts';

export interface DbtConnection extends ConnectionParameters {
  /** libpq's `sslmode`; left out: what libpq does by default. */
  readonly sslMode?: string;
}

export interface DbtProject {
  /** Folder with `dbt_project.yml`. Nothing is written to it. */
  readonly projectDir: string;
  readonly connection: DbtConnection;
  /** Values for `--vars`, SQL expressions as text. Other values than last time cost a full parse. */
  readonly vars: Readonly<Record<string, string>>;
  /** Milliseconds after which dbt is stopped and its queries are cancelled. */
  readonly timeoutMs?: number;
}

export interface DbtBuild extends DbtProject {
  /** dbt's node selection (`+orders`, `tag:nightly`); empty: everything. */
  readonly select: readonly string[];
  readonly exclude?: readonly string[];
  /** Only these kinds of nodes; left out: all. */
  readonly resources?: readonly ('model' | 'test' | 'unit_test')[];
  readonly threads: number;
  readonly fullRefresh?: boolean;
}

export type NodeStatus = 'success' | 'pass' | 'warn' | 'fail' | 'error' | 'skipped';

/** What dbt did with one model, test or hook. */
export interface NodeResult {
  /** `model.project.name`. */
  readonly id: string;
  readonly name: string;
  readonly resource: string;
  /** The model that a data test or unit test belongs to; null for everything else. */
  readonly model: string | null;
  readonly status: NodeStatus;
  /** dbt's message: the database's error, `Got 3 results`, or the statement's tag. */
  readonly message: string | null;
  /** Rows that the last statement touched; null where dbt does not know. */
  readonly rows: number | null;
  /** Rows that failed a test; null for anything but a test that ran. */
  readonly failures: number | null;
  readonly seconds: number;
  /** The compiled SQL; there until the runner is closed. Null where nothing was compiled. */
  readonly compiledPath: string | null;
}

export interface BuildResult {
  /** True where no node has failed. */
  readonly ok: boolean;
  readonly nodes: readonly NodeResult[];
  /** Warnings that dbt printed. */
  readonly warnings: readonly string[];
  readonly seconds: number;
}

export interface ParseResult {
  readonly warnings: readonly string[];
  readonly seconds: number;
}

export interface DbtVersion {
  readonly core: string;
  /** Version of dbt-postgres; null where dbt does not tell, as where it is built in. */
  readonly postgres: string | null;
  /** `python`: one process for all invocations. `command`: one process for each. */
  readonly mode: 'python' | 'command';
}

/** One dbt for many invocations, one after the other. */
export interface DbtRunner {
  /** Throws `DbtError` where dbt is missing, too old or without its PostgreSQL adapter. */
  version(): Promise<DbtVersion>;
  /** Reads the project and checks it, without touching the database. */
  parse(project: DbtProject): Promise<ParseResult>;
  /** Throws `DbtError` where dbt could not even begin; failed nodes are in the result. */
  build(build: DbtBuild): Promise<BuildResult>;
  /** Stops what is running and removes all files of the runner. */
  close(): Promise<void>;
}

export type DbtErrorCode =
  /** No dbt, or not the Python that it is installed in. */
  | 'missing'
  | 'too-old'
  | 'no-adapter'
  /** dbt does not take the project: a syntax error, an unknown ref. */
  | 'project'
  /** The database can't be reached or refuses the login. */
  | 'connection'
  | 'timeout'
  /** The process ended by itself, or was killed. */
  | 'crashed'
  | 'closed';

export class DbtError extends Error {
  override readonly name = 'DbtError';
  readonly code: DbtErrorCode;
  readonly advice: string;

  constructor(code: DbtErrorCode, message: string, advice: string) {
    super(message);
    this.code = code;
    this.advice = advice;
  }
}
