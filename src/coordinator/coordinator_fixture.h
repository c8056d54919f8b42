#pragma once

// The engine's middle without agents and network: a coordinator with all that belongs to it, over a memory
// store in which faults can be put, on a virtual clock. `World` is one such engine that dies and starts
// again, with clients and workers who try again as real ones do; `verify` holds what it left behind against
// the journals.
//
//   World world(project);
//   world.faults = {Fault::die_after, 3};   // of the writes that follow
//   const RunId run = world.start();
//   world.work();
//   world.verify();

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "adapters/memory/store.h"
#include "coordinator/coordinator.h"
#include "coordinator/definitions.h"
#include "coordinator/event_log.h"
#include "coordinator/event_router.h"
#include "coordinator/schedules.h"
#include "coordinator/sessions.h"
#include "ports/testing/virtual_clock.h"

namespace ganglion::testing {

class CountingRandom final : public Random {
 public:
  std::uint64_t next() override { return ++last_; }

 private:
  std::uint64_t last_ = 0;
};

// The agents' queue, as the port has it: a token that it has seen is ignored.
class RecordingQueue final : public TaskQueue {
 public:
  void dispatch(Task task) override {
    if (seen.insert(task.token).second) tasks.push_back(std::move(task));
  }
  void withdraw(const AttemptToken& token) override {
    withdrawn.push_back(token);
    std::erase_if(tasks, [&](const Task& task) { return task.token == token; });
  }

  Task take() {
    GANGLION_ASSERT(!tasks.empty());
    Task task = std::move(tasks.front());
    tasks.erase(tasks.begin());
    return task;
  }

  std::vector<Task> tasks;
  std::vector<AttemptToken> withdrawn;
  std::set<AttemptToken> seen;
};

enum class Fault {
  none,
  unavailable,       // one write is refused
  unavailable_call,  // one call is refused, be it a read or a write
  outage,            // from one write on everything is refused for a while
  die_before,        // the process ends before the write is made
  die_after,         // the process ends when it has been made, and never hears of it
};

struct FaultPlan {
  Fault fault = Fault::none;
  int at = 0;  // which write (or call) from now on, from 1
};

// The store in front of which faults are put.
class FaultyStore final : public Store {
 public:
  FaultyStore(Store& store, Clock& clock, FaultPlan& plan) : store_(store), clock_(clock), plan_(plan) {}
  ~FaultyStore() override { *dead_ = true; }

