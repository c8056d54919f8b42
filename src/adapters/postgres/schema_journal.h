#pragma once

// What makes a journal's rows an audit, in the store's schema and in that of an audit beside another store
// (audit_schema.h): rows are added, never changed, and can be read as what they are.

namespace ganglion::postgres {

inline constexpr const char* kAppendOnly = R"sql(
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER journal_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
)sql";

inline constexpr const char* kReadable = R"sql(
-- A run's id as the API writes it: 26 characters of Crockford's base 32.
CREATE FUNCTION run_text(p_run uuid) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT string_agg(substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', 1 + substring(b.bits FROM 5 * n + 1 FOR 5)::int, 1),
                    '' ORDER BY n)
    FROM (SELECT b'00' || ('x' || replace(p_run::text, '-', ''))::bit(128) AS bits) b, generate_series(0, 25) n
$$;
CREATE FUNCTION run_id(p_text text) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT string_agg(to_hex(substring(b.bits FROM 3 + 4 * n FOR 4)::int), '' ORDER BY n)::uuid
    FROM (SELECT string_agg((strpos('0123456789ABCDEFGHJKMNPQRSTVWXYZ', substr(p_text, n, 1)) - 1)::bit(5)::text,
                            '' ORDER BY n)::bit(130) AS bits
            FROM generate_series(1, 26) n) b, generate_series(0, 31) n
$$;
-- JSON that jsonb can't hold, such as a string with \u0000, comes as a string.
CREATE FUNCTION readable(p_data bytea) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
  RETURN convert_from(p_data, 'UTF8')::jsonb;
EXCEPTION WHEN OTHERS THEN
  RETURN to_jsonb(encode(p_data, 'escape'));
END $$;
)sql";

// Of a journal whose times are milliseconds since the Unix epoch.
inline constexpr const char* kAuditView = R"sql(
CREATE VIEW audit AS
  SELECT run_text(run) AS run, seq, to_timestamp(at / 1000.0) AS at, type, step, item, attempt, readable(data) AS data,
         run AS run_id
    FROM journal;
)sql";

}  // namespace ganglion::postgres
