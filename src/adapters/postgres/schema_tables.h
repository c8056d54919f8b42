#pragma once

// The tables of version 1; docs/internals/postgres.md says what each holds. Times are milliseconds since the
// Unix epoch, runs are 16 bytes whose order is that of their ids, names are text in the order of bytes, JSON
// that comes from outside is bytes which nobody looks into.

namespace ganglion::postgres {

inline constexpr const char* kTables = R"sql(
CREATE TABLE runs(
  id uuid PRIMARY KEY,
  workflow text COLLATE "C" NOT NULL,
  definition text NOT NULL,
  status text COLLATE "C" NOT NULL,
  session_id text COLLATE "C",
  labels text NOT NULL,
  created_at bigint NOT NULL,
  ended_at bigint,
  parent uuid,
  usage text NOT NULL,
  fork_of uuid,
  fork_seq bigint
) WITH (fillfactor = 70);
CREATE INDEX runs_open ON runs(id) WHERE ended_at IS NULL;
CREATE INDEX runs_by_workflow ON runs(workflow, id);
CREATE INDEX runs_by_status ON runs(status, id);
CREATE INDEX runs_by_session ON runs(session_id, id) WHERE session_id IS NOT NULL;
CREATE INDEX runs_by_parent ON runs(parent, id) WHERE parent IS NOT NULL;

CREATE TABLE run_labels(
  name text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  run uuid NOT NULL,
  PRIMARY KEY(name, value, run)
);

CREATE TABLE journal(
  run uuid NOT NULL,
  seq bigint NOT NULL,
  at bigint NOT NULL,
  type text NOT NULL,
  step text,
  item bigint,
  attempt bigint,
  data bytea NOT NULL,
  PRIMARY KEY(run, seq)
);

CREATE TABLE idempotency(
  key text COLLATE "C" PRIMARY KEY,
  run uuid NOT NULL,
  body_digest text NOT NULL
);

CREATE TABLE definitions(digest text COLLATE "C" PRIMARY KEY, source bytea NOT NULL);
CREATE TABLE settings(name text COLLATE "C" PRIMARY KEY, value bytea NOT NULL);

-- `handle` is what references to blobs name; so is that of `state`.
CREATE TABLE records(
  kind bigint NOT NULL,
  id text COLLATE "C" NOT NULL,
  run uuid,
  at bigint NOT NULL,
  data bytea NOT NULL,
  refers boolean NOT NULL,
  handle bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY(kind, id)
);
CREATE INDEX records_by_time ON records(kind, at, id);
CREATE INDEX records_by_run ON records(kind, run, at, id) WHERE run IS NOT NULL;

CREATE TABLE events(
  seq bigint PRIMARY KEY,
  topic text COLLATE "C" NOT NULL,
  source text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  time bigint NOT NULL,
  subject text,
  run uuid,
  step text,
  cause bigint,
  hops bigint NOT NULL,
  data bytea NOT NULL
);
CREATE UNIQUE INDEX events_by_id ON events(source, id);
CREATE INDEX events_by_topic ON events(topic, seq);

-- One row: the last seq of the log. Whoever appends holds it to the end of the transaction, so seqs become
-- visible in their order and without gaps.
CREATE TABLE event_log(last bigint NOT NULL) WITH (fillfactor = 10);
INSERT INTO event_log VALUES(0);

CREATE TABLE sessions(
  handle bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  id text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL DEFAULT 0,
  keys bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- A value is shown by the versions from `version` to before `until`.
CREATE TABLE state(
  handle bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  until bigint,
  expires_at bigint,
  value bytea NOT NULL,
  refers boolean NOT NULL
);
CREATE UNIQUE INDEX state_now ON state(session, key) WHERE until IS NULL;
CREATE INDEX state_past ON state(session, until) WHERE until IS NOT NULL;
CREATE INDEX state_expiring ON state(expires_at) WHERE until IS NULL AND expires_at IS NOT NULL;

CREATE TABLE cached_outputs(
  key text COLLATE "C" PRIMARY KEY,
  at bigint NOT NULL,
  expires_at bigint NOT NULL,
  output bytea NOT NULL
);
CREATE INDEX cached_outputs_expiring ON cached_outputs(expires_at);

-- `referred`: the last collection found a reference. A blob that loses one is looked at again.
CREATE TABLE blobs(
  digest bytea PRIMARY KEY,
  written_at bigint NOT NULL,
  referred boolean NOT NULL DEFAULT false,
  content bytea NOT NULL
);
ALTER TABLE blobs ALTER content SET STORAGE EXTERNAL;
CREATE INDEX blobs_unused ON blobs(written_at) WHERE NOT referred;

-- `kind` 0 is for ever (journals, events), 1 a record, 2 a value of a session's state. A reference counts also
-- where the blob comes later.
CREATE TABLE blob_references(
  digest bytea NOT NULL,
  kind bigint NOT NULL,
  holder bigint NOT NULL
);
CREATE INDEX blob_references_by_digest ON blob_references(digest);
CREATE INDEX blob_references_by_holder ON blob_references(kind, holder) WHERE kind > 0;

-- One row a connection that writes, from its process's start on: how far its groups have come, and the latest
-- time that they brought.
CREATE TABLE writers(
  id uuid PRIMARY KEY,
  epoch bigint NOT NULL,
  last_group bigint NOT NULL,
  last_time bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 10);
)sql";

}  // namespace ganglion::postgres
