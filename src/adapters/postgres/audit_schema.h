#pragma once

// The tables of an audit beside a store, and what runs inside the server. All of it is one statement, which
// makes what is missing and nothing else, so that it can be sent on a connection like any other.

#include <string>

#include "adapters/postgres/schema_journal.h"

namespace ganglion::postgres {

// Conditions that the statements below raise.
inline constexpr const char* kNoAudit = "GA002";  // the schema is something else, or of a newer version
inline constexpr const char* kGap = "GA003";      // entries before those that are appended are missing

// `seq` is that of a run's last entry in `journal`; what comes behind it in its row is as of that entry or
// later. Times that people search by are times, so that indexes serve them.
inline constexpr const char* kAuditTables = R"sql(
CREATE TABLE identity(id uuid NOT NULL DEFAULT gen_random_uuid());
INSERT INTO identity DEFAULT VALUES;

CREATE TABLE runs(
  id uuid PRIMARY KEY,
  workflow text COLLATE "C" NOT NULL,
  definition text NOT NULL,
  session_id text COLLATE "C",
  labels bytea NOT NULL,
  parent uuid,
  created_at timestamptz NOT NULL,
  seq bigint NOT NULL,
  status text COLLATE "C" NOT NULL,
  ended_at timestamptz,
  usage bytea NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX runs_by_time ON runs(created_at);
CREATE INDEX runs_by_workflow ON runs(workflow, created_at);
CREATE INDEX runs_by_session ON runs(session_id, created_at) WHERE session_id IS NOT NULL;
CREATE INDEX runs_by_parent ON runs(parent) WHERE parent IS NOT NULL;

CREATE TABLE journal(
  run uuid NOT NULL,
  seq bigint NOT NULL,
  at timestamptz NOT NULL,
  type text COLLATE "C" NOT NULL,
  step text,
  item bigint,
  attempt bigint,
  data bytea NOT NULL,
  PRIMARY KEY(run, seq)
);
CREATE INDEX journal_by_time ON journal(at);
CREATE INDEX journal_by_type ON journal(type, at);
)sql";

inline constexpr const char* kAuditFunctions = R"sql(
-- Of a run's row only where the run stands changes, and never backwards.
CREATE TRIGGER runs_stay BEFORE DELETE OR TRUNCATE ON runs FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER runs_go_on BEFORE UPDATE ON runs FOR EACH ROW
  WHEN (NEW.seq < OLD.seq OR (NEW.id, NEW.workflow, NEW.definition, NEW.session_id, NEW.labels, NEW.parent, NEW.created_at)
        IS DISTINCT FROM (OLD.id, OLD.workflow, OLD.definition, OLD.session_id, OLD.labels, OLD.parent, OLD.created_at))
  EXECUTE FUNCTION refuse_change();

-- Adds the entries that aren't there yet. Runs are locked in the order of their ids, so that of several that copy
-- the same one waits for the other, and then finds it done.
CREATE FUNCTION append(
    p_runs uuid[], p_workflows text[], p_definitions text[], p_sessions text[], p_labels bytea[], p_parents uuid[],
    p_created bigint[], p_statuses text[], p_ended bigint[], p_usages bytea[],
    p_of uuid[], p_seqs bigint[], p_at bigint[], p_types text[], p_steps text[], p_items bigint[], p_attempts bigint[],
    p_data bytea[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO runs(id, workflow, definition, session_id, labels, parent, created_at, seq, status, usage)
    SELECT n.id, n.workflow, n.definition, n.session, n.labels, n.parent, to_timestamp(n.created / 1000.0), 0, n.status, n.usage
      FROM unnest(p_runs, p_workflows, p_definitions, p_sessions, p_labels, p_parents, p_created, p_statuses, p_usages)
           n(id, workflow, definition, session, labels, parent, created, status, usage)
     WHERE NOT EXISTS (SELECT FROM runs WHERE runs.id = n.id) ORDER BY n.id ON CONFLICT DO NOTHING;
  PERFORM 1 FROM runs WHERE id = ANY(p_runs) ORDER BY id FOR NO KEY UPDATE;
  IF EXISTS (SELECT FROM (SELECT e.run, min(e.seq) AS first, max(e.seq) AS last, count(*) AS entries
                            FROM unnest(p_of, p_seqs) e(run, seq) GROUP BY e.run) g
               LEFT JOIN runs r ON r.id = g.run
              WHERE g.first > coalesce(r.seq, -1) + 1 OR g.last - g.first + 1 <> g.entries) THEN
    RAISE EXCEPTION 'entries before these are missing' USING ERRCODE = 'GA003';
  END IF;
  INSERT INTO journal(run, seq, at, type, step, item, attempt, data)
    SELECT e.run, e.seq, to_timestamp(e.at / 1000.0), e.type, e.step, e.item, e.attempt, e.data
      FROM unnest(p_of, p_seqs, p_at, p_types, p_steps, p_items, p_attempts, p_data)
           e(run, seq, at, type, step, item, attempt, data)
      JOIN runs r ON r.id = e.run
     WHERE e.seq > r.seq;
  UPDATE runs r SET seq = g.last, status = n.status, ended_at = to_timestamp(n.ended / 1000.0), usage = n.usage
    FROM (SELECT e.run, max(e.seq) AS last FROM unnest(p_of, p_seqs) e(run, seq) GROUP BY e.run) g
    JOIN unnest(p_runs, p_statuses, p_ended, p_usages) n(id, status, ended, usage) ON n.id = g.run
   WHERE r.id = g.run AND g.last >= r.seq;
END $$;
)sql";

// `audit` has the columns of the store's own view, so the same queries work on both.
inline constexpr const char* kAuditViews = R"sql(
CREATE VIEW audit AS
  SELECT run_text(run) AS run, seq, at, type, step, item, attempt, readable(data) AS data, run AS run_id FROM journal;
CREATE VIEW audit_runs AS
  SELECT run_text(id) AS run, workflow, definition, session_id, readable(labels) AS labels, run_text(parent) AS parent,
         created_at, status, ended_at, readable(usage) AS usage, seq, id AS run_id
    FROM runs;
)sql";

inline std::string audit_schema() {
  const std::string before = R"sql(DO $make$
DECLARE
  v_schema text := current_setting('search_path');
  v_version bigint;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('ganglion schema ' || v_schema, 0));
  IF to_regnamespace(v_schema) IS NULL THEN
    EXECUTE format('CREATE SCHEMA %I', v_schema);
  END IF;
  IF to_regclass('schema_version') IS NOT NULL THEN
    RAISE EXCEPTION 'schema "%" is a store''s; name another one for the audit with ?schema=', v_schema
      USING ERRCODE = 'GA002';
  END IF;
  IF to_regclass('audit_version') IS NULL THEN
    CREATE TABLE audit_version(version bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
  END IF;
  SELECT coalesce(max(version), 0) INTO v_version FROM audit_version;
  IF v_version > 1 THEN
    RAISE EXCEPTION 'the audit in schema "%" was made by a newer Ganglion; use that one or a newer one', v_schema
      USING ERRCODE = 'GA002';
  END IF;
  IF v_version = 0 THEN
)sql";
  const std::string behind = R"sql(
    INSERT INTO audit_version(version) VALUES(1);
  END IF;
END $make$)sql";
  return before + kAuditTables + kAppendOnly + kReadable + kAuditFunctions + kAuditViews + behind;
}

}  // namespace ganglion::postgres
