#pragma once

// Where journals live, and what belongs to them: the records people look for, the event log, the state of
// sessions, cached outputs, blobs, and the outbox of what is still to be copied elsewhere. The store's one
// promise carries the whole engine: a commit appends events at the version that it names or changes nothing,
// and when its completion says `Committed` the events survive a crash.
//
// Calls are asynchronous. Completions run on the event loop that made the call, never inside the call,
// commits in the order in which they were made, but for those that are refused as unavailable. Reads see
// every commit that completed before them. An adapter gathers the commits that wait into one group commit.
//
// Failure: `StoreUnavailable` means that nothing was written and the caller may try again (a full disk, a
// server that restarts). An error after which durability is unknown (a failed fsync) ends the process: the
// adapter calls its `fatal` handler and never retries.

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "core/ids.h"
#include "core/journal.h"
#include "core/state.h"
#include "core/topic_event.h"

namespace ganglion {

inline constexpr std::uint64_t kStateHistory = 1000;   // versions of a session that can still be read
inline constexpr std::size_t kMaxBlob = 64 << 20;      // bytes
inline constexpr std::uint32_t kMaxOutboxRuns = 1000;  // that one call names
inline constexpr Duration kMaxOutboxLease{60'000};
inline constexpr std::uint64_t kMaxOutboxCount = 100'000;
inline constexpr std::size_t kMaxGrowthBytes = 4 << 20;  // of entries in one answer, roughly

// The index entry of a run: what lists and filters show without folding a journal.
struct RunRecord {
  RunId id;
  std::string workflow;
  std::string definition;  // digest of the project file
  std::string status;      // as in the HTTP API
  std::optional<std::string> session_id;
  std::map<std::string, std::string> labels;
  std::optional<RunId> parent = {};  // of a sub-run
  Timestamp created_at;
  std::optional<Timestamp> ended_at;
  std::string usage = "{}";  // as of the last change of its status

  bool operator==(const RunRecord&) const = default;
};

struct StatusChange {
  std::string status;
  std::optional<Timestamp> ended_at;  // set when the status is final
  std::string usage = "{}";           // what the run has used so far, a JSON object of numbers
  // A run is open until it ends; `retry` opens an ended run again.
};

struct IdempotencyClaim {
  std::string key;          // at most 255 bytes
  std::string body_digest;  // of the request that the key stands for
};

// A run whose journal begins with that of another, up to and with entry `seq`: the entries are shared, not
// copied. Where the other has no such entry, the commit is a conflict at the version that the other has.
struct ForkPoint {
  RunId run;
  std::uint64_t seq = 0;
};

// A small row that a person looks for apart from its run, kept beside the journal: what waits for a decision,
// what has failed for good.
enum class RecordKind { approval, dead_letter };

struct Record {
  RecordKind kind = RecordKind::approval;
  std::string id;  // unique within its kind; at most 255 bytes
  std::optional<RunId> run;
  Timestamp at;
  std::string data;  // a JSON object

  bool operator==(const Record&) const = default;
};

struct RecordKey {
  RecordKind kind;
  std::string id;
};

struct StateCommit {
  std::string session;
  // At least one; of two with the same key the later one counts. Not refused for the session's size: whoever
  // decides on them looks at the snapshot first.
  std::vector<StateWrite> writes;
  // The session's version that they were made from; nothing where they don't depend on one. If the session
  // has another one, the whole commit is refused (`StateMoved`).
  std::optional<std::uint64_t> expected_version = {};
};

// A successful output that may be taken instead of a call.
struct CachedOutput {
  std::string key;  // lower-case hex SHA-256
  Payload output;
  Timestamp at;
  Timestamp expires_at;  // after which it may be forgotten

  bool operator==(const CachedOutput&) const = default;
};

// Everything of a commit becomes durable together or not at all.
struct Commit {
  RunId run;
  // The seq of the journal's last event that this was decided on; 0 for a new run that is no fork.
  std::uint64_t expected_version = 0;
  // seqs expected_version+1 … without a gap; at least one.
  std::vector<JournalEntry> events;
  std::optional<RunRecord> create;  // of a new run
  std::optional<StatusChange> status;
  std::optional<IdempotencyClaim> claim;  // with `create` only
  // With `create` only; then `expected_version` is `fork->seq` and the events go on from there.
  std::optional<ForkPoint> fork = {};
  std::vector<Record> records = {};             // added, or put in the place of one with the same id
  std::vector<RecordKey> removed_records = {};  // before the others are added
  std::vector<TopicEvent> published = {};  // appended to the event log, in this order; their seq is ignored
  std::optional<StateCommit> state = {};   // one version, the session's next
  std::vector<CachedOutput> cached = {};
  // Lower-case hex SHA-256 of the blobs that the events refer to: kept while the run is. What else of a
  // commit refers to blobs (records, published events, state) is found in its JSON, see
  // core/blob_references.h.
  std::vector<std::string> blobs = {};
};

// `event_seqs` are those of `published`; an event that the log had already keeps its old one. `state_version`
// is the one that `state` made.
struct Committed {
  std::vector<std::uint64_t> event_seqs = {};
  std::optional<std::uint64_t> state_version = {};
};
// Nothing was written: the journal has moved, or the run that was to be created exists.
struct VersionConflict {
  std::uint64_t actual_version;
};
// Nothing was written: the idempotency key is taken, by this run, for a body with this digest.
struct KeyTaken {
  RunId run;
  std::string body_digest;
};
// Nothing was written: the session's state is not at the version that the commit was decided on.
struct StateMoved {
  std::uint64_t actual_version;
};
// Nothing was written; the same commit may succeed later.
struct StoreUnavailable {
  std::string reason;
};
using CommitOutcome = std::variant<Committed, VersionConflict, KeyTaken, StateMoved, StoreUnavailable>;

struct RunQuery {
  std::optional<std::string> workflow;
  std::optional<std::string> status;
  std::optional<std::string> session_id;
  std::optional<RunId> parent = {};
  std::map<std::string, std::string> labels;  // all must match
  std::optional<RunId> before;                // cursor: only runs older than this one
  std::uint32_t limit = 50;
};

// A run that has not ended, with its whole journal.
struct OpenRun {
  RunRecord record;
  std::vector<JournalEntry> journal;
};

struct RecordQuery {
  RecordKind kind = RecordKind::approval;
  std::optional<RunId> run = {};
  std::optional<std::string> before = {};  // cursor: the id of the last record of the page before
  std::uint32_t limit = 50;
};

struct Appended {
  std::uint64_t seq = 0;
  bool existed = false;  // the log had an event with this source and id before
};

struct EventQuery {
  std::string pattern = "**";                // of topics
  std::optional<std::uint64_t> before = {};  // newest first, seqs below this
  std::optional<std::uint64_t> after = {};   // or oldest first, seqs above this
  std::uint32_t limit = 50;
};

// What a conditional write of a key demands of the session.
struct AnyVersion {};
struct KeyAbsent {};
struct KeyVersion {
  std::uint64_t version;  // at which the key was last written
};
using StatePrecondition = std::variant<AnyVersion, KeyAbsent, KeyVersion>;

// The write was not made: what the key is now.
struct StateConflict {
  std::optional<StateEntry> current;
};
// `too_large`: the session would go beyond kMaxStateKeys or kMaxStateBytes.
using StateOutcome = std::expected<std::uint64_t, std::variant<StateConflict, Error>>;

// What became of keys that have expired.
struct ExpiredState {
  std::string session;
  std::uint64_t version = 0;  // that their removal made
};

// How far somebody has copied a journal: entry `seq` is the last one, 0 stands for none.
struct JournalPosition {
  RunId run;
  std::uint64_t seq = 0;

  bool operator==(const JournalPosition&) const = default;
};

// What a journal has behind a position, in order, with the run's record as of the same moment.
struct JournalGrowth {
  RunRecord record;
  std::vector<JournalEntry> entries;
};

class Store {
 public:
  template <typename T>
  using Completion = std::move_only_function<void(T)>;

  virtual ~Store() = default;

  virtual void commit(Commit commit, Completion<CommitOutcome> done) = 0;

  // Entries with seq > after, in order, at most `limit`. Error `not_found` for an unknown run.
  virtual void read_journal(RunId run, std::uint64_t after, std::uint32_t limit,
                            Completion<Result<std::vector<JournalEntry>>> done) = 0;
  // Error `not_found` for an unknown run.
  virtual void find_run(RunId run, Completion<Result<RunRecord>> done) = 0;
  // Newest first.
  virtual void list_runs(RunQuery query, Completion<Result<std::vector<RunRecord>>> done) = 0;
  // Runs that have not ended, oldest first, with ids > after; an empty answer is the end. Costs nothing for
  // ended runs.
  virtual void read_open_runs(std::optional<RunId> after, std::uint32_t limit,
                              Completion<Result<std::vector<OpenRun>>> done) = 0;

  // Project files by digest; writing the same one again changes nothing.
  virtual void put_definition(std::string digest, std::string source, Completion<Result<void>> done) = 0;
  // Error `not_found`.
  virtual void get_definition(std::string digest, Completion<Result<std::string>> done) = 0;
  // Single named values of the installation, such as the digest of the active project. Error `not_found`.
  virtual void put_setting(std::string name, std::string value, Completion<Result<void>> done) = 0;
  virtual void get_setting(std::string name, Completion<Result<std::string>> done) = 0;

  // --- records ---
  // Newest first, by their times. Error `not_found` where the record that the cursor names is gone.
  virtual void list_records(RecordQuery query, Completion<Result<std::vector<Record>>> done) = 0;
  // Error `not_found`.
  virtual void find_record(RecordKey key, Completion<Result<Record>> done) = 0;
  // Replaces one with the same id.
  virtual void put_record(Record record, Completion<Result<void>> done) = 0;
  // Of a kind, by id, or all of them where there is no id. Gives how many there were: 0 is no error.
  virtual void remove_records(RecordKind kind, std::optional<std::string> id,
                              Completion<Result<std::uint64_t>> done) = 0;

  // --- the event log ---
  // All of them or none, in this order; their seq is ignored. One answer for each.
  virtual void append_events(std::vector<TopicEvent> events,
                             Completion<Result<std::vector<Appended>>> done) = 0;
  // May give fewer than there are, but at least one if there is one and `limit` isn't 0. With both `after`
  // and `before`, oldest first between the two.
  virtual void read_events(EventQuery query, Completion<Result<std::vector<TopicEvent>>> done) = 0;
  // 0 for an empty log.
  virtual void last_event(Completion<Result<std::uint64_t>> done) = 0;

  // --- the state of sessions ---
  // At the latest version, or at one of the last kStateHistory, with the empty version 0 counted among them.
  // Errors: `not_found` (a version that never was), `gone` (one that is no longer kept).
  virtual void read_state(std::string session, std::optional<std::uint64_t> version,
                          Completion<Result<StateSnapshot>> done) = 0;
  virtual void write_state(std::string session, StateWrite write, StatePrecondition precondition,
                           Completion<StateOutcome> done) = 0;
  // Removes keys whose time has come, each session's at one version, at most `limit` keys, the earliest
  // first. Until then they can be read. Answers by session, in their order.
  virtual void expire_state(Timestamp now, std::uint32_t limit,
                            Completion<Result<std::vector<ExpiredState>>> done) = 0;

  // --- cached outputs ---
  // Error `not_found`; one that has expired may still be found.
  virtual void find_cached(std::string key, Completion<Result<CachedOutput>> done) = 0;

  // --- blobs ---
  // `digest` is the lower-case hex SHA-256 of `content`. Writing the same one again changes nothing but its
  // time.
  virtual void put_blob(std::string digest, std::string content, Timestamp now,
                        Completion<Result<void>> done) = 0;
  // Error `not_found`.
  virtual void get_blob(std::string digest, Completion<Result<std::string>> done) = 0;
  // The same without its content.
  virtual void has_blob(std::string digest, Completion<Result<bool>> done) = 0;

  // Forgets cached outputs that have expired, and blobs that were last written before `unused_since` and that
  // nothing refers to: no journal, no state that can still be read, no record, no event. At most `limit` of
  // each; gives how many.
  virtual void collect_garbage(Timestamp now, Timestamp unused_since, std::uint32_t limit,
                               Completion<Result<std::uint64_t>> done) = 0;

  // --- the outbox ---
  // Runs whose journals have grown and are still to be copied elsewhere (audit/copier.h). Turned on once, it
  // is on for good and for every process: each commit puts its run in, in the same step. Calls name at most
  // kMaxOutboxRuns runs.
  virtual void turn_outbox_on(Completion<Result<void>> done) = 0;
  // Runs that exist; those that are in the outbox already keep their place.
  virtual void put_into_outbox(std::vector<RunId> runs, Completion<Result<void>> done) = 0;
  // Those that have waited longest, in no order. Nobody gets them again before `lease` is over by the store's
  // own clock; at most kMaxOutboxLease.
  virtual void take_from_outbox(std::uint32_t limit, Duration lease,
                                Completion<Result<std::vector<RunId>>> done) = 0;
  // A run whose journal has entries behind its position can be taken again at once, as one that came last;
  // any other one leaves the outbox.
  virtual void settle_outbox(std::vector<JournalPosition> copied, Completion<Result<void>> done) = 0;
  // Runs in it, those that are taken included; kMaxOutboxCount stands for that many or more.
  virtual void count_outbox(Completion<Result<std::uint64_t>> done) = 0;
  // An answer for each run that exists, in the order of the positions, until there are kMaxGrowthBytes of
  // entries: the runs behind are left out. A journal may have more entries than its answer, but the answer
  // has one if the journal does.
  virtual void read_growth(std::vector<JournalPosition> from,
                           Completion<Result<std::vector<JournalGrowth>>> done) = 0;

  // The latest time in any journal, so that a clock set back never lets time run backwards. The epoch if
  // empty.
  virtual void last_time(Completion<Result<Timestamp>> done) = 0;

  // One line per promise of the contract that this store, as configured, can't keep; empty for the full
  // promise.
  virtual std::vector<std::string> weaker_promises() const = 0;
};

}  // namespace ganglion
