-- One row per plan.
CREATE TABLE sprocket_run (
  plan        VARCHAR(256) PRIMARY KEY,
  plan_text   TEXT NOT NULL,              -- plan.md as the run last read it
  base_commit TEXT NULL,                  -- where the run's branch starts
  catalog     TEXT NULL,                  -- what the source held when it was last read, as JSON
  started_at  TIMESTAMP NOT NULL,
  finished_at TIMESTAMP NULL
);

-- One row per procedure that the plan ever included. What an attempt has reached is in
-- wirekite_progress, in the row of the same source.
CREATE TABLE sprocket_procedure (
  plan      VARCHAR(256) NOT NULL REFERENCES sprocket_run,
  source    VARCHAR(256) NOT NULL,        -- the name as wirekite_progress has it
  procedure TEXT NOT NULL,                -- the whole name
  included  BOOLEAN NOT NULL,
  position  INT NOT NULL,                 -- order of claiming: what is read comes first
  route     TEXT NOT NULL CHECK (route IN ('automatic', 'manual')),
  status    TEXT NOT NULL CHECK (status IN ('Pending', 'Blocked', 'Running', 'Failed', 'Completed',
            'Completed (manual)', 'Completed (accepted)', 'Skipped')),
  claim     TEXT NULL,                    -- who runs it
  proof     TEXT NULL,                    -- outcome of the latest proof
  reason    TEXT NULL,                    -- why it failed
  PRIMARY KEY (plan, source),
  CHECK ((claim IS NOT NULL) = (status = 'Running'))
);
CREATE INDEX sprocket_procedure_ready ON sprocket_procedure (plan, status, position);

-- "procedure" waits for "needs".
CREATE TABLE sprocket_dependency (
  plan      VARCHAR(256) NOT NULL,
  source    VARCHAR(256) NOT NULL,
  needs     VARCHAR(256) NOT NULL,
  PRIMARY KEY (plan, source, needs),
  FOREIGN KEY (plan, source) REFERENCES sprocket_procedure,
  FOREIGN KEY (plan, needs) REFERENCES sprocket_procedure
);
CREATE INDEX sprocket_dependency_needs ON sprocket_dependency (plan, needs);

-- What the phases of a procedure made: translation, files, verdict, unit tests.
CREATE TABLE sprocket_artifact (
  plan      VARCHAR(256) NOT NULL,
  source    VARCHAR(256) NOT NULL,
  kind      TEXT NOT NULL,
  path      TEXT NOT NULL,                -- of a file, from the root of the repository; else ''
  content   TEXT NOT NULL,
  PRIMARY KEY (plan, source, kind, path),
  FOREIGN KEY (plan, source) REFERENCES sprocket_procedure
);

-- The agent's log. "source" is NULL where a line is about the run.
CREATE TABLE sprocket_log (
  id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan      VARCHAR(256) NOT NULL REFERENCES sprocket_run,
  source    VARCHAR(256) NULL,
  at        TIMESTAMP NOT NULL,
  level     TEXT NOT NULL CHECK (level IN ('info', 'warning', 'error')),
  message   TEXT NOT NULL
);
CREATE INDEX sprocket_log_procedure ON sprocket_log (plan, source, id);

-- What people decided about a procedure: retry, skip, manual, accept.
CREATE TABLE sprocket_decision (
  id        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan      VARCHAR(256) NOT NULL,
  source    VARCHAR(256) NOT NULL,
  decision  TEXT NOT NULL,
  person    TEXT NOT NULL,
  reason    TEXT NULL,
  at        TIMESTAMP NOT NULL,
  FOREIGN KEY (plan, source) REFERENCES sprocket_procedure
);
CREATE INDEX sprocket_decision_procedure ON sprocket_decision (plan, source, id);
