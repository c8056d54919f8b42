#pragma once

// The store port in plain memory: for tests, for the simulator and for `memory:`. It keeps every rule of the
// port but survival, and it is deterministic: ordered containers, completions in the order of the calls,
// posted to the clock.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "adapters/memory/blobs.h"
#include "adapters/memory/event_log.h"
#include "adapters/memory/outbox.h"
#include "adapters/memory/records.h"
#include "adapters/memory/session_states.h"
#include "ports/clock.h"
#include "ports/store.h"

namespace ganglion::memory {

class Store : public ganglion::Store {
 public:
  // `clock` must outlive the store. Completions that have not run when the store is destroyed never run.
  explicit Store(Clock& clock) : clock_(clock) {}

  void commit(Commit commit, Completion<CommitOutcome> done) override;
  void read_journal(RunId run, std::uint64_t after, std::uint32_t limit,
                    Completion<Result<std::vector<JournalEntry>>> done) override;
  void find_run(RunId run, Completion<Result<RunRecord>> done) override;
  void list_runs(RunQuery query, Completion<Result<std::vector<RunRecord>>> done) override;
  void read_open_runs(std::optional<RunId> after, std::uint32_t limit,
                      Completion<Result<std::vector<OpenRun>>> done) override;
  void put_definition(std::string digest, std::string source, Completion<Result<void>> done) override;
  void get_definition(std::string digest, Completion<Result<std::string>> done) override;
  void put_setting(std::string name, std::string value, Completion<Result<void>> done) override;
  void get_setting(std::string name, Completion<Result<std::string>> done) override;
  void list_records(RecordQuery query, Completion<Result<std::vector<Record>>> done) override;
  void find_record(RecordKey key, Completion<Result<Record>> done) override;
  void put_record(Record record, Completion<Result<void>> done) override;
  void remove_records(RecordKind kind, std::optional<std::string> id,
                      Completion<Result<std::uint64_t>> done) override;
  void append_events(std::vector<TopicEvent> events, Completion<Result<std::vector<Appended>>> done) override;
  void read_events(EventQuery query, Completion<Result<std::vector<TopicEvent>>> done) override;
  void last_event(Completion<Result<std::uint64_t>> done) override;
  void read_state(std::string session, std::optional<std::uint64_t> version,
                  Completion<Result<StateSnapshot>> done) override;
  void write_state(std::string session, StateWrite write, StatePrecondition precondition,
                   Completion<StateOutcome> done) override;
  void expire_state(Timestamp now, std::uint32_t limit,
                    Completion<Result<std::vector<ExpiredState>>> done) override;
  void find_cached(std::string key, Completion<Result<CachedOutput>> done) override;
  void put_blob(std::string digest, std::string content, Timestamp now,
                Completion<Result<void>> done) override;
  void get_blob(std::string digest, Completion<Result<std::string>> done) override;
  void has_blob(std::string digest, Completion<Result<bool>> done) override;
  void collect_garbage(Timestamp now, Timestamp unused_since, std::uint32_t limit,
                       Completion<Result<std::uint64_t>> done) override;
  void turn_outbox_on(Completion<Result<void>> done) override;
  void put_into_outbox(std::vector<RunId> runs, Completion<Result<void>> done) override;
  void take_from_outbox(std::uint32_t limit, Duration lease,
                        Completion<Result<std::vector<RunId>>> done) override;
  void settle_outbox(std::vector<JournalPosition> copied, Completion<Result<void>> done) override;
  void count_outbox(Completion<Result<std::uint64_t>> done) override;
  void read_growth(std::vector<JournalPosition> from,
                   Completion<Result<std::vector<JournalGrowth>>> done) override;
  void last_time(Completion<Result<Timestamp>> done) override;
  std::vector<std::string> weaker_promises() const override;

 private:
  // A journal, of which a fork holds only what comes after the part that it shares.
  struct Run {
    RunRecord record;
    std::optional<ForkPoint> fork;
    std::vector<JournalEntry> own;

    std::uint64_t version() const { return (fork ? fork->seq : 0) + own.size(); }
  };

  CommitOutcome apply(Commit commit);
  // Nothing where all is well.
  std::optional<CommitOutcome> refusal_of(const Commit& commit) const;
  std::uint64_t version_of(const RunId& run) const;
  Committed apply_rest(Commit& commit);
  // Entries with seq > after, at most `limit`.
  std::vector<JournalEntry> entries_of(const Run& run, std::uint64_t after, std::uint64_t limit) const;
  template <typename T>
  void complete(Completion<T> done, T value);

  Clock& clock_;
  std::map<RunId, Run> runs_;
  std::set<RunId> open_;
  std::map<std::string, KeyTaken> claims_;
  std::map<std::string, std::string> definitions_;
  std::map<std::string, std::string> settings_;
  Blobs blobs_;
  Records records_{blobs_};
  EventLog events_{blobs_};
  SessionStates states_{blobs_};
  std::map<std::string, CachedOutput> cache_;
  Outbox outbox_;
  Timestamp last_time_;
  // Posted completions hold it weakly: they are dropped once the store is gone.
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::memory