  void commit(Commit commit, Completion<CommitOutcome> done) override {
    ++commits;
    write<CommitOutcome>(std::move(done), StoreUnavailable{"disk full"},
                         [this, commit = std::move(commit)](auto answer) mutable {
                           store_.commit(std::move(commit), std::move(answer));
                         });
  }
  void read_journal(RunId run, std::uint64_t after, std::uint32_t limit,
                    Completion<Result<std::vector<JournalEntry>>> done) override {
    read(std::move(done), [this, run, after, limit](auto answer) {
      store_.read_journal(run, after, limit, std::move(answer));
    });
  }
  void find_run(RunId run, Completion<Result<RunRecord>> done) override {
    read(std::move(done), [this, run](auto answer) { store_.find_run(run, std::move(answer)); });
  }
  void list_runs(RunQuery query, Completion<Result<std::vector<RunRecord>>> done) override {
    read(std::move(done), [this, query](auto answer) { store_.list_runs(query, std::move(answer)); });
  }
  void read_open_runs(std::optional<RunId> after, std::uint32_t limit,
                      Completion<Result<std::vector<OpenRun>>> done) override {
    read(std::move(done),
         [this, after, limit](auto answer) { store_.read_open_runs(after, limit, std::move(answer)); });
  }
  void put_definition(std::string digest, std::string source, Completion<Result<void>> done) override {
    write(std::move(done),
          [this, digest, source](auto answer) { store_.put_definition(digest, source, std::move(answer)); });
  }
  void get_definition(std::string digest, Completion<Result<std::string>> done) override {
    read(std::move(done), [this, digest](auto answer) { store_.get_definition(digest, std::move(answer)); });
  }
  void put_setting(std::string name, std::string value, Completion<Result<void>> done) override {
    write(std::move(done),
          [this, name, value](auto answer) { store_.put_setting(name, value, std::move(answer)); });
  }
  void get_setting(std::string name, Completion<Result<std::string>> done) override {
    read(std::move(done), [this, name](auto answer) { store_.get_setting(name, std::move(answer)); });
  }
  void list_records(RecordQuery query, Completion<Result<std::vector<Record>>> done) override {
    read(std::move(done), [this, query](auto answer) { store_.list_records(query, std::move(answer)); });
  }
  void find_record(RecordKey key, Completion<Result<Record>> done) override {
    read(std::move(done), [this, key](auto answer) { store_.find_record(key, std::move(answer)); });
  }
  void put_record(Record record, Completion<Result<void>> done) override {
    write(std::move(done), [this, record](auto answer) { store_.put_record(record, std::move(answer)); });
  }
  void remove_records(RecordKind kind, std::optional<std::string> id,
                      Completion<Result<std::uint64_t>> done) override {
    write(std::move(done),
          [this, kind, id](auto answer) { store_.remove_records(kind, id, std::move(answer)); });
  }
  void append_events(std::vector<TopicEvent> events,
                     Completion<Result<std::vector<Appended>>> done) override {
    write(std::move(done), [this, events](auto answer) { store_.append_events(events, std::move(answer)); });
  }
  void read_events(EventQuery query, Completion<Result<std::vector<TopicEvent>>> done) override {
    read(std::move(done), [this, query](auto answer) { store_.read_events(query, std::move(answer)); });
  }
  void last_event(Completion<Result<std::uint64_t>> done) override {
    read(std::move(done), [this](auto answer) { store_.last_event(std::move(answer)); });
  }
  void read_state(std::string session, std::optional<std::uint64_t> version,
                  Completion<Result<StateSnapshot>> done) override {
    ++state_reads;
    read(std::move(done),
         [this, session, version](auto answer) { store_.read_state(session, version, std::move(answer)); });
  }
  void write_state(std::string session, StateWrite write_, StatePrecondition precondition,
                   Completion<StateOutcome> done) override {
    using Refusal = std::variant<StateConflict, Error>;
    write<StateOutcome>(std::move(done), std::unexpected(Refusal(Error{"unavailable", "disk full"})),
                        [this, session, write_, precondition](auto answer) {
                          store_.write_state(session, write_, precondition, std::move(answer));
                        });
  }
  void expire_state(Timestamp now, std::uint32_t limit,
                    Completion<Result<std::vector<ExpiredState>>> done) override {
    write(std::move(done),
          [this, now, limit](auto answer) { store_.expire_state(now, limit, std::move(answer)); });
  }
  void find_cached(std::string key, Completion<Result<CachedOutput>> done) override {
    read(std::move(done), [this, key](auto answer) { store_.find_cached(key, std::move(answer)); });
  }
  void put_blob(std::string digest, std::string content, Timestamp now,
                Completion<Result<void>> done) override {
    write(std::move(done), [this, digest, content, now](auto answer) {
      store_.put_blob(digest, content, now, std::move(answer));
    });
  }
  void get_blob(std::string digest, Completion<Result<std::string>> done) override {
    read(std::move(done), [this, digest](auto answer) { store_.get_blob(digest, std::move(answer)); });
  }
  void has_blob(std::string digest, Completion<Result<bool>> done) override {
    read(std::move(done), [this, digest](auto answer) { store_.has_blob(digest, std::move(answer)); });
  }
  void collect_garbage(Timestamp now, Timestamp unused_since, std::uint32_t limit,
                       Completion<Result<std::uint64_t>> done) override {
    write(std::move(done), [this, now, unused_since, limit](auto answer) {
      store_.collect_garbage(now, unused_since, limit, std::move(answer));
    });
  }
  void turn_outbox_on(Completion<Result<void>> done) override {
    write(std::move(done), [this](auto answer) { store_.turn_outbox_on(std::move(answer)); });
  }
  void put_into_outbox(std::vector<RunId> runs, Completion<Result<void>> done) override {
    write(std::move(done), [this, runs](auto answer) { store_.put_into_outbox(runs, std::move(answer)); });
  }
  void take_from_outbox(std::uint32_t limit, Duration lease,
                        Completion<Result<std::vector<RunId>>> done) override {
    write(std::move(done),
          [this, limit, lease](auto answer) { store_.take_from_outbox(limit, lease, std::move(answer)); });
  }
  void settle_outbox(std::vector<JournalPosition> copied, Completion<Result<void>> done) override {
    write(std::move(done), [this, copied](auto answer) { store_.settle_outbox(copied, std::move(answer)); });
  }
  void count_outbox(Completion<Result<std::uint64_t>> done) override {
    read(std::move(done), [this](auto answer) { store_.count_outbox(std::move(answer)); });
  }
  void read_growth(std::vector<JournalPosition> from,
                   Completion<Result<std::vector<JournalGrowth>>> done) override {
    read(std::move(done), [this, from](auto answer) { store_.read_growth(from, std::move(answer)); });
  }
  void last_time(Completion<Result<Timestamp>> done) override {
    read(std::move(done), [this](auto answer) { store_.last_time(std::move(answer)); });
  }
  std::vector<std::string> weaker_promises() const override { return {}; }

