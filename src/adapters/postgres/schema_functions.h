#pragma once

// What runs inside the server: the parts of a group of writes. Each is called once per write in a transaction
// that `begin_group` has opened, which locks what the group will change in an order that is the same for
// every process: runs by id, sessions by id, idempotency keys, the event log. So groups of several processes
// wait for one another but not in a circle; what is left (records, cached outputs and blobs that two
// processes write at once) the server finds and one of the two begins again.

namespace ganglion::postgres {

inline constexpr const char* kGroupFunctions = R"sql(
-- Makes one connection the writer of its process. An earlier one that is still at work is waited for and can't
-- begin another group. Gives how far the groups have come.
CREATE OR REPLACE FUNCTION enter(p_writer uuid, p_epoch bigint, p_forget_after interval) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_last_group bigint;
BEGIN
  INSERT INTO writers(id, epoch, last_group, last_time) VALUES(p_writer, p_epoch, 0, 0)
    ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch RETURNING last_group INTO v_last_group;
  WITH gone AS (DELETE FROM writers WHERE at < now() - p_forget_after AND id <> p_writer RETURNING last_time)
    UPDATE writers SET last_time = greatest(last_time, (SELECT max(last_time) FROM gone))
     WHERE id = p_writer AND EXISTS (SELECT FROM gone);
  RETURN v_last_group;
END $$;

CREATE OR REPLACE FUNCTION begin_group(p_writer uuid, p_epoch bigint, p_group bigint, p_time bigint, p_runs uuid[],
                            p_sessions text[], p_claims boolean, p_publishes boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  UPDATE writers SET last_group = p_group, last_time = greatest(last_time, p_time), at = now()
   WHERE id = p_writer AND epoch = p_epoch;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'another connection has taken over' USING ERRCODE = 'GA001';
  END IF;
  -- Whoever turns the outbox on waits for the groups that have begun without it.
  PERFORM pg_advisory_xact_lock_shared('outbox'::regclass::oid::bigint);
  PERFORM set_config('ganglion.outbox', CASE WHEN EXISTS (SELECT FROM settings WHERE name = 'outbox') THEN 'on' ELSE '' END,
                     true);
  PERFORM 1 FROM runs WHERE id = ANY(p_runs) ORDER BY id FOR NO KEY UPDATE;
  IF cardinality(p_sessions) > 0 THEN
    INSERT INTO sessions(id)
      SELECT n FROM unnest(p_sessions) n WHERE NOT EXISTS (SELECT FROM sessions WHERE id = n)
       ORDER BY n COLLATE "C" ON CONFLICT DO NOTHING;
    PERFORM 1 FROM sessions WHERE id = ANY(p_sessions) ORDER BY id FOR NO KEY UPDATE;
  END IF;
  IF p_claims THEN
    PERFORM pg_advisory_xact_lock('idempotency'::regclass::oid::bigint);
  END IF;
  IF p_publishes THEN
    PERFORM 1 FROM event_log FOR NO KEY UPDATE;
  END IF;
END $$;

-- Outcomes: 0 committed, 1 the version is another, 2 the key is taken, 3 the session has moved.
CREATE OR REPLACE FUNCTION commit_to_run(
    p_run uuid, p_expected bigint, p_at bigint[], p_type text[], p_step text[], p_item bigint[], p_attempt bigint[],
    p_data bytea[], p_status text, p_ended_at bigint, p_usage text, p_session text, p_session_version bigint,
    OUT o_outcome bigint, OUT o_actual bigint)
LANGUAGE plpgsql AS $$
BEGIN
  IF p_session_version IS NOT NULL THEN
    SELECT version INTO o_actual FROM sessions WHERE id = p_session;
    IF o_actual <> p_session_version THEN
      o_outcome := 3;
      RETURN;
    END IF;
  END IF;
  SELECT seq INTO o_actual FROM journal WHERE run = p_run ORDER BY seq DESC LIMIT 1;
  IF o_actual IS DISTINCT FROM p_expected THEN
    o_outcome := 1;
    o_actual := coalesce(o_actual, 0);
    RETURN;
  END IF;
  FOR i IN 1 .. cardinality(p_at) LOOP
    INSERT INTO journal(run, seq, at, type, step, item, attempt, data)
      VALUES(p_run, p_expected + i, p_at[i], p_type[i], p_step[i], p_item[i], p_attempt[i], p_data[i]);
  END LOOP;
  IF p_status IS NOT NULL THEN
    UPDATE runs SET status = p_status, ended_at = p_ended_at, usage = p_usage WHERE id = p_run;
  END IF;
  IF current_setting('ganglion.outbox', true) = 'on' THEN
    INSERT INTO outbox(run, due) VALUES(p_run, clock_timestamp()) ON CONFLICT DO NOTHING;
  END IF;
  o_outcome := 0;
END $$;

CREATE OR REPLACE FUNCTION create_run(
    p_run uuid, p_expected bigint, p_at bigint[], p_type text[], p_step text[], p_item bigint[], p_attempt bigint[],
    p_data bytea[], p_workflow text, p_definition text, p_status text, p_session_id text, p_labels text,
    p_label_names text[], p_label_values text[], p_created_at bigint, p_ended_at bigint, p_parent uuid, p_usage text,
    p_fork_of uuid, p_key text, p_body_digest text, p_session text, p_session_version bigint,
    OUT o_outcome bigint, OUT o_actual bigint, OUT o_taken_by uuid, OUT o_body_digest text)
LANGUAGE plpgsql AS $$
DECLARE
  v_source uuid := p_fork_of;
  v_behind uuid;
  v_behind_seq bigint;
BEGIN
  IF p_session_version IS NOT NULL THEN
    SELECT version INTO o_actual FROM sessions WHERE id = p_session;
    IF o_actual <> p_session_version THEN
      o_outcome := 3;
      RETURN;
    END IF;
  END IF;
  IF p_key IS NOT NULL THEN
    SELECT run, body_digest INTO o_taken_by, o_body_digest FROM idempotency WHERE key = p_key;
    IF FOUND THEN
      o_outcome := 2;
      RETURN;
    END IF;
  END IF;
  o_outcome := 1;
  SELECT seq INTO o_actual FROM journal WHERE run = p_run ORDER BY seq DESC LIMIT 1;
  IF FOUND THEN
    RETURN;
  END IF;
  IF p_fork_of IS NOT NULL THEN
    SELECT seq INTO o_actual FROM journal WHERE run = p_fork_of ORDER BY seq DESC LIMIT 1;
    o_actual := coalesce(o_actual, 0);
    IF o_actual < p_expected THEN
      RETURN;
    END IF;
    -- The run that wrote the last of the shared entries.
    LOOP
      SELECT fork_of, fork_seq INTO v_behind, v_behind_seq FROM runs WHERE id = v_source;
      EXIT WHEN v_behind IS NULL OR v_behind_seq < p_expected;
      v_source := v_behind;
    END LOOP;
  END IF;
  INSERT INTO runs(id, workflow, definition, status, session_id, labels, created_at, ended_at, parent, usage, fork_of,
                   fork_seq)
    VALUES(p_run, p_workflow, p_definition, p_status, p_session_id, p_labels, p_created_at, p_ended_at, p_parent, p_usage,
           v_source, CASE WHEN p_fork_of IS NOT NULL THEN p_expected END)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    -- Another process was quicker by a moment: the group begins again and then finds its journal.
    RAISE EXCEPTION 'the run has just been created' USING ERRCODE = 'serialization_failure';
  END IF;
  INSERT INTO run_labels(name, value, run) SELECT n, v, p_run FROM unnest(p_label_names, p_label_values) l(n, v);
  IF p_key IS NOT NULL THEN
    INSERT INTO idempotency(key, run, body_digest) VALUES(p_key, p_run, p_body_digest);
  END IF;
  FOR i IN 1 .. cardinality(p_at) LOOP
    INSERT INTO journal(run, seq, at, type, step, item, attempt, data)
      VALUES(p_run, p_expected + i, p_at[i], p_type[i], p_step[i], p_item[i], p_attempt[i], p_data[i]);
  END LOOP;
  IF current_setting('ganglion.outbox', true) = 'on' THEN
    INSERT INTO outbox(run, due) VALUES(p_run, clock_timestamp()) ON CONFLICT DO NOTHING;
  END IF;
  o_outcome := 0;
END $$;

-- Whether the commit whose parts follow was written.
CREATE OR REPLACE FUNCTION is_written() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT current_setting('ganglion.outcome', true) = '0'
$$;

-- The entries of a run, from one run of its chain of forks after another.
CREATE OR REPLACE FUNCTION journal_of(p_run uuid, p_after bigint, p_limit bigint) RETURNS SETOF journal LANGUAGE sql STABLE AS $$
  WITH RECURSIVE chain(run, last, fork_of, fork_seq) AS (
    SELECT id, 9223372036854775807, fork_of, fork_seq FROM runs WHERE id = p_run
    UNION ALL
    SELECT r.id, c.fork_seq, r.fork_of, r.fork_seq FROM chain c JOIN runs r ON r.id = c.fork_of)
  SELECT e.* FROM chain c
    CROSS JOIN LATERAL (SELECT * FROM journal j WHERE j.run = c.run AND j.seq > p_after AND j.seq <= c.last
                        ORDER BY j.seq LIMIT p_limit) e
   ORDER BY e.seq LIMIT p_limit
$$;
)sql";

inline constexpr const char* kPartFunctions = R"sql(
-- Rows are only ever added, so commits that refer to the same blob don't wait for one another; the lock on the
-- blob is one that only a collection waits for.
CREATE OR REPLACE FUNCTION add_references(p_digests bytea[], p_kind bigint, p_holder bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO blob_references(digest, kind, holder) SELECT d, p_kind, p_holder FROM unnest(p_digests) d;
  PERFORM 1 FROM blobs WHERE digest = ANY(p_digests) ORDER BY digest FOR KEY SHARE;
END $$;

CREATE OR REPLACE FUNCTION release_references(p_kind bigint, p_holder bigint) RETURNS void LANGUAGE sql AS $$
  WITH gone AS (DELETE FROM blob_references WHERE kind = p_kind AND holder = p_holder AND kind > 0 RETURNING digest)
  UPDATE blobs SET referred = false WHERE digest IN (SELECT digest FROM gone)
$$;

CREATE OR REPLACE FUNCTION put_record(p_kind bigint, p_id text, p_run uuid, p_at bigint, p_data bytea, p_blobs bytea[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_handle bigint;
  v_referred boolean;
BEGIN
  SELECT handle, refers INTO v_handle, v_referred FROM records WHERE kind = p_kind AND id = p_id FOR UPDATE;
  IF v_referred THEN
    PERFORM release_references(1, v_handle);
  END IF;
  INSERT INTO records(kind, id, run, at, data, refers)
    VALUES(p_kind, p_id, p_run, p_at, p_data, cardinality(p_blobs) > 0)
    ON CONFLICT (kind, id) DO UPDATE
      SET run = excluded.run, at = excluded.at, data = excluded.data, refers = excluded.refers
    RETURNING handle INTO v_handle;
  IF cardinality(p_blobs) > 0 THEN
    PERFORM add_references(p_blobs, 1, v_handle);
  END IF;
END $$;

-- Without an id all of the kind. Gives how many.
CREATE OR REPLACE FUNCTION remove_records(p_kind bigint, p_id text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_removed bigint := 0;
  v_handle bigint;
  v_referred boolean;
BEGIN
  FOR v_handle, v_referred IN
    DELETE FROM records WHERE kind = p_kind AND id >= coalesce(p_id, '') AND (p_id IS NULL OR id <= p_id)
    RETURNING handle, refers
  LOOP
    v_removed := v_removed + 1;
    IF v_referred THEN
      PERFORM release_references(1, v_handle);
    END IF;
  END LOOP;
  RETURN v_removed;
END $$;

CREATE OR REPLACE FUNCTION append_events(
    p_topics text[], p_sources text[], p_ids text[], p_versions bigint[], p_times bigint[], p_subjects text[],
    p_runs uuid[], p_steps text[], p_causes bigint[], p_hops bigint[], p_data bytea[], p_ref_events bigint[],
    p_ref_digests bytea[])
RETURNS TABLE(o_seq bigint, o_existed boolean) LANGUAGE plpgsql AS $$
DECLARE
  v_last bigint;
  v_before bigint;
BEGIN
  SELECT last INTO v_before FROM event_log FOR NO KEY UPDATE;
  v_last := v_before;
  FOR i IN 1 .. cardinality(p_topics) LOOP
    SELECT seq INTO o_seq FROM events WHERE source = p_sources[i] AND id = p_ids[i];
    o_existed := FOUND;
    IF NOT o_existed THEN
      v_last := v_last + 1;
      o_seq := v_last;
      INSERT INTO events(seq, topic, source, id, version, time, subject, run, step, cause, hops, data)
        VALUES(o_seq, p_topics[i], p_sources[i], p_ids[i], p_versions[i], p_times[i], p_subjects[i], p_runs[i], p_steps[i],
               p_causes[i], p_hops[i], p_data[i]);
      IF i = ANY(p_ref_events) THEN
        PERFORM add_references(ARRAY(SELECT d FROM unnest(p_ref_events, p_ref_digests) r(e, d) WHERE e = i), 0, 0);
      END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
  IF v_last > v_before THEN
    UPDATE event_log SET last = v_last;
  END IF;
END $$;

-- Makes the session's next version, which is the answer; a value that is null removes its key.
CREATE OR REPLACE FUNCTION write_session(p_session text, p_keys text[], p_values bytea[], p_expires bigint[], p_history bigint,
                              p_ref_writes bigint[], p_ref_digests bytea[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_session sessions;
  v_row bigint;
  v_version bigint;
  v_bytes bigint;
  v_refers boolean;
BEGIN
  UPDATE sessions SET version = version + 1 WHERE id = p_session RETURNING * INTO v_session;
  FOR i IN 1 .. cardinality(p_keys) LOOP
    SELECT handle, version, octet_length(value), refers INTO v_row, v_version, v_bytes, v_refers
      FROM state WHERE session = v_session.handle AND key = p_keys[i] AND until IS NULL;
    IF FOUND THEN
      v_session.keys := v_session.keys - 1;
      v_session.bytes := v_session.bytes - v_bytes;
      IF v_version < v_session.version THEN
        UPDATE state SET until = v_session.version WHERE handle = v_row;
      ELSE  -- written twice at one version: no version shows the first
        DELETE FROM state WHERE handle = v_row;
        IF v_refers THEN
          PERFORM release_references(2, v_row);
        END IF;
      END IF;
    END IF;
    CONTINUE WHEN p_values[i] IS NULL;
    v_refers := i = ANY(p_ref_writes);
    INSERT INTO state(session, key, version, expires_at, value, refers)
      VALUES(v_session.handle, p_keys[i], v_session.version, p_expires[i], p_values[i], v_refers)
      RETURNING handle INTO v_row;
    v_session.keys := v_session.keys + 1;
    v_session.bytes := v_session.bytes + octet_length(p_values[i]);
    IF v_refers THEN
      PERFORM add_references(ARRAY(SELECT d FROM unnest(p_ref_writes, p_ref_digests) r(w, d) WHERE w = i), 2, v_row);
    END IF;
  END LOOP;
  UPDATE sessions SET keys = v_session.keys, bytes = v_session.bytes WHERE handle = v_session.handle;
  FOR v_row, v_refers IN
    DELETE FROM state WHERE session = v_session.handle AND until <= v_session.version - p_history + 1
    RETURNING handle, refers
  LOOP
    IF v_refers THEN
      PERFORM release_references(2, v_row);
    END IF;
  END LOOP;
  RETURN v_session.version;
END $$;

-- Outcomes: 0 written, 1 the condition doesn't hold, 2 too large. Conditions: 0 none, 1 the key is absent, 2 it
-- was last written at `p_version`.
CREATE OR REPLACE FUNCTION write_state(
    p_session text, p_key text, p_value bytea, p_expires bigint, p_condition bigint, p_version bigint, p_max_keys bigint,
    p_max_bytes bigint, p_history bigint, p_blobs bytea[],
    OUT o_outcome bigint, OUT o_version bigint, OUT o_value bytea, OUT o_written_at bigint, OUT o_expires bigint)
LANGUAGE plpgsql AS $$
DECLARE
  v_session sessions;
  v_keys bigint;
  v_bytes bigint;
BEGIN
  SELECT * INTO v_session FROM sessions WHERE id = p_session;
  SELECT value, version, expires_at INTO o_value, o_written_at, o_expires
    FROM state WHERE session = v_session.handle AND key = p_key AND until IS NULL;
  IF (p_condition = 1 AND o_written_at IS NOT NULL)
     OR (p_condition = 2 AND o_written_at IS DISTINCT FROM p_version) THEN
    o_outcome := 1;
    RETURN;
  END IF;
  v_keys := v_session.keys - CASE WHEN o_written_at IS NULL THEN 0 ELSE 1 END + CASE WHEN p_value IS NULL THEN 0 ELSE 1 END;
  v_bytes := v_session.bytes - coalesce(octet_length(o_value), 0) + coalesce(octet_length(p_value), 0);
  o_value := NULL;
  IF (v_keys > p_max_keys AND v_keys > v_session.keys) OR (v_bytes > p_max_bytes AND v_bytes > v_session.bytes) THEN
    o_outcome := 2;
    RETURN;
  END IF;
  o_version := write_session(p_session, ARRAY[p_key], ARRAY[p_value], ARRAY[p_expires], p_history,
                             array_fill(1::bigint, ARRAY[cardinality(p_blobs)]), p_blobs);
  o_outcome := 0;
END $$;

CREATE OR REPLACE FUNCTION expire_state(p_now bigint, p_limit bigint, p_history bigint)
RETURNS TABLE(o_session text, o_version bigint) LANGUAGE plpgsql AS $$
DECLARE
  v_handle bigint;
  v_keys text[];
BEGIN
  FOR v_handle, o_session, v_keys IN
    SELECT due.session, due.id, array_agg(due.key)
      FROM (SELECT s.session, s.key, sessions.id FROM state s JOIN sessions ON sessions.handle = s.session
             WHERE s.until IS NULL AND s.expires_at IS NOT NULL AND s.expires_at <= p_now
             ORDER BY s.expires_at, sessions.id, s.key LIMIT p_limit) due
     GROUP BY due.session, due.id ORDER BY due.id
  LOOP
    PERFORM 1 FROM sessions WHERE handle = v_handle FOR NO KEY UPDATE;
    -- What somebody else wrote or removed until we had the lock stays.
    v_keys := ARRAY(SELECT key FROM state WHERE session = v_handle AND key = ANY(v_keys) AND until IS NULL
                       AND expires_at <= p_now ORDER BY key);
    CONTINUE WHEN cardinality(v_keys) = 0;
    o_version := write_session(o_session, v_keys, array_fill(NULL::bytea, ARRAY[cardinality(v_keys)]),
                               array_fill(NULL::bigint, ARRAY[cardinality(v_keys)]), p_history, '{}', '{}');
    RETURN NEXT;
  END LOOP;
END $$;

-- Looks at each blob that might be unused once: one that is referred to is marked and not looked at again until
-- it loses a reference. A blob that a commit is about to refer to is locked and left alone; one that is locked
-- here makes that commit wait.
CREATE OR REPLACE FUNCTION collect_garbage(p_now bigint, p_unused_since bigint, p_limit bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_collected bigint;
  v_blobs bigint := 0;
  v_digest bytea;
  v_looked_at bigint;
BEGIN
  DELETE FROM cached_outputs
   WHERE key IN (SELECT key FROM cached_outputs WHERE expires_at <= p_now ORDER BY expires_at LIMIT p_limit
                    FOR UPDATE SKIP LOCKED);
  GET DIAGNOSTICS v_collected = ROW_COUNT;
  LOOP
    v_looked_at := 0;
    FOR v_digest IN
      SELECT digest FROM blobs WHERE NOT referred AND written_at < p_unused_since
       ORDER BY written_at LIMIT p_limit - v_blobs FOR UPDATE SKIP LOCKED
    LOOP
      v_looked_at := v_looked_at + 1;
      IF EXISTS (SELECT FROM blob_references WHERE digest = v_digest) THEN
        UPDATE blobs SET referred = true WHERE digest = v_digest;
      ELSE
        DELETE FROM blobs WHERE digest = v_digest;
        v_blobs := v_blobs + 1;
      END IF;
    END LOOP;
    EXIT WHEN v_looked_at = 0;
  END LOOP;
  RETURN v_collected + v_blobs;
END $$;
)sql";

}  // namespace ganglion::postgres
