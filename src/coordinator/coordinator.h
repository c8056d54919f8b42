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
// Tasks go to the agents' queue, except those that the engine performs itself: a sub-run is another run of
// this coordinator, whose end is the report of its parent's task; an answer from the cache is a read of the
// store. What people look for apart from runs (approvals, dead letters) is written with the commit that
// causes it.
//
// Where several engines share the store, a run has a home among them (placement.h). Elsewhere it is in memory
// only while somebody asks for it, and nothing of it is carried out.
//
// Single-threaded: belongs to the clock's event loop. Outlives its completions; everything that it is given
// outlives it. coordinator.cc decides, run_loading.cc gets hold of runs, run_commits.cc writes what was
// decided, run_effects.cc carries it out.

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/result.h"
#include "coordinator/definitions.h"
#include "coordinator/event_waits.h"
#include "core/decide.h"
#include "core/run.h"
#include "ports/clock.h"
#include "ports/random.h"
#include "ports/store.h"
#include "ports/tasks.h"

namespace ganglion {

class EventLog;
class Placement;
class Sessions;

// Whether other engines write to the same store. Then a run in memory may be behind its journal, and whoever
// looks at it, or asks for what it has already done, waits until what is missing has been read.
enum class StoreSharing { alone, shared };

struct CoordinatorOptions {
  StoreSharing sharing = StoreSharing::alone;
  std::size_t max_open_runs = 100'000;  // 1 …; beyond it a start is refused with `overloaded`
  // Of max_open_runs, that one tenant (label `tenant`, else the workflow) may hold; beyond it
  // `too_many_runs`.
  double max_share = 0.8;
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
  std::optional<EventCause> cause = {};
};

// Open runs of one workflow under one definition.
struct OpenRuns {
  std::string definition;
  std::string workflow;
  std::size_t runs = 0;
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
  // New durable entries of a run, and the run as they leave it. Called once per commit; without entries where
  // the run has been read again, because another engine had gone on with it: then they are read, if wanted.
  using Follower = std::function<void(std::span<const JournalEntry> entries, const Run& run)>;

  struct Dependencies {
    Store& store;
    Clock& clock;
    Random& random;
    TaskQueue& tasks;
    Definitions& definitions;
    Sessions& sessions;
    EventLog& events;
  };
  Coordinator(const Dependencies& dependencies, CoordinatorOptions options = {});
  ~Coordinator() override;

  // Before `recover`; without it every run is at home here.
  void connect(Placement& placement) { placement_ = &placement; }

  // Takes up every run that has not ended and is at home here: dispatches its tasks without a result, sets
  // its timers. Once, before anything else. Gives the number of open runs.
  void recover(Completion<Result<std::size_t>> done);

  // Runs may have other homes than before. `lost`: an engine is gone, and with it what it should have told
  // others, so the store is asked for runs that have come home and for what is new in those that were here.
  // `done` is called when that is over.
  enum class Engines { joined, lost };
  void homes_changed(Engines engines, Completion<Result<std::size_t>> done);
  // Another engine has written this run: what it asks for is carried out here if this is its home, and those
  // who follow it here are told.
  void written_elsewhere(const RunId& run);
  // Whoever had this task has not done it: hands it out once more, if the run still wants it.
  void hand_out_again(const AttemptToken& token) { perform_again(token); }
  // Whether it looks after the run at present.
  bool looks_after(const RunId& run) const;

  // Answered when the run is durable. Error codes: `not_found` (workflow), `overloaded`, `too_many_runs`,
  // `unavailable`, `idempotency_mismatch`.
  void start_run(StartRequest request, Completion<Result<StartedRun>> done);

  // A new run that goes on from the journal of another, up to the first entry of `step`. Error codes:
  // `not_found`, `unknown_step`, `conflict` (the step has not begun), `overloaded`, `unavailable`.
  void fork_run(const RunId& from, std::string step, std::optional<Payload> input,
                Completion<Result<RunId>> done);

  // Cancel, Pause, Resume, Retry, Signal, Deliver, Answer. Answered when the outcome is durable. Error codes:
  // `not_found`, `unavailable`, and the refusals of core/decide.h.
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
  std::vector<OpenRuns> open_runs_by_definition() const;
  EventWaits& event_waits() { return event_waits_; }

 private:
  struct Cell;
  struct Pending;
  struct Batch;
  struct UnderWay;

  // Inputs.
  enum class StartedBy { client, event };
  RunId new_id(const std::string& workflow, StartedBy by);
  Cell& new_cell(const RunId& run, std::unique_ptr<Run> state);
  Result<void> admit(const std::string& tenant) const;
  void start(StartRequest request, std::shared_ptr<const Project> project, const WorkflowDefinition& workflow,
             Completion<Result<StartedRun>> done);
  void enqueue(const RunId& run, Pending pending);
  void fork(const RunId& id, std::shared_ptr<const Project> project, std::vector<JournalEntry> shared,
            RunForked forked, Completion<Result<StartedRun>> done);

