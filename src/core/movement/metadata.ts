/** The tables that a move keeps in the target: the two of the contract, and its own. */

/** What the dialects spell differently. */
export interface MetadataDialect {
  /** Quotes a name. */
  readonly ident: (name: string) => string;
  /** Text without a limit that matters. */
  readonly text: string;
  /** Follows a table's closing parenthesis. */
  readonly options: string;
}

/** Statements that create the metadata schema and its tables, each harmless where they are there. */
export function metadataStatements(schema: string, dialect: MetadataDialect): readonly string[] {
  const { ident, text, options } = dialect;
  const at = ident(schema);
  const table = (name: string, columns: string) =>
    `CREATE TABLE IF NOT EXISTS ${at}.${name} (${columns})${options}`;
  return [
    `CREATE SCHEMA IF NOT EXISTS ${at}`,
    table(
      'wirekite_progress',
      `source VARCHAR(256), target VARCHAR(256), operation TEXT NOT NULL, transmission TEXT NOT NULL DEFAULT 'F',
       mark VARCHAR(64) NULL, table_name VARCHAR(256) NULL, start_time TIMESTAMP NOT NULL, finish_time TIMESTAMP NULL,
       restarts INT DEFAULT 0 NOT NULL, PRIMARY KEY (source, target)`,
    ),
    table('wirekite_action', 'action VARCHAR(5), PRIMARY KEY (action)'),
    // So that people's UPDATE of the action works from the start.
    `INSERT INTO ${at}.wirekite_action (action) SELECT 'RUN' FROM (SELECT 1 AS one) x
      WHERE NOT EXISTS (SELECT 1 FROM ${at}.wirekite_action)`,
    table(
      'sprocket_move_table',
      `plan VARCHAR(256) NOT NULL, number INT NOT NULL, source_table VARCHAR(256) NOT NULL, mapping ${text} NOT NULL,
       phase VARCHAR(16) NOT NULL, files INT NOT NULL, covered ${text} NULL, complete INT NOT NULL,
       loaded_at VARCHAR(128) NULL, estimate BIGINT NOT NULL, nulled BIGINT NOT NULL, PRIMARY KEY (plan, number)`,
    ),
    table(
      'sprocket_move_file',
      `plan VARCHAR(256) NOT NULL, file VARCHAR(256) NOT NULL, number INT NOT NULL, lower_key ${text} NULL,
       upper_key ${text} NULL, excused INT DEFAULT 0 NOT NULL, PRIMARY KEY (plan, file)`,
    ),
    table(
      'sprocket_move_stream',
      `plan VARCHAR(256) NOT NULL, applied VARCHAR(128) NOT NULL, file INT NOT NULL, changes BIGINT NOT NULL,
       source_ms BIGINT NULL, stalls INT NOT NULL, cutover VARCHAR(16) NOT NULL, PRIMARY KEY (plan)`,
    ),
    table(
      'sprocket_move_lag',
      `plan VARCHAR(256) NOT NULL, bytes BIGINT NOT NULL, retained_bytes BIGINT NULL, status VARCHAR(32) NULL,
       measured_at VARCHAR(32) NOT NULL, PRIMARY KEY (plan)`,
    ),
    // Times as text: ISO 8601 in UTC, with milliseconds on every server.
    table(
      'sprocket_pipeline',
      `plan VARCHAR(256) NOT NULL, pipeline VARCHAR(256) NOT NULL, target_table VARCHAR(256) NOT NULL,
       follows INT NOT NULL, position INT NOT NULL, moving INT NOT NULL, started_at VARCHAR(32) NULL,
       loaded_at VARCHAR(32) NULL, failure ${text} NULL, held_by VARCHAR(256) NULL, PRIMARY KEY (plan, pipeline)`,
    ),
  ];
}
