-- The two tables that people and other programs know. Their columns are a contract.
CREATE TABLE IF NOT EXISTS wirekite_progress (
  source VARCHAR(256), target VARCHAR(256), operation TEXT NOT NULL, transmission TEXT NOT NULL DEFAULT 'F',
  mark VARCHAR(64) NULL, table_name VARCHAR(256) NULL, start_time TIMESTAMP NOT NULL, finish_time TIMESTAMP NULL,
  restarts INT DEFAULT 0 NOT NULL, PRIMARY KEY (source, target));

CREATE TABLE IF NOT EXISTS wirekite_action (action VARCHAR(5), PRIMARY KEY (action));

-- So that "UPDATE wirekite_action SET action = 'PAUSE'" works from the start.
INSERT INTO wirekite_action SELECT 'RUN' WHERE NOT EXISTS (SELECT FROM wirekite_action);
