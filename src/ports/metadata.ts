/**
 * The metadata tables of a run, in the target database. Everything that workers, commands and people
 * share goes through them.
 */
import type { RunMember, RunMembers } from '../core/lifecycle/run.ts';
import type { DoneRequest } from '../core/lifecycle/requests.ts';
import type { PipelineRecord } from '../core/movement/pipeline-record.ts';
import type { Instant, ProcedureState, Status } from '../core/lifecycle/state.ts';

/** One connection to the metadata tables; claims last as long as it. */
export interface Metadata {
  /** Creates the schema and its tables, or brings them up to date; safe to call at any time. */
  migrate(): Promise<void>;

  /** The words in `wirekite_action`, as they are. */
  actions(): Promise<readonly (string | null)[]>;
  /** Makes this the only row of `wirekite_action`. */
  setAction(action: 'RUN' | 'PAUSE' | 'STOP'): Promise<void>;

  /** Records what the plan includes; keeps the state of procedures that are known already. */
  start(definition: RunDefinition, decide: Decide): Promise<void>;
  /** Null where the plan was never started. */
  run(plan: string): Promise<RunRecord | null>;
  /** Every procedure that the plan includes, in its order. */
  members(plan: string): Promise<RunMembers>;
  /** How many of them have which status; those without any are left out. */
  counts(plan: string): Promise<ReadonlyMap<Status, number>>;
  /** What the source held when it was last read, as JSON; null where it never was. */
  catalog(plan: string): Promise<string | null>;
  saveCatalog(plan: string, catalog: string): Promise<void>;
  /** Closes or, with null, opens the run. */
  setFinished(plan: string, at: Instant | null): Promise<void>;

  /**
   * Changes procedures in one transaction. Their rows are locked before `decide` sees them, with
   * those that depend on them; what these depend on is shown too.
   */
  change(plan: string, ids: readonly string[], decide: Decide): Promise<void>;

  /** Makes this connection count as a worker of the plan; false while the plan is being reset. */
  join(plan: string): Promise<boolean>;
  /** Connections that joined the plan and live. */
  workers(plan: string): Promise<number>;
  /**
   * Locks up to `most` procedures for this connection, those of dead workers first, and shows them
   * to `decide`. Gives those that `decide` made Running; of others the lock is let go.
   */
  claim(plan: string, most: number, decide: DecideClaim): Promise<readonly RunMember[]>;
  /** Lets go of the locks of procedures whose state is recorded. */
  unlock(plan: string, ids: readonly string[]): Promise<void>;

  artifacts(plan: string, filter?: ArtifactFilter): Promise<readonly Artifact[]>;
  log(plan: string, lines: readonly LogLine[]): Promise<void>;
  /** In the order in which they were written. */
  logs(plan: string, filter?: LogFilter): Promise<readonly LogRecord[]>;
  decisions(plan: string): Promise<readonly Decision[]>;

  /** In the order of the plan. */
  pipelines(plan: string): Promise<readonly PipelineRecord[]>;
  /** Has failed pipelines tried again, with those that they hold up. */
  retryPipelines(plan: string, ids: readonly string[]): Promise<void>;
  /** Whether some worker moves the tables of the plan now. */
  isMoving(plan: string): Promise<boolean>;

  /** What people asked for through GitHub and was done, in the order of asking; a reset keeps it. */
  requests(plan: string): Promise<readonly DoneRequest[]>;
  recordRequest(plan: string, request: DoneRequest): Promise<void>;

  /**
   * Forgets the plan and empties the tables that its pipelines loaded, in one transaction; does
   * nothing but to say so while the action is not STOP or anybody holds a lock.
   */
  reset(plan: string, isStopped: IsStopped): Promise<ResetResult>;

  close(): Promise<void>;
}

/** The right to report how a run stands: one process has it, and it dies with its holder. */
export interface Leadership {
  /** Whether this process has it; tries to get it where nobody has. */
  holds(): Promise<boolean>;
  close(): Promise<void>;
}

export interface TableName {
  readonly schema: string;
  readonly name: string;
}

export type IsStopped = (actions: readonly (string | null)[]) => boolean;
export type ResetResult =
  | { readonly kind: 'done'; readonly tables: readonly TableName[] }
  | { readonly kind: 'not-stopped' | 'locked' };

export interface RunDefinition {
  readonly plan: string;
  readonly planText: string;
  /** Commit that the run's branch starts from; kept from the first start on. */
  readonly baseCommit: string | null;
  readonly at: Instant;
  /** In the order in which they are claimed. */
  readonly procedures: readonly {
    readonly id: string;
    readonly dependsOn: readonly string[];
    /** Ids of pipelines that it waits for. */
    readonly pipelines: readonly string[];
  }[];
  /** Those that the plan includes, in its order. */
  readonly pipelines: readonly {
    readonly id: string;
    /** `schema.table`. */
    readonly target: string;
    readonly follows: boolean;
  }[];
}

export interface RunRecord {
  readonly plan: string;
  readonly planText: string;
  readonly baseCommit: string | null;
  readonly startedAt: Instant;
  readonly finishedAt: Instant | null;
}

export type Decide = (members: RunMembers) => Changes;

export interface Changes {
  /** New states, by procedure. */
  readonly states: ReadonlyMap<string, ProcedureState>;
  /** Each takes the place of what the procedure had of the same kind. */
  readonly artifacts?: readonly ArtifactSet[];
  readonly logs?: readonly LogLine[];
  readonly decisions?: readonly Decision[];
}

/** `crashed`: it is Running, and the worker that ran it is gone. Null: leave it alone. */
export type DecideClaim = (member: RunMember, crashed: boolean) => ProcedureState | null;

/** What phases leave behind: each has its kind, so that a later worker can go on from it. */
export const ARTIFACT_KINDS = ['translation', 'file', 'verdict', 'unit-tests'] as const;
export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];

export interface ArtifactSet {
  readonly id: string;
  readonly kind: ArtifactKind;
  /** Content by path; the path is `''` where the kind has only one. */
  readonly contents: ReadonlyMap<string, string>;
}

export interface Artifact {
  readonly id: string;
  readonly kind: ArtifactKind;
  readonly path: string;
  readonly content: string;
}

export interface ArtifactFilter {
  readonly ids?: readonly string[];
  readonly kinds?: readonly ArtifactKind[];
}

export interface LogLine {
  /** Procedure; null for a line about the run. */
  readonly id: string | null;
  readonly at: Instant;
  readonly level: 'info' | 'warning' | 'error';
  readonly message: string;
}

export interface LogRecord extends LogLine {
  /** Grows with every line. */
  readonly number: number;
}

export interface LogFilter {
  readonly id?: string;
  /** Only lines with a greater number. */
  readonly after?: number;
}

export interface Decision {
  readonly id: string;
  readonly decision: 'retry' | 'skip' | 'manual' | 'accept';
  readonly person: string;
  readonly reason: string | null;
  readonly at: Instant;
}

export type MetadataErrorCode =
  | 'foreign-table'
  | 'newer-schema'
  | 'no-right'
  | 'no-tables'
  | 'unknown-run';

export class MetadataError extends Error {
  override readonly name = 'MetadataError';
  readonly code: MetadataErrorCode;
  readonly advice: string;

  constructor(code: MetadataErrorCode, message: string, advice: string) {
    super(message);
    this.code = code;
    this.advice = advice;
  }
}
