#pragma once

// The store port in plain memory: for tests, for the simulator and for `memory:`. It keeps every rule of the
// port but survival, and it is deterministic: ordered containers, completions in the order of the calls,
// posted to the clock.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ports/clock.h"
#include "ports/store.h"

namespace ganglion::memory {

class Store final : public ganglion::Store {
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
  void last_time(Completion<Result<Timestamp>> done) override;
  std::vector<std::string> weaker_promises() const override;

 private:
  CommitOutcome apply(Commit commit);
  template <typename T>
  void complete(Completion<T> done, T value);

  Clock& clock_;
  std::map<RunId, OpenRun> runs_;
  std::set<RunId> open_;
  std::map<std::string, KeyTaken> claims_;
  std::map<std::string, std::string> definitions_;
  std::map<std::string, std::string> settings_;
  Timestamp last_time_;
  // Posted completions hold it weakly: they are dropped once the store is gone.
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::memory
