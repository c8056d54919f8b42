#pragma once

// The pool is where tasks wait for somebody to do them, and where attempts are watched while somebody does.
//
//   coordinator --dispatch--> lane per agent --poll-->  worker    --complete--> TaskReports
//                                            --start--> executor  --outcome---> TaskReports
//
// A task is queued until it is handed out: to a waiting poll (agents of kind worker) or to an executor
// (process, http; bounded per agent). Tasks go by priority, then in order of arrival; polls are served oldest
// first. Handing out starts the attempt's clock. The pool reports what nobody else can: an attempt that ran
// out of time (`timeout`), whose worker died (`worker_lost`), or an executor's outcome; such reports are
// tried again until they are decided. A worker's own report is passed through, and its error passed back: the
// worker still has the result and repeats it.
//
// Nothing here is durable. After a restart the coordinator dispatches every task without a result again under
// the same token; a worker that has worked on meanwhile keeps its attempt by its next heartbeat, and its
// result counts anyway.
//
// Everything runs on the loop's thread. No callback is called inside the call that was given it. Memory is
// bounded by the dispatched tasks and the waiting polls; both are bounded by admission.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "agents/executor.h"
#include "agents/lifetime.h"
#include "agents/poll.h"
#include "agents/worker_registry.h"
#include "ports/clock.h"
#include "ports/tasks.h"

namespace ganglion::agents {

struct PoolOptions {
  std::size_t process_concurrency = 16;  // attempts at once, per agent
  std::size_t http_concurrency = 64;     // attempts at once, per agent
  // Pause before a report that couldn't be decided is made again: doubles from the first to the second.
  Duration report_retry_initial{50};
  Duration report_retry_max{5'000};
};

class Pool final : public TaskQueue {
 public:
  // The agent of a run's definition (a digest); nothing if there is none such.
  using Resolver = std::move_only_function<std::shared_ptr<const AgentDefinition>(
      const std::string& definition, const std::string& agent)>;
  // Both must outlive the pool; an agent of a kind without an executor fails with `agent_unavailable`.
  struct Executors {
    Executor* process = nullptr;
    Executor* http = nullptr;
  };

  Pool(Clock& clock, Resolver resolver, Executors executors, PoolOptions options = {});
  ~Pool() override;
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Where reports go; before the first task. Apart from the constructor because coordinator and pool know
  // each other.
  void connect(TaskReports& reports) { reports_ = &reports; }

  void dispatch(Task task) override;
  void withdraw(const AttemptToken& token) override;

  // --- for workers ---

  using PollCompletion = std::move_only_function<void(std::vector<HandedTask>)>;
  // Calls `ready` once: with everything that became available in the same turn of the loop, at most `max`, or
  // with nothing when `wait` is over.
  PollTicket poll(PollRequest request, PollCompletion ready);
  // The connection has gone: `ready` is not called any more. A poll that was answered before is ignored.
  void cancel_poll(PollTicket ticket);
  // The answer couldn't be delivered: the tasks go back to where they were in the queue, their attempts
  // unspent.
  void hand_back(const std::vector<AttemptToken>& tokens);

  // Passes a worker's result on; the time of the hand-out (and the worker, if the report names none) is
  // filled in.
  void complete(TaskReport report, TaskReports::Completion done);
  // Doesn't extend the deadline. For a task that is merely queued (the server was restarted while the worker
  // worked), the attempt counts from now on as handed out to that worker.
  HeartbeatReply heartbeat(Heartbeat heartbeat);
  // The worker with this id, and those whose ids go on with '-' after it, have died: what they hold fails at
  // once.
  void worker_gone(std::string_view worker);

  // Answers every waiting poll, cancels what executors do, and hands out nothing any more. Final.
  void stop();

  // --- introspection ---

  AgentStatus status(const std::string& agent) const;
  std::vector<AgentStatus> statuses() const;  // of agents with tasks or waiting polls, by name
  std::optional<AttemptStatus> attempt(const AttemptToken& token) const;  // while it is handed out

