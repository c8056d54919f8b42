#pragma once

// The pool is where tasks wait for somebody to do them, and where attempts are watched while somebody does.
//
//   coordinator --dispatch--> lane per agent --poll-->  worker    --complete--> TaskReports
//                                            --start--> executor  --outcome---> TaskReports
//
// A task is queued until it is handed out: to a waiting poll (agents of kind worker) or to an executor
// (process, http). Tasks of an agent go by priority, then in fair shares (fair_queue.h), as far as the
// agent's limits allow (lane_limits.h); polls are served oldest first. Handing out starts the attempt's
// clock. The pool reports what nobody else can: an attempt that ran out of time (`timeout`), whose worker is
// silent
// (`idle_timeout`) or died (`worker_lost`), a task that nobody can do (`agent_unavailable`) or that needn't
// wait for a broken agent (`circuit_open`), and an executor's outcome; such reports are tried again until
// they are decided. A worker's own report is passed through, and its error passed back: the worker still has
// the result and repeats it.
//
// Nothing here is durable. After a restart the coordinator dispatches every task without a result again under
// the same token; a worker that has worked on meanwhile keeps its attempt by its next heartbeat, and its
// result counts anyway. Such attempts count against the limits, but nothing can refuse them: a restart may
// exceed a limit once, by what was under way.
//
// Everything runs on the loop's thread. No callback is called inside the call that was given it. Memory is
// bounded by the dispatched tasks and the waiting polls; both are bounded by admission.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agents/executor.h"
#include "agents/lane.h"
#include "agents/lifetime.h"
#include "agents/poll.h"
#include "agents/task_entry.h"
#include "agents/worker_registry.h"
#include "ports/clock.h"
#include "ports/tasks.h"

namespace ganglion::agents {

struct PoolOptions {
  // Attempts at once, per agent, where its definition says nothing.
  std::size_t process_concurrency = 16;
  std::size_t http_concurrency = 64;
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
  // Doesn't extend the deadline, but an `idle_timeout` begins anew. For a task that is merely queued (the
  // server was restarted while the worker worked), the attempt counts from now on as handed out to that
  // worker.
  HeartbeatReply heartbeat(Heartbeat heartbeat);
  // The worker with this id, and those whose ids go on with '-' after it, have died: what they hold fails at
  // once.
  void worker_gone(std::string_view worker);

  // --- for whoever brings tasks from elsewhere ---

  // `definition` may be empty: the active one. How many more tasks of this agent would be taken at once: by
  // waiting polls, or by its executor as far as its limits allow (then one at a time).
  std::size_t room(const std::string& definition, const std::string& agent) const;
  // Whether it is here, in whatever state.
  bool has(const AttemptToken& token) const { return entries_.contains(token); }
  // Whether it waits to be handed out, and whether no poll waits for it.
  bool is_queued(const AttemptToken& token) const;
  bool is_stranded(const AttemptToken& token) const;
  // Called whenever a poll begins to wait for tasks of this agent.
  void on_poll(std::function<void(const std::string& agent)> polled) { polled_ = std::move(polled); }

  // Answers every waiting poll, cancels what executors do, and hands out nothing any more. Final.
  void stop();

  // --- introspection ---

  AgentStatus status(const std::string& agent) const;
  std::vector<AgentStatus> statuses() const;  // of agents with tasks, waiting polls or limits, by name
  std::optional<AttemptStatus> attempt(const AttemptToken& token) const;  // while it is handed out

 private:
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

  Executor* executor_of(LaneKind kind) const;
  std::optional<std::size_t> usual_concurrency(LaneKind kind) const;
  Lane& lane(const std::string& agent, LaneKind kind);
  void drop_if_unused(Lane& lane);
  TaskEntry* find(const AttemptToken& token);

  void note_dirty(Lane& lane);
  void mark_dirty(Lane& lane);
  void match_if_takers(Lane& lane);
  void schedule_matching();
  void match();
  void match_polls(std::vector<Delivery>& deliveries);
  void match_executors(Lane& lane);
  Delivery serve(PollTicket ticket);
  void turn_away(Lane& lane);
  void plan_wake(Lane& lane);
  Waiter take_waiter(PollTicket ticket);
  void poll_timed_out(PollTicket ticket);
  void answer_later(std::vector<PollCompletion> polls);

  TaskEntry& hand_out(Lane& lane, const std::string& worker);
  void adopt(TaskEntry& entry, const std::string& worker);
  void begin(TaskEntry& entry, TaskEntry::Slot slot, const std::string& worker);
  void leave_queue(TaskEntry& entry);
  void put_back(TaskEntry& entry);
  void release_slot(TaskEntry& entry);
  void execute(Lane& lane);
  void executed(const AttemptToken& token, Outcome outcome);
  Timestamp next_look(const TaskEntry& entry) const;
  void watch(TaskEntry& entry);
  void look(const AttemptToken& token);

  void report(TaskEntry& entry, Outcome outcome);
  void try_report(const AttemptToken& token);
  void report_answered(const AttemptToken& token, const Result<Verdict>& verdict);
  void decided(const AttemptToken& token, Verdict verdict, bool failed);
  void settle(TaskEntry& entry);
  void stop_timer(TaskEntry& entry);
  void erase(TaskEntry& entry);

  Clock& clock_;
  TaskReports* reports_ = nullptr;
  std::function<void(const std::string& agent)> polled_;
  mutable Resolver resolver_;
  Executors executors_;
  PoolOptions options_;

  std::uint64_t serial_ = 0;  // of arrivals and turns, see fair_queue.h
  std::map<std::pair<std::string, LaneKind>, Lane> lanes_;
  std::unordered_map<AttemptToken, TaskEntry, TokenHash>
      entries_;  // never iterated: its order isn't deterministic
  std::map<PollTicket, Waiter> waiters_;
  std::vector<PollTicket> not_waiting_;  // polls to answer at the end of this turn, with tasks or without
  std::vector<Lane*> dirty_;             // lanes where tasks and takers may meet
  WorkerRegistry workers_;
  PollTicket next_ticket_{1};
  bool matching_scheduled_ = false;
  bool stopped_ = false;

  Lifetime lifetime_;
};

}  // namespace ganglion::agents
