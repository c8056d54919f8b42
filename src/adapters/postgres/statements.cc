#include "adapters/postgres/statements.h"

#include "adapters/postgres/promises.h"

namespace ganglion::postgres {
namespace {

constexpr const char* kIfWritten = " WHERE is_written()";

// Notes the outcome for the parts that follow in the same transaction.
std::string noting_outcome(const std::string& call) {
  return "SELECT c.*, set_config('ganglion.outcome', c.o_outcome::text, true) FROM " + call + " c";
}

const std::string kCommitCall = "commit_to_run($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const std::string kCreateCall =
    "create_run($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, "
    "$21, "
    "$22, $23, $24)";
const std::string kPutRecordCall = "SELECT put_record($1, $2, $3, $4, $5, $6)";
const std::string kAppendEventsCall =
    "SELECT o_seq, o_existed FROM append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";

// The columns of a run in the order in which read_record takes them.
std::string run_columns(const std::string& table) {
  std::string columns;
  for (const char* name : {"id", "workflow", "definition", "status", "session_id", "labels", "created_at",
                           "ended_at", "parent", "usage"})
    columns += (columns.empty() ? "" : ", ") + table + "." + name;
  return columns;
}

constexpr const char* kEntryColumns = "j.seq, j.at, j.type, j.step, j.item, j.attempt, j.data";

// $1 runs before, $2 slice, $3 matches wanted, $4 workflow, $5 status, $6 session, $7 parent, $8 label names,
// $9 their values. Gives the id of every run that was looked at, oldest last, and the rest of those that
// match; stops where enough have matched.
std::string list_runs(const std::string& from) {
  return "SELECT s.id, " + run_columns("r") +
         " FROM (SELECT id, matched, sum(matched::int) OVER (ORDER BY id DESC) - matched::int AS before FROM "
         "("
         "SELECT r.id, ($4::text IS NULL OR r.workflow = $4) AND ($5::text IS NULL OR r.status = $5)"
         " AND ($6::text IS NULL OR r.session_id IS NOT DISTINCT FROM $6)"
         " AND ($7::uuid IS NULL OR r.parent IS NOT DISTINCT FROM $7)"
         " AND NOT EXISTS (SELECT FROM unnest($8::text[], $9::text[]) l(n, v) WHERE NOT EXISTS ("
         "SELECT FROM run_labels x WHERE x.name = l.n AND x.value = l.v AND x.run = r.id)) AS matched FROM " +
         from +
         " LIMIT $2::bigint) looked_at) s LEFT JOIN runs r ON r.id = s.id AND s.matched"
         " WHERE s.before < $3::bigint ORDER BY s.id DESC";
}

std::string list_runs_where(const std::string& condition) {
  return list_runs("runs r WHERE r.id < $1::uuid" + condition + " ORDER BY r.id DESC");
}

// $1 < seq < $2, $3 slice, $4 topic or pattern as a regular expression or null for all, $5 events wanted, $6
// bytes wanted. As list_runs.
std::string read_events(const std::string& matched, const std::string& condition, const std::string& order) {
  return "SELECT s.seq, e.topic, e.source, e.id, e.version, e.time, e.subject, e.run, e.step, e.cause, "
         "e.hops, "
         "e.data FROM (SELECT seq, matched, sum(matched::int) OVER w - matched::int AS before,"
         " sum(bytes) OVER w - bytes AS bytes_before FROM ("
         "SELECT seq, matched, CASE WHEN matched THEN bytes ELSE 0 END AS bytes FROM ("
         "SELECT seq, " +
         matched +
         " AS matched, octet_length(data) AS bytes FROM events WHERE seq > $1::bigint AND seq < $2::bigint" +
         condition + " ORDER BY seq " + order +
         " LIMIT $3::bigint) looked_at) sized WINDOW w AS (ORDER BY seq " + order +
         ")) s LEFT JOIN events e ON e.seq = s.seq AND s.matched WHERE s.before < $5::bigint AND "
         "s.bytes_before < "
         "$6::bigint ORDER BY s.seq " +
         order;
}

const std::string kMatchesPattern = "($4::text IS NULL OR topic ~ $4)";
const std::string kOnTopic = " AND topic = $4::text";

}  // namespace

const Statement kBegin{"begin", "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"};
const Statement kCommitTransaction{"commit", "COMMIT"};
const Statement kRollBack{"roll_back", "ROLLBACK"};
// The process's connection before this one, if the server still has it.
const Statement kEndOther{"end_other",
                          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1::bigint AND "
                          "backend_start::text = $2::text"};
const Statement kEnter{"enter", "SELECT enter($1, $2, '90 days')"};
const Statement kBeginGroup{"begin_group", "SELECT begin_group($1, $2, $3, $4, $5, $6, $7, $8)"};

const Statement kCommitToRun{"commit_to_run", "SELECT * FROM " + kCommitCall};
const Statement kCommitToRunWithParts{"commit_to_run_with_parts", noting_outcome(kCommitCall)};
const Statement kCreateRun{"create_run", "SELECT * FROM " + kCreateCall};
const Statement kCreateRunWithParts{"create_run_with_parts", noting_outcome(kCreateCall)};

const Statement kPutRecord{"put_record", kPutRecordCall};
const Statement kPutRecordPart{"put_record_part", kPutRecordCall + kIfWritten};
const Statement kRemoveRecords{"remove_records", "SELECT remove_records($1, $2)"};
const Statement kRemoveRecordPart{"remove_record_part",
                                  std::string("SELECT remove_records($1, $2)") + kIfWritten};
const Statement kAppendEvents{"append_events", kAppendEventsCall};
const Statement kAppendEventsPart{"append_events_part", kAppendEventsCall + kIfWritten};
const Statement kWriteSessionPart{
    "write_session_part", std::string("SELECT write_session($1, $2, $3, $4, $5, $6, $7)") + kIfWritten};
const Statement kWriteState{"write_state",
                            "SELECT * FROM write_state($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
const Statement kExpireState{"expire_state", "SELECT * FROM expire_state($1, $2, $3)"};
const Statement kPutCachedPart{
    "put_cached_part",
    std::string("INSERT INTO cached_outputs(key, at, expires_at, output) SELECT $1::text, $2::bigint, "
                "$3::bigint, $4::bytea") +
        kIfWritten +
        " ON CONFLICT (key) DO UPDATE SET at = excluded.at, expires_at = excluded.expires_at, "
        "output = excluded.output"};
const Statement kKeepBlobsPart{"keep_blobs_part",
                               std::string("SELECT add_references($1, 0, 0)") + kIfWritten};
const Statement kPutBlob{"put_blob",
                         "INSERT INTO blobs AS b(digest, written_at, content) VALUES($1, $2, $3) ON CONFLICT "
                         "(digest) DO UPDATE SET written_at = greatest(b.written_at, excluded.written_at)"};
const Statement kCollectGarbage{"collect_garbage", "SELECT collect_garbage($1, $2, $3)"};
const Statement kPutDefinition{
    "put_definition", "INSERT INTO definitions(digest, source) VALUES($1, $2) ON CONFLICT DO NOTHING"};
const Statement kPutSetting{
    "put_setting",
    "INSERT INTO settings(name, value) VALUES($1, $2) ON CONFLICT (name) DO UPDATE SET "
    "value = excluded.value"};

const Statement kTurnOutboxOn{"turn_outbox_on", "SELECT turn_outbox_on()"};
const Statement kPutIntoOutbox{
    "put_into_outbox",
    "INSERT INTO outbox(run, due) SELECT id, clock_timestamp() FROM runs WHERE id = "
    "ANY($1::uuid[]) ORDER BY id ON CONFLICT DO NOTHING"};
const Statement kTakeFromOutbox{"take_from_outbox", "SELECT r FROM take_from_outbox($1, $2, $3) r"};
const Statement kSettleOutbox{"settle_outbox", "SELECT settle_outbox($1, $2)"};

// One row at least for a run that exists.
const Statement kReadJournal{
    "read_journal", std::string("SELECT ") + kEntryColumns +
                        " FROM runs r LEFT JOIN LATERAL journal_of(r.id, $2, $3) j ON true WHERE r.id = $1 "
                        "ORDER BY j.seq"};
const Statement kFindRun{"find_run", "SELECT " + run_columns("r") + " FROM runs r WHERE r.id = $1"};
// $1 after, $2 runs, $3 bytes, $4 entries. A run's own columns come with its first entry only. How long the
// journals are is looked up first: the bytes of entries are known only by going through them.
const Statement kReadOpenRuns{
    "read_open_runs",
    std::string("SELECT ") + kEntryColumns + ", " + run_columns("r") +
        " FROM (SELECT page.id, e.seq, sum(octet_length(e.data)) OVER (ORDER BY page.id) -"
        " sum(octet_length(e.data)) OVER (PARTITION BY page.id) AS bytes_before,"
        " e.at, e.type, e.step, e.item, e.attempt, e.data FROM"
        " (SELECT id FROM (SELECT id, sum(entries) OVER (ORDER BY id) - entries AS entries_before FROM"
        " (SELECT o.id, (SELECT seq FROM journal WHERE run = o.id ORDER BY seq DESC LIMIT 1) AS entries FROM"
        " (SELECT id FROM runs WHERE ended_at IS NULL AND id > $1::uuid ORDER BY id LIMIT $2::bigint) o) "
        "sized)"
        " counted WHERE entries_before < $4::bigint) page"
        " CROSS JOIN LATERAL journal_of(page.id, 0, 9223372036854775807) e) j"
        " LEFT JOIN runs r ON r.id = j.id AND j.seq = 1 WHERE j.bytes_before < $3::bigint ORDER BY j.id, "
        "j.seq"};
const Statement kGetDefinition{"get_definition", "SELECT source FROM definitions WHERE digest = $1"};
const Statement kGetSetting{"get_setting", "SELECT value FROM settings WHERE name = $1"};

const Statement kListRuns{"list_runs", list_runs_where("")};
const Statement kListRunsByWorkflow{"list_runs_by_workflow", list_runs_where(" AND r.workflow = $4::text")};
const Statement kListRunsByStatus{"list_runs_by_status", list_runs_where(" AND r.status = $5::text")};
const Statement kListRunsBySession{"list_runs_by_session", list_runs_where(" AND r.session_id = $6::text")};
const Statement kListRunsByParent{"list_runs_by_parent", list_runs_where(" AND r.parent = $7::uuid")};
const Statement kListRunsByLabel{
    "list_runs_by_label",
    list_runs("run_labels k JOIN runs r ON r.id = k.run WHERE k.name = ($8::text[])[1] AND k.value = "
              "($9::text[])[1] AND k.run < $1::uuid ORDER BY k.run DESC")};

const Statement kFindRecord{"find_record",
                            "SELECT id, run, at, data FROM records WHERE kind = $1 AND id = $2"};
const Statement kListRecords{"list_records",
                             "SELECT id, run, at, data FROM records WHERE kind = $1 AND (at, id) < ($2, $3) "
                             "ORDER BY at DESC, id DESC LIMIT $4::bigint"};
const Statement kListRecordsOfRun{
    "list_records_of_run",
    "SELECT id, run, at, data FROM records WHERE kind = $1 AND (at, id) < ($2, $3) AND run = $5 "
    "ORDER BY at DESC, id DESC LIMIT $4::bigint"};

const Statement kReadEventsForward{"read_events_forward", read_events(kMatchesPattern, "", "ASC")};
const Statement kReadEventsBackward{"read_events_backward", read_events(kMatchesPattern, "", "DESC")};
const Statement kReadTopicForward{"read_topic_forward", read_events("true", kOnTopic, "ASC")};
const Statement kReadTopicBackward{"read_topic_backward", read_events("true", kOnTopic, "DESC")};
const Statement kLastEvent{"last_event", "SELECT last FROM event_log"};

// The latest version, and what the version that is asked for shows.
const Statement kReadState{
    "read_state",
    "SELECT s.version, t.key, t.version, t.expires_at, t.value FROM"
    " (SELECT handle, version, coalesce($2::bigint, version) AS wanted FROM sessions WHERE id = $1) s"
    " LEFT JOIN LATERAL (SELECT key, version, expires_at, value FROM state"
    " WHERE session = s.handle AND until IS NULL AND version <= s.wanted"
    " UNION ALL SELECT key, version, expires_at, value FROM state"
    " WHERE session = s.handle AND until > s.wanted AND version <= s.wanted) t ON true"};
const Statement kFindCached{"find_cached",
                            "SELECT at, expires_at, output FROM cached_outputs WHERE key = $1"};
const Statement kGetBlob{"get_blob", "SELECT content FROM blobs WHERE digest = $1"};
const Statement kHasBlob{"has_blob", "SELECT FROM blobs WHERE digest = $1"};
const Statement kLastTime{"last_time", "SELECT coalesce(max(last_time), 0) FROM writers"};

const Statement kCountOutbox{"count_outbox",
                             "SELECT count(*) FROM (SELECT FROM outbox LIMIT $1::bigint) counted"};
// $1 runs, $2 positions, $3 entries of each, $4 bytes. A run's own columns come with the first of its rows,
// and there is one of a run without growth, too.
const Statement kReadGrowth{
    "read_growth", std::string("SELECT ") + kEntryColumns + ", " + run_columns("r") +
                       " FROM (SELECT f.n, f.run, f.after, e.*, sum(coalesce(octet_length(e.data), 0)) OVER "
                       "(ORDER BY f.n, e.seq) -"
                       " coalesce(octet_length(e.data), 0) AS bytes_before"
                       " FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY f(run, after, n)"
                       " JOIN runs ON runs.id = f.run"
                       " LEFT JOIN LATERAL (SELECT seq, at, type, step, item, attempt, data FROM"
                       " journal_of(f.run, f.after, $3::bigint)) e ON true) j"
                       " LEFT JOIN runs r ON r.id = j.run AND coalesce(j.seq, j.after + 1) = j.after + 1"
                       " WHERE j.bytes_before < $4::bigint ORDER BY j.n, j.seq"};

std::span<const Statement* const> writer_statements() {
  static constexpr std::array kAll = {&kAskPromises,
                                      &kBegin,
                                      &kCommitTransaction,
                                      &kRollBack,
                                      &kEndOther,
                                      &kEnter,
                                      &kBeginGroup,
                                      &kCommitToRun,
                                      &kCommitToRunWithParts,
                                      &kCreateRun,
                                      &kCreateRunWithParts,
                                      &kPutRecord,
                                      &kPutRecordPart,
                                      &kRemoveRecords,
                                      &kRemoveRecordPart,
                                      &kAppendEvents,
                                      &kAppendEventsPart,
                                      &kWriteSessionPart,
                                      &kWriteState,
                                      &kExpireState,
                                      &kPutCachedPart,
                                      &kKeepBlobsPart,
                                      &kPutBlob,
                                      &kCollectGarbage,
                                      &kPutDefinition,
                                      &kPutSetting,
                                      &kTurnOutboxOn,
                                      &kPutIntoOutbox,
                                      &kTakeFromOutbox,
                                      &kSettleOutbox};
  return kAll;
}

std::span<const Statement* const> reader_statements() {
  static constexpr std::array kAll = {&kReadJournal,
                                      &kFindRun,
                                      &kReadOpenRuns,
                                      &kGetDefinition,
                                      &kGetSetting,
                                      &kListRuns,
                                      &kListRunsByWorkflow,
                                      &kListRunsByStatus,
                                      &kListRunsBySession,
                                      &kListRunsByParent,
                                      &kListRunsByLabel,
                                      &kFindRecord,
                                      &kListRecords,
                                      &kListRecordsOfRun,
                                      &kReadEventsForward,
                                      &kReadEventsBackward,
                                      &kReadTopicForward,
                                      &kReadTopicBackward,
                                      &kLastEvent,
                                      &kReadState,
                                      &kFindCached,
                                      &kGetBlob,
                                      &kHasBlob,
                                      &kLastTime,
                                      &kCountOutbox,
                                      &kReadGrowth};
  return kAll;
}

}  // namespace ganglion::postgres