 private:
  enum class Kind : std::uint8_t { worker, process, http };
  struct Lane;
  struct Entry;
  struct Waiter;
  struct Delivery;

  // Before whom a task goes; kept when it is handed back.
  struct Place {
    std::int32_t priority;
    std::uint64_t arrival;
    bool operator<(const Place& other) const {
      return priority != other.priority ? priority > other.priority : arrival < other.arrival;
    }
  };

  struct Lane {
    Kind kind;
    std::string agent;
    std::map<Place, Entry*> queued;
    std::set<PollTicket> waiters;  // oldest first; of lanes for workers
    std::size_t handed_out = 0;
    bool dirty = false;  // listed in dirty_
  };

  struct Queued {};
  // Somebody works on it.
  struct Working {
    TimerId timer;
  };
  // The pool itself has ended the attempt; its report is not decided yet.
  struct Reporting {
    TaskReport report;
    Duration pause{};
    TimerId timer;  // of the next try; 0 while one is under way
  };
  // Nobody wants its result; whoever holds it is being told.
  struct Cancelled {
    TimerId timer;  // the attempt's; 0 for an executor's, which says when it has ended
  };
  using State = std::variant<Queued, Working, Reporting, Cancelled>;

  struct Entry {
    Task task;
    std::shared_ptr<const AgentDefinition> agent;
    Lane& lane;
    Place place;
    State state;
    // Of a task that is handed out:
    std::string worker;
    Timestamp started_at;
    Timestamp deadline;
    bool executing = false;  // an executor still owes its `done`
    std::optional<double> progress;
    std::optional<Payload> details;
  };

  struct Waiter {
    std::vector<Lane*> lanes;
    std::string worker;
    std::uint32_t max;
    TimerId timer;  // 0 for one that doesn't wait
    PollCompletion ready;
  };

  struct Delivery {
    PollCompletion ready;
    std::vector<HandedTask> tasks;
  };

  struct TokenHash {
    std::size_t operator()(const AttemptToken& token) const noexcept;
  };

  Executor* executor_of(Kind kind) const;
  std::size_t concurrency_of(Kind kind) const;
  Lane& lane(const std::string& agent, Kind kind);
  void drop_if_unused(Lane& lane);
  Entry* find(const AttemptToken& token);

  void mark_dirty(Lane& lane);
  void schedule_matching();
  void match();
  void match_polls(std::vector<Delivery>& deliveries);
  void match_executors(Lane& lane);
  Delivery serve(PollTicket ticket);
  Waiter take_waiter(PollTicket ticket);
  void poll_timed_out(PollTicket ticket);
  void answer_later(std::vector<PollCompletion> polls);

  void leave_queue(Entry& entry, const std::string& worker);
  void hand_out(Entry& entry, const std::string& worker);
  void put_back(Entry& entry);
  void execute(Entry& entry);
  void executed(const AttemptToken& token, Outcome outcome);
  void out_of_time(const AttemptToken& token);

  void report(Entry& entry, Outcome outcome);
  void try_report(const AttemptToken& token);
  void report_answered(const AttemptToken& token, const Result<Verdict>& verdict);
  void decided(const AttemptToken& token);
  void settle(Entry& entry);
  void stop_timer(Entry& entry);
  void erase(Entry& entry);

  Clock& clock_;
  TaskReports* reports_ = nullptr;
  Resolver resolver_;
  Executors executors_;
  PoolOptions options_;

  std::map<std::pair<std::string, Kind>, Lane> lanes_;
  std::unordered_map<AttemptToken, Entry, TokenHash>
      entries_;  // never iterated: its order isn't deterministic
  std::map<PollTicket, Waiter> waiters_;
  std::vector<PollTicket> not_waiting_;  // polls to answer at the end of this turn, with tasks or without
  std::vector<Lane*> dirty_;             // lanes where tasks and takers may meet
  WorkerRegistry workers_;
  std::uint64_t next_arrival_ = 0;
  PollTicket next_ticket_{1};
  bool matching_scheduled_ = false;
  bool stopped_ = false;

  Lifetime lifetime_;
};

}  // namespace ganglion::agents