  // Lets the first of the calls that are held through.
  bool release_one() {
    if (held.empty()) return false;
    auto call = std::move(held.front());
    held.pop_front();
    call();
    return true;
  }
  void release() {
    holding = false;
    while (release_one()) {
    }
  }
  bool dead() const { return *dead_; }
  void die() { *dead_ = true; }

  bool unavailable = false;
  bool holding = false;
  int commits = 0;
  int writes = 0;
  int calls = 0;
  int state_reads = 0;
  std::deque<std::move_only_function<void()>> held;

 private:
  static constexpr Duration kOutage{450};

  template <typename T, typename Call>
  void read(Completion<Result<T>> done, Call call) {
    pass<Result<T>>(Access::read, std::move(done), ganglion::fail("unavailable", "disk full"),
                    std::move(call));
  }
  template <typename T, typename Call>
  void write(Completion<Result<T>> done, Call call) {
    write<Result<T>>(std::move(done), ganglion::fail("unavailable", "disk full"), std::move(call));
  }
  template <typename T, typename Call>
  void write(Completion<T> done, T refusal, Call call) {
    pass<T>(Access::write, std::move(done), std::move(refusal), std::move(call));
  }

  enum class Access { read, write };

  Fault fault_of(Access access) {
    ++calls;
    if (access == Access::write) ++writes;
    if (unavailable || clock_.now() < outage_until_) return Fault::unavailable;
    const bool counts = access == Access::write || plan_.fault == Fault::unavailable_call;
    if (plan_.fault == Fault::none || !counts || --plan_.at != 0) return Fault::none;
    if (plan_.fault == Fault::outage) outage_until_ = clock_.now() + kOutage;
    return std::exchange(plan_.fault, Fault::none);
  }

  template <typename T, typename Call>
  void pass(Access access, Completion<T> done, T refusal, Call call) {
    if (*dead_) return;
    if (holding) {
      held.push_back([this, access, done = std::move(done), refusal = std::move(refusal),
                      call = std::move(call)]() mutable {
        make(access, std::move(done), std::move(refusal), std::move(call));
      });
      return;
    }
    make(access, std::move(done), std::move(refusal), std::move(call));
  }
  template <typename T, typename Call>
  void make(Access access, Completion<T> done, T refusal, Call call) {
    // What the process would have been told after its end is told nobody.
    Completion<T> answer = [dead = dead_, done = std::move(done)](T value) mutable {
      if (!*dead) done(std::move(value));
    };
    switch (fault_of(access)) {
      case Fault::none:
        return call(std::move(answer));
      case Fault::unavailable:
      case Fault::unavailable_call:
      case Fault::outage:
        return clock_.post([answer = std::move(answer), refusal = std::move(refusal)]() mutable {
          answer(std::move(refusal));
        });
      case Fault::die_before:
        *dead_ = true;
        return;
      case Fault::die_after:
        *dead_ = true;
        return call(std::move(answer));
    }
  }

  Store& store_;
  Clock& clock_;
  FaultPlan& plan_;
  Timestamp outage_until_;
  std::shared_ptr<bool> dead_ = std::make_shared<bool>(false);
};

// Projects by their sources, as a compiler would give them.
using Projects = std::map<std::string, std::shared_ptr<const Project>>;

// One process over a store that others may share: started as the composition root starts it.
struct Process {
  Process(VirtualClock& clock_, Store& shared, std::shared_ptr<const Project> project,
          CoordinatorOptions options = {}, SessionsOptions session_options = {})
      : Process(clock_, shared, Projects{{project->source, project}}, project, own_plan, own_random,
                std::move(options), session_options) {
    GANGLION_ASSERT(booted);
  }
  Process(VirtualClock& clock_, Store& shared, Projects projects, std::shared_ptr<const Project> project,
          FaultPlan& plan, Random& random, CoordinatorOptions options, SessionsOptions session_options);

