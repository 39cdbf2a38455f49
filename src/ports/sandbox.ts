/** A throw-away database server on which both sides of a proof run. */

/** One connection to one database. Values come as text, exactly as the server prints them. */
export interface SqlSession {
  /**
   * Runs one statement, or several separated by semicolons when there are no parameters.
   * Rows are those of the last statement that gives rows. Throws `SqlError`.
   */
  query(sql: string, parameters?: readonly (string | null)[]): Promise<SqlResult>;
  /** Feeds a `COPY … FROM STDIN`; gives the number of rows that the server took. */
  copyIn(sql: string, data: CopyData): Promise<number>;
  /** What a `COPY … TO STDOUT` sends, in pieces that need not end at a line's end. */
  copyOut(sql: string): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

export type CopyData = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

export interface SqlResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly rowCount: number;
}

/** What the server said when it refused a statement. */
export class SqlError extends Error {
  override readonly name = 'SqlError';
  /** SQLSTATE, five characters; `08006` where the connection was lost. */
  readonly code: string;
  readonly detail: string | null;
  /** The call stack of stored code: `PL/pgSQL function dw.load() line 7 at SQL statement`. */
  readonly where: string | null;
  /** Offset in the statement's text, first character 1; null where the server gave none. */
  readonly position: number | null;

  constructor(fields: {
    readonly message: string;
    readonly code: string;
    readonly detail?: string | null;
    readonly where?: string | null;
    readonly position?: number | null;
  }) {
    super(fields.message);
    this.code = fields.code;
    this.detail = fields.detail ?? null;
    this.where = fields.where ?? null;
    this.position = fields.position ?? null;
  }

  /**
   * Whether it tells of the server, and not of the statement: connection lost, shutdown, disk full,
   * out of memory, no connection left.
   */
  get isOfServer(): boolean {
    return OF_SERVER.some((start) => this.code.startsWith(start));
  }
}

const OF_SERVER: readonly string[] = ['08', '53', '57P', '58'];

/** Where a client such as dbt reaches a database of the sandbox. Never printed. */
export interface ConnectionParameters {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface Sandbox {
  /** Creates an empty database; replaces one of the same name. */
  create(database: string): Promise<void>;
  /**
   * Creates `to` with everything that `from` holds; replaces one of the same name.
   * No session may be open on `from`.
   */
  clone(from: string, to: string): Promise<void>;
  /** Gives a database another name; replaces one that has it. No session may be open on it. */
  rename(from: string, to: string): Promise<void>;
  drop(database: string): Promise<void>;
  connect(database: string): Promise<SqlSession>;
  parameters(database: string): ConnectionParameters;
  /** Drops its databases, stops the server if this sandbox started it, and removes its files. */
  close(): Promise<void>;
}

export type SandboxErrorCode =
  | 'unsupported-platform'
  | 'no-account'
  | 'start-failed'
  | 'bad-url'
  | 'unreachable'
  | 'no-right'
  /** In the middle of the work: the server went away, or has run out of something. */
  | 'lost';

/** The sandbox itself is not to be had; `advice` says what a person can do. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError';
  readonly code: SandboxErrorCode;
  readonly advice: string;

  constructor(code: SandboxErrorCode, message: string, advice: string) {
    super(message);
    this.code = code;
    this.advice = advice;
  }
}
