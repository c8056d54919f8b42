#pragma once

// The outbox: what version 2 of the schema brings, and what runs inside the server.

namespace ganglion::postgres {

// Runs whose journals are still to be copied, by when they may be taken. Rows come and go with every
// commit, so what they leave is cleared away early.
inline constexpr const char* kOutboxTable = R"sql(
CREATE TABLE outbox(run uuid PRIMARY KEY, due timestamptz NOT NULL)
  WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX outbox_due ON outbox(due, run);
)sql";

// A run is locked by commits to it and while it is settled, so a run that goes on meanwhile isn't forgotten.
inline constexpr const char* kOutboxFunctions = R"sql(
CREATE OR REPLACE FUNCTION turn_outbox_on() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM settings WHERE name = 'outbox') THEN
    PERFORM pg_advisory_xact_lock('outbox'::regclass::oid::bigint);
    INSERT INTO settings(name, value) VALUES('outbox', 'on') ON CONFLICT DO NOTHING;
  END IF;
END $$;

-- A lease that would end later than any from now on is one from before the clock was set back.
CREATE OR REPLACE FUNCTION take_from_outbox(p_limit bigint, p_lease bigint, p_longest_lease bigint) RETURNS SETOF uuid
LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := clock_timestamp();
  v_millisecond interval := '1 millisecond';
  v_runs uuid[];
BEGIN
  v_runs := ARRAY(SELECT run FROM outbox WHERE due <= v_now ORDER BY due, run LIMIT p_limit FOR UPDATE SKIP LOCKED);
  v_runs := v_runs || ARRAY(SELECT run FROM outbox WHERE due > v_now + p_longest_lease * v_millisecond
                             ORDER BY due, run LIMIT p_limit - cardinality(v_runs) FOR UPDATE SKIP LOCKED);
  UPDATE outbox SET due = v_now + p_lease * v_millisecond WHERE run = ANY(v_runs);
  RETURN QUERY SELECT unnest(v_runs);
END $$;

CREATE OR REPLACE FUNCTION settle_outbox(p_runs uuid[], p_seqs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM outbox o USING unnest(p_runs, p_seqs) c(run, seq)
   WHERE o.run = c.run AND (SELECT j.seq FROM journal j WHERE j.run = c.run ORDER BY j.seq DESC LIMIT 1) <= c.seq;
  UPDATE outbox SET due = clock_timestamp() WHERE run = ANY(p_runs);
END $$;
)sql";

}  // namespace ganglion::postgres
