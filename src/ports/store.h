#pragma once

// Where journals live. The store's one promise carries the whole engine: a commit appends events at the
// version that it names or changes nothing, and when its completion says `Committed` the events survive a
// crash.
//
// Calls are asynchronous. Completions run on the event loop that made the call, never inside the call,
// commits in the order in which they were made. Reads see every commit that completed before them. An adapter
// gathers the commits that wait into one group commit.
//
// Failure: `StoreUnavailable` means that nothing was written and the caller may try again (a full disk, a
// server that restarts). An error after which durability is unknown (a failed fsync) ends the process: the
// adapter calls its `fatal` handler and never retries.

#include <cstdint>
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

namespace ganglion {

// The index entry of a run: what lists and filters show without folding a journal.
struct RunRecord {
  RunId id;
  std::string workflow;
  std::string definition;  // digest of the project file
  std::string status;      // as in the HTTP API
  std::optional<std::string> session_id;
  std::map<std::string, std::string> labels;
  Timestamp created_at;
  std::optional<Timestamp> ended_at;

  bool operator==(const RunRecord&) const = default;
};

struct StatusChange {
  std::string status;
  std::optional<Timestamp> ended_at;  // set when the status is final
  // A run is open until it ends; `retry` opens an ended run again.
};

struct IdempotencyClaim {
  std::string key;          // at most 255 bytes
  std::string body_digest;  // of the request that the key stands for
};

struct Commit {
  RunId run;
  // The seq of the journal's last event that this was decided on; 0 for a new run.
  std::uint64_t expected_version = 0;
  // seqs expected_version+1 … without a gap; at least one.
  std::vector<JournalEntry> events;
  std::optional<RunRecord> create;  // with expected_version 0 only
  std::optional<StatusChange> status;
  std::optional<IdempotencyClaim> claim;  // with `create` only
};

struct Committed {};
// Nothing was written: the journal has moved.
struct VersionConflict {
  std::uint64_t actual_version;
};
// Nothing was written: the idempotency key is taken, by this run, for a body with this digest.
struct KeyTaken {
  RunId run;
  std::string body_digest;
};
// Nothing was written; the same commit may succeed later.
struct StoreUnavailable {
  std::string reason;
};
using CommitOutcome = std::variant<Committed, VersionConflict, KeyTaken, StoreUnavailable>;

struct RunQuery {
  std::optional<std::string> workflow;
  std::optional<std::string> status;
  std::optional<std::string> session_id;
  std::map<std::string, std::string> labels;  // all must match
  std::optional<RunId> before;                // cursor: only runs older than this one
  std::uint32_t limit = 50;
};

// A run that has not ended, with its whole journal.
struct OpenRun {
  RunRecord record;
  std::vector<JournalEntry> journal;
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

  // The latest time in any journal, so that a clock set back never lets time run backwards. The epoch if
  // empty.
  virtual void last_time(Completion<Result<Timestamp>> done) = 0;

  // One line per promise of the contract that this store, as configured, can't keep; empty for the full
  // promise.
  virtual std::vector<std::string> weaker_promises() const = 0;
};

}  // namespace ganglion
