/** A throw-away database server on which both sides of a proof run. */

/** One connection to one database. Values come as text, exactly as the server prints them. */
export interface SqlSession {
  /**
   * Runs one statement, or several separated by semicolons when there are no parameters.
   * Rows are those of the last statement that gives rows.
   */
  query(sql: string, parameters?: readonly (string | null)[]): Promise<SqlResult>;
  close(): Promise<void>;
}

export interface SqlResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly rowCount: number;
}

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
  /** Creates `to` with everything that `from` holds; replaces one of the same name. */
  clone(from: string, to: string): Promise<void>;
  drop(database: string): Promise<void>;
  connect(database: string): Promise<SqlSession>;
  parameters(database: string): ConnectionParameters;
  /** Stops the server if this sandbox started it, and removes its files. */
  close(): Promise<void>;
}