  // Getting hold of a run.
  Cell& cell_of(const RunId& run);
  void load(const RunId& run);
  void load_later(Cell& cell);
  void load_again(const RunId& run);
  void sweep(Completion<Result<std::size_t>> done);
  void sweep_until_done(Completion<Result<std::size_t>> done);
  void written_elsewhere_later(const RunId& run);
  bool is_current(Cell& cell);
  void catch_up(const RunId& run, Result<std::vector<JournalEntry>> newer);
  void read_journal(const RunId& run, std::vector<JournalEntry> journal,
                    Completion<Result<std::vector<JournalEntry>>> done);
  void loaded(const RunId& run, Result<std::unique_ptr<Run>> result);
  void recover_after(std::optional<RunId> last, std::size_t count, Completion<Result<std::size_t>> done);
  void adopt(std::vector<OpenRun> page, std::size_t next, std::size_t count,
             Completion<Result<std::size_t>> done);
  bool adopt(const OpenRun& open, std::shared_ptr<const Project> project);
  void look_after_sub_runs(const Run& run);
  void adopt_known(Cell& cell, std::uint64_t version);
  void take_up(Cell& cell);
  void leave(Cell& cell);
  bool is_home(const Run& run) const;
  bool asks_elsewhere(const Cell& cell) const;
  void count_open(Cell& cell);
  void count_ended(Cell& cell);
  void let_go(const RunId& run);
  static void refuse(std::list<Pending> inputs, const Error& error);

  // Deciding.
  void settle(Cell& cell);
  Timestamp time_of_decision(const Run& run) const;
  bool has_state(Cell& cell);
  std::shared_ptr<const StateSnapshot> state_of(const Run& run);
  // Of a new run; adds to the batch.
  void decide_first(Cell& cell, const Input& input, Batch& batch);
  Batch decide_waiting(Cell& cell);

  // Writing it down, and what became of that.
  void commit(Cell& cell, Batch batch);
  Commit commit_of(const Cell& cell, const Batch& batch) const;
  void add_event(Commit& commit, const Cell& cell, const Event& event, Timestamp at) const;
  void committed(const RunId& run, Batch batch, const Committed& outcome);
  void throw_away(Cell& cell, const Batch& batch);
  void try_again(const RunId& run, Batch batch);
  void confirm(Cell& cell, Batch batch);
  void state_moved(const RunId& run, Batch batch);
  void give_up(const RunId& run, Batch batch, const Error& error);
  void key_taken(const RunId& run, Batch batch, const KeyTaken& taken);
  void tell_followers(const Cell& cell, const Batch& batch) const;
  void tell_followers(const Cell& cell, std::span<const JournalEntry> entries) const;
  void problem(const RunId& run, const Error& error) const;

  // Carrying it out.
  void carry_out(const Run& run, const Batch& batch);
  static UnderWay under_way(const Run& run);
  void carry_out_since(const Run& run, const UnderWay& before);
  void call_off_since(const Run& run, const UnderWay& before);
  void perform(const Run& run, const AttemptToken& token);
  void perform_again(const AttemptToken& token);
  void perform_later(const AttemptToken& token);
  void dispatch(const Run& run, const AttemptToken& token);
  void recall(const Run& run, const AttemptToken& token);
  void start_sub_run(const Run& parent, const AttemptToken& token);
  void look_after(const RunId& child, const AttemptToken& task);
  void tell_sub_runs(const Run& run, const Input& input);
  // Until it is decided, whatever happens to the store.
  void insist(const RunId& run, Input input);
  void report_end(const Run& run);
  void report_to_parent(const Run& child);
  void report_elsewhere(TaskReport report);
  void check_parent(const RunId& child);
  void judge_by_parent(const RunId& child, const AttemptToken& task, Result<const Run*> parent);
  void call_off_unless_newer(const RunId& child, const RunId& parent, std::uint64_t version);
  void watch_deadline(Cell& cell, Timestamp not_before = {});

  Store& store_;
  Clock& clock_;
  Random& random_;
  TaskQueue& tasks_;
  Definitions& definitions_;
  Sessions& sessions_;
  EventLog& events_;
  Placement* placement_ = nullptr;
  EventWaits event_waits_;
  const CoordinatorOptions options_;
  std::unordered_map<RunId, std::unique_ptr<Cell>> cells_;  // looked up, never walked
  std::deque<RunId> retired_;                               // ended runs still in memory, oldest first
  std::size_t open_runs_ = 0;
  std::map<std::string, std::size_t> open_by_tenant_;
  std::map<std::pair<std::string, std::string>, std::size_t> open_by_definition_;  // digest, workflow
  std::uint64_t last_follower_ = 0;
  bool sweeping_ = false;   // the store is being asked for open runs
  std::set<RunId> unseen_;  // of those that are looked after here, meanwhile
  std::vector<Completion<Result<std::size_t>>> next_sweep_ = {};  // wanted once more, by these
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

// Whom a run counts for where tasks and open runs are shared out: the label `tenant`, else its workflow.
std::string tenant_of(const RunCreated& created);

}  // namespace ganglion
