-- "source" waits for "pipeline", which moves a table that it reads. The tables of pipelines
-- themselves are made by whoever comes first, a run or "sprocket move".
CREATE TABLE sprocket_wait (
  plan      VARCHAR(256) NOT NULL,
  source    VARCHAR(256) NOT NULL,
  pipeline  VARCHAR(256) NOT NULL,
  PRIMARY KEY (plan, source, pipeline),
  FOREIGN KEY (plan, source) REFERENCES sprocket_procedure
);
