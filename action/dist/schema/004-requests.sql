-- What people asked of a run through GitHub, and was done: the same is told any number of times, and
-- late. Rows outlive a reset, which is itself asked for in this way.
CREATE TABLE sprocket_request (
  plan      VARCHAR(256) NOT NULL,
  request   VARCHAR(64) NOT NULL,         -- the UUID of the comment, button or click
  asked_at  TIMESTAMP NOT NULL,
  action    TEXT NULL CHECK (action IN ('RUN', 'PAUSE', 'STOP')),  -- what it set wirekite_action to
  PRIMARY KEY (plan, request)
);