  VirtualClock& clock;
  FaultPlan own_plan;
  CountingRandom own_random;
  FaultyStore store;
  RecordingQueue queue;
  Definitions definitions;
  Sessions sessions;
  EventLog events;
  Coordinator coordinator;
  EventRouter router;
  Schedules schedules;
  std::size_t recovered = 0;
  bool booted = false;  // a store that is unavailable at the start is a start that failed
  std::vector<Error> problems;

 private:
  void boot(const std::shared_ptr<const Project>& project);
};

// `main` with the workflow `w` of each of the others under a name of its own, and their agents. `version`
// tells its source from others'.
std::shared_ptr<Project> assembled(
    const std::shared_ptr<const Project>& main,
    const std::vector<std::pair<std::string, std::shared_ptr<const Project>>>& others = {},
    const std::string& version = "1");

using Outcome = std::variant<TaskSuccess, TaskFailure>;

struct StartOptions {
  std::string workflow = "w";
  std::string input = "{}";
  std::optional<std::string> session = {};
  std::map<std::string, std::string> labels = {};
  std::int32_t priority = 0;
};

class World {
 public:
  explicit World(std::shared_ptr<const Project> project, CoordinatorOptions options = {},
                 SessionsOptions session_options = {});

  // --- the engine ---
  void restart();
  // Another project file, active from now on.
  void activate(std::shared_ptr<const Project> project);
  // Runs what there is to do now; a process that has died is started again.
  void settle();
  void pass(Duration duration);

  // --- clients, who try again where they don't know what became of it ---
  RunId start(const StartOptions& options = {});
  Result<void> submit(const RunId& run, const Input& input);
  void signal(const RunId& run, const std::string& name, const std::string& data = "null");
  void publish(const std::string& topic, const std::string& data = "null");
  // The first approval that is open; with its own digest.
  void answer_first(bool approved, const std::string& by = "ann");
  Result<RunId> fork(const RunId& run, const std::string& step, std::optional<Payload> input = {});

  // --- workers ---
  // What it says about a task; nothing: it is at work on it.
  using Worker = std::function<std::optional<Outcome>(const Task&)>;
  Worker worker = [](const Task&) { return TaskSuccess{Payload("1")}; };
  // Until nothing has happened for a while.
  void work();
  Result<Verdict> report(const AttemptToken& token, const Outcome& outcome);
  // The queued task of this step; it is taken.
  Task take(const std::string& step);
  bool has_task(const std::string& step) const;

  // --- what can be seen ---
  std::string status(const RunId& run);
  std::string json(const RunId& run);
  std::vector<JournalEntry> journal(const RunId& run);
  std::vector<std::string> types(const RunId& run);
  std::vector<RunRecord> runs(const RunQuery& query = {});
  std::vector<RunId> children(const RunId& run);
  std::vector<Record> records(RecordKind kind);
  std::vector<TopicEvent> log();
  StateSnapshot state(const std::string& session);
  std::unique_ptr<Run> folded(const RunId& run);

  // Complains about everything in the store and in memory that the journals don't say, and about every
  // promise that a journal breaks.
  void verify();

  VirtualClock clock;
  memory::Store store{clock};
  Projects projects;
  std::shared_ptr<const Project> project;
  CoordinatorOptions options;
  SessionsOptions session_options;
  CountingRandom random;
  FaultPlan faults;
  std::unique_ptr<Process> process;
  int restarts = 0;
  std::vector<Task> handed_out;  // by all processes

 private:
  template <typename T>
  T ask(const std::function<void(std::function<void(T)>)>& call);
  // Until the answer isn't `unavailable`.
  template <typename T>
  Result<T> insist(const std::function<void(std::function<void(Result<T>)>)>& call);
  void verify_run(const RunRecord& record, std::set<std::string>& approvals,
                  std::set<std::string>& published);

  int next_key_ = 0;
};

// Runs the scenario once without a fault, and then with each kind of fault at each of its writes (or calls).
// The scenario checks what must be so at its end.
void with_every_fault(const std::function<std::unique_ptr<World>()>& make,
                      const std::function<void(World&)>& scenario);

}  // namespace ganglion::testing
