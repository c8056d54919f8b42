#pragma once

// The loop of ARCHITECTURE.md: input → load run → decide → commit → effects → answer.
//
// A coordinator keeps nothing that it could not read again: its runs are a cache over the store. Inputs of
// one run are decided one after another; while a commit of that run is in flight, more inputs gather and are
// decided together when it is durable, so a run has one commit under way at a time and a busy run commits in
// groups. Different runs don't wait for each other; the store gathers their commits.
//
// An answer is given, and an effect leaves, only when everything that it rests on is durable. If the store
// refuses a commit because the journal has moved, the run is thrown away, read again, and the inputs are
// decided again. If the store is unavailable, nothing happened: the inputs are answered with `unavailable`,
// the run is read again.
//
// Single-threaded: belongs to the clock's event loop. Outlives its completions; the store, clock, queue and
// definitions outlive it.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/result.h"
#include "coordinator/definitions.h"
#include "core/decide.h"
#include "core/run.h"
#include "ports/clock.h"
#include "ports/random.h"
#include "ports/store.h"
#include "ports/tasks.h"

namespace ganglion {

struct CoordinatorOptions {
  std::size_t max_open_runs = 100'000;      // 1 …; beyond it a start is refused with `overloaded`
  std::size_t ended_runs_kept = 256;        // in memory, for those who ask for a result soon after
  std::size_t max_inputs_per_commit = 256;  // of one run
  Duration reload_pause{100};               // before a run is read again from a store that was unavailable
  // Told of what a person should know: a run that can't be read, a store that refuses.
  std::function<void(const RunId& run, const Error& problem)> on_problem = {};
  // Told of every durable entry of every run, in the order of each journal.
  std::function<void(const RunId& run, const JournalEntry& entry)> on_transition = {};
};

struct StartRequest {
  std::string workflow;  // of the active project
  Payload input;         // has been checked against the workflow's schema
  std::optional<std::string> session_id;
  std::int32_t priority = 0;
  std::map<std::string, std::string> labels;
  std::string traceparent;
  std::optional<IdempotencyClaim> claim;
};

struct StartedRun {
  RunId id;
  bool existed = false;  // the idempotency key had started it before
};

using FollowerId = StrongId<struct FollowerIdTag, std::uint64_t>;

class Coordinator : public TaskReports {
 public:
  template <typename T>
  using Completion = std::move_only_function<void(T)>;
  // New durable entries of a run, and the run as they leave it. Called once per commit.
  using Follower = std::function<void(std::span<const JournalEntry> entries, const Run& run)>;

  Coordinator(Store& store, Clock& clock, Random& random, TaskQueue& tasks, Definitions& definitions,
              CoordinatorOptions options = {});
  ~Coordinator() override;

  // Takes up every run that has not ended: dispatches its tasks without a result, sets its timers. Once,
  // before anything else. Gives the number of open runs.
  void recover(Completion<Result<std::size_t>> done);

  // Answered when the run is durable. Error codes: `not_found` (workflow), `overloaded`, `unavailable`,
  // `idempotency_mismatch`.
  void start_run(StartRequest request, Completion<Result<StartedRun>> done);

  // Cancel, Pause, Resume, Retry. Answered when the outcome is durable. Error codes: `not_found`, `conflict`,
  // `unavailable`.
  void submit(const RunId& run, Input input, Completion<Result<void>> done);

  // TaskReports
  void report(TaskReport report, TaskReports::Completion done) override;

  // Shows the run in a durable state; the reference is good inside `look` only. Error codes: `not_found`,
  // `unavailable`, `corrupt_journal`, `invalid_definition`. May call `look` before it returns.
  void inspect(const RunId& run, Completion<Result<const Run*>> look);

  // Calls `follower` from the next commit of the run on. Read the journal after this, so that nothing is
  // missed.
  FollowerId follow(const RunId& run, Follower follower);
  void unfollow(const RunId& run, FollowerId follower);

  std::size_t open_runs() const { return open_runs_; }

 private:
  struct Cell;
  struct Pending;
  struct Batch;

  // Getting hold of a run.
  Cell& cell_of(const RunId& run);
  void enqueue(const RunId& run, Pending pending);
  void load(const RunId& run);
  void load_later(Cell& cell);
  void read_journal(const RunId& run, std::shared_ptr<const Project> project,
                    std::vector<JournalEntry> journal);
  void loaded(const RunId& run, Result<std::unique_ptr<Run>> result);
  void recover_after(std::optional<RunId> last, std::size_t count, Completion<Result<std::size_t>> done);
  void adopt(std::vector<OpenRun> page, std::size_t next, std::size_t count,
             Completion<Result<std::size_t>> done);
  void adopt(const OpenRun& open, std::shared_ptr<const Project> project);

  // Deciding.
  void settle(Cell& cell);
  Batch decide_waiting(Cell& cell);
  void decide_one(Cell& cell, Batch& batch, Pending pending);
  void commit(Cell& cell, Batch batch);

  // What became of a commit.
  void committed(const RunId& run, Batch batch);
  void try_again(const RunId& run, Batch batch);
  void give_up(const RunId& run, Batch batch, const Error& error);
  void key_taken(const RunId& run, Batch batch, const KeyTaken& taken);
  void tell_followers(const Cell& cell, const Batch& batch) const;
  void carry_out(const Run& run, const Batch& batch);
  void dispatch(const Run& run, const AttemptToken& token, Timestamp scheduled_at);
  void watch_deadline(Cell& cell);
  void let_go(const RunId& run);
  void problem(const RunId& run, const Error& error) const;

  Store& store_;
  Clock& clock_;
  Random& random_;
  TaskQueue& tasks_;
  Definitions& definitions_;
  const CoordinatorOptions options_;
  std::unordered_map<RunId, std::unique_ptr<Cell>> cells_;  // looked up, never walked
  std::deque<RunId> retired_;                               // ended runs still in memory, oldest first
  std::size_t open_runs_ = 0;
  std::uint64_t last_follower_ = 0;
};

}  // namespace ganglion
