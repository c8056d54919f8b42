#include "agents/pool.h"

#include <algorithm>

#include "base/assert.h"
#include "base/overloaded.h"
#include "core/workflow.h"

namespace ganglion::agents {
namespace {

// A worker that never comes back for a cancelled attempt is told so for this long.
constexpr Duration kRememberCancelled{300'000};

// Nothing for those whose tasks never come here: the engine turns them into approvals and other agents'
// tasks.
std::optional<LaneKind> lane_kind(const AgentBackend& backend) {
  using Kind = std::optional<LaneKind>;
  return std::visit(Overloaded{
                        [](const WorkerAgent&) -> Kind { return LaneKind::worker; },
                        [](const ProcessAgent&) -> Kind { return LaneKind::process; },
                        [](const HttpAgent&) -> Kind { return LaneKind::http; },
                        [](const HumanAgent&) -> Kind { return std::nullopt; },
                        [](const RouterAgent&) -> Kind { return std::nullopt; },
                    },
                    backend);
}

// Whether the agent let the task down. One that says that it can't be done has answered.
bool failed(const Outcome& outcome) {
  const auto* failure = std::get_if<TaskFailure>(&outcome);
  return failure && failure->retryable;
}

}  // namespace

std::size_t Pool::TokenHash::operator()(const AttemptToken& token) const noexcept {
  std::size_t hash = std::hash<RunId>{}(token.run);
  for (const std::uint32_t part : {token.step.value(), token.item.value(), token.attempt.value()}) {
    hash = (hash ^ part) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 29;
  }
  return hash;
}

Pool::Pool(Clock& clock, Resolver resolver, Executors executors, PoolOptions options)
    : clock_(clock), resolver_(std::move(resolver)), executors_(executors), options_(options) {}

Pool::~Pool() = default;

Executor* Pool::executor_of(LaneKind kind) const {
  switch (kind) {
    case LaneKind::worker:
      return nullptr;
    case LaneKind::process:
      return executors_.process;
    case LaneKind::http:
      return executors_.http;
  }
  return nullptr;
}

std::optional<std::size_t> Pool::usual_concurrency(LaneKind kind) const {
  switch (kind) {
    case LaneKind::worker:
      return std::nullopt;
    case LaneKind::process:
      return options_.process_concurrency;
    case LaneKind::http:
      return options_.http_concurrency;
  }
  return std::nullopt;
}

TaskEntry* Pool::find(const AttemptToken& token) {
  const auto at = entries_.find(token);
  return at == entries_.end() ? nullptr : &at->second;
}

// --- down: tasks
// ----------------------------------------------------------------------------------------------------

void Pool::dispatch(Task task) {
  if (entries_.contains(task.token)) return;
  const Timestamp now = clock_.now();
  std::shared_ptr<const AgentDefinition> agent = resolver_(task.definition, task.agent);
  std::string().swap(task.definition);  // as many bytes as the rest of a small task
  const std::optional<LaneKind> kind = agent ? lane_kind(agent->backend) : std::nullopt;
  const bool possible = kind && (kind == LaneKind::worker || executor_of(*kind));
  Lane& lane = this->lane(task.agent, kind.value_or(LaneKind::worker));
  if (possible) lane.limits.configure(*agent, task.token.run, usual_concurrency(*kind), now);

  const AttemptToken token = task.token;
  TaskEntry& entry = entries_.try_emplace(token, std::move(task), std::move(agent), lane, now).first->second;
  ++lane.entries;
  lane.queued.add(entry, entry.task.fairness_key, entry.task.priority);
  if (entry.task.fallback_follows) ++lane.with_fallback;
  if (possible) {
    mark_dirty(lane);
    return;
  }
  leave_queue(entry);
  report(entry,
         TaskFailure{"agent_unavailable", "nothing here can run the agent \"" + lane.agent + "\"", false});
}

void Pool::withdraw(const AttemptToken& token) {
  TaskEntry* entry = find(token);
  if (entry) settle(*entry);
}

std::size_t Pool::room(const std::string& definition, const std::string& agent) const {
  const auto found = resolver_(definition, agent);
  const std::optional<LaneKind> kind = found ? lane_kind(found->backend) : std::nullopt;
  if (!kind || stopped_) return 0;
  const auto at = lanes_.find({agent, *kind});
  if (*kind != LaneKind::worker) {
    if (!executor_of(*kind)) return 0;
    return at == lanes_.end() ||
           (at->second.queued.empty() && at->second.limits.hold(clock_.now()) == Hold::nothing);
  }
  if (at == lanes_.end() || at->second.limits.hold(clock_.now()) != Hold::nothing) return 0;
  std::size_t room = 0;
  for (const PollTicket ticket : at->second.waiters) room += waiters_.at(ticket).max;
  return room - std::min(room, at->second.queued.size());
}

bool Pool::is_queued(const AttemptToken& token) const {
  const auto at = entries_.find(token);
  return at != entries_.end() && std::holds_alternative<TaskEntry::Queued>(at->second.state);
}

bool Pool::is_stranded(const AttemptToken& token) const {
  if (!is_queued(token)) return false;
  const Lane& lane = entries_.at(token).lane;
  return lane.kind == LaneKind::worker && lane.waiters.empty();
}

// --- attempts
// -------------------------------------------------------------------------------------------------------

// The lane's next task, which its limits allow.
TaskEntry& Pool::hand_out(Lane& lane, const std::string& worker) {
  auto& entry = static_cast<TaskEntry&>(lane.queued.take());
  if (entry.task.fallback_follows) --lane.with_fallback;
  lane.limits.handed_out(entry.task.token, clock_.now());
  begin(entry, TaskEntry::Slot::admitted, worker);
  return entry;
}

void Pool::adopt(TaskEntry& entry, const std::string& worker) {
  leave_queue(entry);
  entry.lane.limits.adopted();
  begin(entry, TaskEntry::Slot::adopted, worker);
}

void Pool::leave_queue(TaskEntry& entry) {
  entry.lane.queued.remove(entry);
  if (entry.task.fallback_follows) --entry.lane.with_fallback;
}

void Pool::begin(TaskEntry& entry, TaskEntry::Slot slot, const std::string& worker) {
  const Timestamp now = clock_.now();
  entry.slot = slot;
  entry.holder = std::make_unique<TaskEntry::Holder>(worker, now, now + entry.task.timeout, now);
  if (!worker.empty()) workers_.took(worker, entry.task.token, now);
  watch(entry);
}

void Pool::put_back(TaskEntry& entry) {
  stop_timer(entry);
  const AttemptToken& token = entry.task.token;
  if (entry.slot == TaskEntry::Slot::admitted) {
    entry.lane.limits.put_back(token, entry.holder->started_at, clock_.now());
  } else {
    entry.lane.limits.released(token);
  }
  if (!entry.holder->worker.empty()) workers_.released(entry.holder->worker, token);
  entry.holder.reset();
  entry.slot = TaskEntry::Slot::none;
  entry.state = TaskEntry::Queued{};
  entry.lane.queued.put_back(entry);
  if (entry.task.fallback_follows) ++entry.lane.with_fallback;
  mark_dirty(entry.lane);
}

void Pool::release_slot(TaskEntry& entry) {
  if (entry.slot == TaskEntry::Slot::none) return;
  entry.slot = TaskEntry::Slot::none;
  entry.lane.limits.released(entry.task.token);
  match_if_takers(entry.lane);
}

void Pool::execute(Lane& lane) {
  TaskEntry& entry = hand_out(lane, "");
  entry.executing = true;
  const AttemptToken token = entry.task.token;
  executor_of(lane.kind)->start(
      entry.task, *entry.agent, entry.holder->deadline,
      lifetime_.guard([this, token](Outcome outcome) { executed(token, std::move(outcome)); }));
}

void Pool::executed(const AttemptToken& token, Outcome outcome) {
  TaskEntry* entry = find(token);
  GANGLION_ASSERT(entry && entry->executing);
  entry->executing = false;
  if (std::holds_alternative<TaskEntry::Working>(entry->state)) {
    report(*entry, std::move(outcome));
  } else if (std::holds_alternative<TaskEntry::Cancelled>(entry->state)) {
    erase(*entry);
  }
}

// A heartbeat moves no timer, because there may be thousands a second; whether it came is looked up when it
// is due.
Timestamp Pool::next_look(const TaskEntry& entry) const {
  const TaskEntry::Holder& holder = *entry.holder;
  const std::optional<Duration>& idle = entry.agent->idle_timeout;
  if (!idle || entry.lane.kind != LaneKind::worker) return holder.deadline;
  return std::min(holder.deadline, holder.heard_from + *idle);
}

void Pool::watch(TaskEntry& entry) {
  const AttemptToken token = entry.task.token;
  entry.state =
      TaskEntry::Working{clock_.at(next_look(entry), lifetime_.guard([this, token] { look(token); }))};
}

void Pool::look(const AttemptToken& token) {
  TaskEntry* entry = find(token);
  GANGLION_ASSERT(entry);
  if (std::holds_alternative<TaskEntry::Cancelled>(entry->state)) {
    erase(*entry);
    return;
  }
  const Timestamp now = clock_.now();
  if (now >= entry->holder->deadline) {
    report(*entry, TaskFailure{"timeout", "no result within " + format_duration(entry->task.timeout), true});
    if (entry->executing) executor_of(entry->lane.kind)->cancel(token);
  } else if (now >= next_look(*entry)) {
    report(*entry, TaskFailure{"idle_timeout",
                               "no heartbeat within " + format_duration(*entry->agent->idle_timeout), true});
  } else {
    watch(*entry);
  }
}

void Pool::hand_back(const std::vector<AttemptToken>& tokens) {
  for (const AttemptToken& token : tokens) {
    TaskEntry* entry = find(token);
    if (!entry || entry->executing) continue;
    if (std::holds_alternative<TaskEntry::Working>(entry->state)) {
      put_back(*entry);
    } else if (std::holds_alternative<TaskEntry::Cancelled>(entry->state)) {
      erase(*entry);
    }
  }
}

HeartbeatReply Pool::heartbeat(Heartbeat heartbeat) {
  const Timestamp now = clock_.now();
  workers_.heard_from(heartbeat.worker, now);
  TaskEntry* entry = find(heartbeat.token);
  if (!entry || entry->lane.kind != LaneKind::worker) return {};
  if (std::holds_alternative<TaskEntry::Queued>(entry->state)) adopt(*entry, heartbeat.worker);
  if (!entry->holder) return {.known = true, .cancelled = true, .deadline = now};
  TaskEntry::Holder& holder = *entry->holder;
  holder.heard_from = now;
  if (heartbeat.progress) holder.progress = heartbeat.progress;
  if (heartbeat.details && heartbeat.details->size() <= kMaxHeartbeatDetails)
    holder.details = std::move(heartbeat.details);
  // Told so, it stops; nothing says when, and others wait.
  if (std::holds_alternative<TaskEntry::Cancelled>(entry->state)) release_slot(*entry);
  return {.known = true,
          .cancelled = !std::holds_alternative<TaskEntry::Working>(entry->state),
          .deadline = holder.deadline};
}

void Pool::worker_gone(std::string_view worker) {
  for (const AttemptToken& token : workers_.held_by(worker)) {
    TaskEntry& entry = *find(token);
    if (std::holds_alternative<TaskEntry::Working>(entry.state)) {
      report(entry, TaskFailure{"worker_lost", "the worker " + entry.holder->worker + " died while it worked",
                                true});
    } else if (std::holds_alternative<TaskEntry::Cancelled>(entry.state)) {
      erase(entry);
    }
  }
  std::vector<PollTicket> tickets;
  for (const auto& [ticket, waiter] : waiters_) {
    if (belongs_to(waiter.worker, worker)) tickets.push_back(ticket);
  }
  std::vector<PollCompletion> polls;
  for (const PollTicket ticket : tickets) polls.push_back(take_waiter(ticket).ready);
  answer_later(std::move(polls));
}

std::optional<AttemptStatus> Pool::attempt(const AttemptToken& token) const {
  const auto at = entries_.find(token);
  if (at == entries_.end() || !std::holds_alternative<TaskEntry::Working>(at->second.state))
    return std::nullopt;
  const TaskEntry::Holder& holder = *at->second.holder;
  return AttemptStatus{holder.worker, holder.started_at, holder.deadline, holder.progress, holder.details};
}

// --- up: reports
// ----------------------------------------------------------------------------------------------------

void Pool::complete(TaskReport report, TaskReports::Completion done) {
  report.started_at = clock_.now();
  if (const TaskEntry* entry = find(report.token)) {
    // What the engine itself carries out, nobody else reports.
    if (entry->lane.kind != LaneKind::worker) {
      return clock_.post([done = std::move(done)]() mutable { done(Verdict::unknown); });
    }
    if (entry->holder) {
      report.started_at = entry->holder->started_at;
      report.queued_at = entry->queued_at;
      if (report.worker.empty()) report.worker = entry->holder->worker;
    } else {
      // Handed out before a restart: nobody knows when, but not before it was scheduled.
      report.started_at = entry->task.scheduled_at;
    }
  }
  workers_.heard_from(report.worker, clock_.now());

  const AttemptToken token = report.token;
  auto settled = lifetime_.guard(
      [this, token, failed = failed(report.outcome)](Verdict verdict) { decided(token, verdict, failed); });
  reports_->report(std::move(report),
                   [settled = std::move(settled), done = std::move(done)](Result<Verdict> verdict) mutable {
                     if (verdict) settled(*verdict);
                     done(std::move(verdict));
                   });
}

// What the pool itself reports. Made from the loop, never inside the coordinator's own call.
void Pool::report(TaskEntry& entry, Outcome outcome) {
  stop_timer(entry);
  const AttemptToken token = entry.task.token;
  const TaskEntry::Holder* holder = entry.holder.get();
  auto report =
      std::make_unique<TaskReport>(TaskReport{.token = token,
                                              .outcome = std::move(outcome),
                                              .worker = holder ? holder->worker : "",
                                              .started_at = holder ? holder->started_at : clock_.now(),
                                              .queued_at = entry.queued_at});
  entry.state = TaskEntry::Reporting{std::move(report), options_.report_retry_initial, TimerId()};
  clock_.post(lifetime_.guard([this, token] { try_report(token); }));
}

void Pool::try_report(const AttemptToken& token) {
  TaskEntry* entry = find(token);
  auto* reporting = entry ? std::get_if<TaskEntry::Reporting>(&entry->state) : nullptr;
  if (!reporting) return;  // withdrawn or decided meanwhile
  reporting->timer = TimerId();
  reports_->report(*reporting->report, lifetime_.guard([this, token](const Result<Verdict>& verdict) {
    report_answered(token, verdict);
  }));
}

void Pool::report_answered(const AttemptToken& token, const Result<Verdict>& verdict) {
  TaskEntry* entry = find(token);
  auto* reporting = entry ? std::get_if<TaskEntry::Reporting>(&entry->state) : nullptr;
  if (verdict) {
    decided(token, *verdict, reporting && failed(reporting->report->outcome));
    return;
  }
  if (!reporting) return;
  reporting->timer =
      clock_.at(clock_.now() + reporting->pause, lifetime_.guard([this, token] { try_report(token); }));
  reporting->pause = std::min(2 * reporting->pause, options_.report_retry_max);
}

void Pool::decided(const AttemptToken& token, Verdict verdict, bool failed) {
  TaskEntry* entry = find(token);
  if (!entry) return;
  Lane& lane = entry->lane;
  if (entry->slot != TaskEntry::Slot::none) {
    switch (verdict) {
      case Verdict::accepted:
        failed ? lane.limits.failed(token, clock_.now()) : lane.limits.answered(token);
        break;
      case Verdict::invalid:
        lane.limits.failed(token, clock_.now());
        break;
      case Verdict::stale_attempt:
      case Verdict::unknown:
        break;
    }
    if (!lane.queued.empty()) mark_dirty(lane);
  }
  // Whoever holds it has just reported, or will be told by its verdict; there's nothing left to tell.
  if (entry->executing) {
    settle(*entry);
  } else {
    erase(*entry);
  }
}

// The attempt doesn't count any more: forgets it as soon as nobody works on it.
void Pool::settle(TaskEntry& entry) {
  if (std::holds_alternative<TaskEntry::Cancelled>(entry.state)) return;
  const AttemptToken token = entry.task.token;
  if (!entry.executing && !std::holds_alternative<TaskEntry::Working>(entry.state)) {
    erase(entry);
    return;
  }
  // One that is out of time was cancelled before.
  const bool told = std::holds_alternative<TaskEntry::Reporting>(entry.state);
  stop_timer(entry);
  entry.lane.limits.abandoned(token);
  if (!entry.lane.queued.empty()) mark_dirty(entry.lane);
  if (entry.executing) {
    entry.state = TaskEntry::Cancelled{};
    if (!told) executor_of(entry.lane.kind)->cancel(token);
    return;
  }
  const Timestamp forget_at = std::min(entry.holder->deadline, clock_.now() + kRememberCancelled);
  entry.state = TaskEntry::Cancelled{clock_.at(forget_at, lifetime_.guard([this, token] { look(token); }))};
}

void Pool::stop_timer(TaskEntry& entry) {
  const TimerId timer = std::visit(Overloaded{
                                       [](const TaskEntry::Queued&) { return TimerId(); },
                                       [](const TaskEntry::Working& working) { return working.timer; },
                                       [](const TaskEntry::Reporting& reporting) { return reporting.timer; },
                                       [](const TaskEntry::Cancelled& cancelled) { return cancelled.timer; },
                                   },
                                   entry.state);
  if (timer != TimerId()) clock_.cancel(timer);
}

void Pool::erase(TaskEntry& entry) {
  stop_timer(entry);
  const AttemptToken token = entry.task.token;
  Lane& lane = entry.lane;
  if (std::holds_alternative<TaskEntry::Queued>(entry.state)) leave_queue(entry);
  release_slot(entry);
  if (entry.holder && !entry.holder->worker.empty()) workers_.released(entry.holder->worker, token);
  entries_.erase(token);
  --lane.entries;
  drop_if_unused(lane);
}

}  // namespace ganglion::agents
