#include "agents/pool.h"

#include <algorithm>

#include "base/assert.h"
#include "base/overloaded.h"
#include "core/workflow.h"

namespace ganglion::agents {
namespace {

// A worker that never comes back for a cancelled attempt is told so for this long.
constexpr Duration kRememberCancelled{300'000};

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

Executor* Pool::executor_of(Kind kind) const {
  switch (kind) {
    case Kind::worker:
      return nullptr;
    case Kind::process:
      return executors_.process;
    case Kind::http:
      return executors_.http;
  }
  return nullptr;
}

std::size_t Pool::concurrency_of(Kind kind) const {
  return kind == Kind::process ? options_.process_concurrency : options_.http_concurrency;
}

Pool::Entry* Pool::find(const AttemptToken& token) {
  const auto at = entries_.find(token);
  return at == entries_.end() ? nullptr : &at->second;
}

// --- down: tasks
// ----------------------------------------------------------------------------------------------------

void Pool::dispatch(Task task) {
  if (entries_.contains(task.token)) return;
  std::shared_ptr<const AgentDefinition> agent = resolver_(task.definition, task.agent);
  Kind kind = Kind::worker;
  if (agent) {
    kind = std::visit(Overloaded{
                          [](const WorkerAgent&) { return Kind::worker; },
                          [](const ProcessAgent&) { return Kind::process; },
                          [](const HttpAgent&) { return Kind::http; },
                      },
                      agent->backend);
  }
  const bool possible = agent && (kind == Kind::worker || executor_of(kind));
  Lane& lane = this->lane(task.agent, kind);
  const AttemptToken token = task.token;
  const Place place{task.priority, next_arrival_++};
  Entry& entry =
      entries_.try_emplace(token, std::move(task), std::move(agent), lane, place, Queued{}).first->second;
  lane.queued.emplace(place, &entry);
  if (possible) {
    mark_dirty(lane);
    return;
  }
  leave_queue(entry, "");
  report(entry,
         TaskFailure{"agent_unavailable", "nothing here can run the agent \"" + lane.agent + "\"", false});
}

void Pool::withdraw(const AttemptToken& token) {
  Entry* entry = find(token);
  if (entry) settle(*entry);
}

// --- attempts
// -------------------------------------------------------------------------------------------------------

void Pool::leave_queue(Entry& entry, const std::string& worker) {
  entry.lane.queued.erase(entry.place);
  ++entry.lane.handed_out;
  entry.worker = worker;
  entry.started_at = clock_.now();
  entry.deadline = entry.started_at + entry.task.timeout;
  if (!worker.empty()) workers_.took(worker, entry.task.token, entry.started_at);
}

void Pool::hand_out(Entry& entry, const std::string& worker) {
  leave_queue(entry, worker);
  const AttemptToken token = entry.task.token;
  entry.state = Working{clock_.at(entry.deadline, lifetime_.guard([this, token] { out_of_time(token); }))};
}

void Pool::put_back(Entry& entry) {
  stop_timer(entry);
  --entry.lane.handed_out;
  if (!entry.worker.empty()) workers_.released(entry.worker, entry.task.token);
  entry.worker.clear();
  entry.progress.reset();
  entry.details.reset();
  entry.state = Queued{};
  entry.lane.queued.emplace(entry.place, &entry);
  mark_dirty(entry.lane);
}

void Pool::execute(Entry& entry) {
  hand_out(entry, "");
  entry.executing = true;
  const AttemptToken token = entry.task.token;
  executor_of(entry.lane.kind)
      ->start(entry.task, *entry.agent, entry.deadline,
              lifetime_.guard([this, token](Outcome outcome) { executed(token, std::move(outcome)); }));
}

void Pool::executed(const AttemptToken& token, Outcome outcome) {
  Entry* entry = find(token);
  GANGLION_ASSERT(entry && entry->executing);
  entry->executing = false;
  if (std::holds_alternative<Working>(entry->state)) {
    report(*entry, std::move(outcome));
  } else if (std::holds_alternative<Cancelled>(entry->state)) {
    erase(*entry);
  }
}

void Pool::out_of_time(const AttemptToken& token) {
  Entry* entry = find(token);
  GANGLION_ASSERT(entry);
  if (std::holds_alternative<Cancelled>(entry->state)) {
    erase(*entry);
    return;
  }
  report(*entry, TaskFailure{"timeout", "no result within " + format_duration(entry->task.timeout), true});
  if (entry->executing) executor_of(entry->lane.kind)->cancel(token);
}

void Pool::hand_back(const std::vector<AttemptToken>& tokens) {
  for (const AttemptToken& token : tokens) {
    Entry* entry = find(token);
    if (!entry || entry->executing) continue;
    if (std::holds_alternative<Working>(entry->state)) {
      put_back(*entry);
    } else if (std::holds_alternative<Cancelled>(entry->state)) {
      erase(*entry);
    }
  }
}

HeartbeatReply Pool::heartbeat(Heartbeat heartbeat) {
  workers_.heard_from(heartbeat.worker, clock_.now());
  Entry* entry = find(heartbeat.token);
  if (!entry || entry->lane.kind != Kind::worker) return {};
  if (std::holds_alternative<Queued>(entry->state)) hand_out(*entry, heartbeat.worker);
  if (heartbeat.progress) entry->progress = heartbeat.progress;
  if (heartbeat.details && heartbeat.details->size() <= kMaxHeartbeatDetails)
    entry->details = heartbeat.details;
  return {.known = true,
          .cancelled = !std::holds_alternative<Working>(entry->state),
          .deadline = entry->deadline};
}

void Pool::worker_gone(std::string_view worker) {
  for (const AttemptToken& token : workers_.held_by(worker)) {
    Entry& entry = *find(token);
    if (std::holds_alternative<Working>(entry.state)) {
      report(entry, TaskFailure{"worker_lost", "the worker " + entry.worker + " died while it worked", true});
    } else if (std::holds_alternative<Cancelled>(entry.state)) {
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
  if (at == entries_.end() || !std::holds_alternative<Working>(at->second.state)) return std::nullopt;
  const Entry& entry = at->second;
  return AttemptStatus{entry.worker, entry.started_at, entry.deadline, entry.progress, entry.details};
}

// --- up: reports
// ----------------------------------------------------------------------------------------------------

void Pool::complete(TaskReport report, TaskReports::Completion done) {
  report.started_at = clock_.now();
  if (const Entry* entry = find(report.token)) {
    const bool queued = std::holds_alternative<Queued>(entry->state);
    // Handed out before a restart: nobody knows when, but not before it was scheduled.
    report.started_at = queued ? entry->task.scheduled_at : entry->started_at;
    if (report.worker.empty()) report.worker = entry->worker;
  }
  workers_.heard_from(report.worker, clock_.now());

  const AttemptToken token = report.token;
  auto settled = lifetime_.guard([this, token] { decided(token); });
  reports_->report(std::move(report),
                   [settled = std::move(settled), done = std::move(done)](Result<Verdict> verdict) mutable {
                     if (verdict) settled();
                     done(std::move(verdict));
                   });
}

// What the pool itself reports. Made from the loop, never inside the coordinator's own call.
void Pool::report(Entry& entry, Outcome outcome) {
  stop_timer(entry);
  const AttemptToken token = entry.task.token;
  entry.state = Reporting{
      {token, std::move(outcome), entry.worker, entry.started_at}, options_.report_retry_initial, TimerId()};
  clock_.post(lifetime_.guard([this, token] { try_report(token); }));
}

void Pool::try_report(const AttemptToken& token) {
  Entry* entry = find(token);
  auto* reporting = entry ? std::get_if<Reporting>(&entry->state) : nullptr;
  if (!reporting) return;  // withdrawn or decided meanwhile
  reporting->timer = TimerId();
  reports_->report(reporting->report, lifetime_.guard([this, token](const Result<Verdict>& verdict) {
    report_answered(token, verdict);
  }));
}

void Pool::report_answered(const AttemptToken& token, const Result<Verdict>& verdict) {
  if (verdict) {
    decided(token);
    return;
  }
  Entry* entry = find(token);
  auto* reporting = entry ? std::get_if<Reporting>(&entry->state) : nullptr;
  if (!reporting) return;
  reporting->timer =
      clock_.at(clock_.now() + reporting->pause, lifetime_.guard([this, token] { try_report(token); }));
  reporting->pause = std::min(2 * reporting->pause, options_.report_retry_max);
}

void Pool::decided(const AttemptToken& token) {
  Entry* entry = find(token);
  if (!entry) return;
  // Whoever holds it has just reported, or will be told by its verdict; there's nothing left to tell.
  if (entry->executing) {
    settle(*entry);
  } else {
    erase(*entry);
  }
}

// The attempt doesn't count any more: forgets it as soon as nobody works on it.
void Pool::settle(Entry& entry) {
  if (std::holds_alternative<Cancelled>(entry.state)) return;
  if (entry.executing) {
    // One that is out of time was cancelled before.
    const bool told = std::holds_alternative<Reporting>(entry.state);
    stop_timer(entry);
    entry.state = Cancelled{};
    if (!told) executor_of(entry.lane.kind)->cancel(entry.task.token);
    return;
  }
  if (!std::holds_alternative<Working>(entry.state)) {
    erase(entry);
    return;
  }
  stop_timer(entry);
  const AttemptToken token = entry.task.token;
  const Timestamp forget_at = std::min(entry.deadline, clock_.now() + kRememberCancelled);
  entry.state = Cancelled{clock_.at(forget_at, lifetime_.guard([this, token] { out_of_time(token); }))};
}

void Pool::stop_timer(Entry& entry) {
  const TimerId timer = std::visit(Overloaded{
                                       [](const Queued&) { return TimerId(); },
                                       [](const Working& working) { return working.timer; },
                                       [](const Reporting& reporting) { return reporting.timer; },
                                       [](const Cancelled& cancelled) { return cancelled.timer; },
                                   },
                                   entry.state);
  if (timer != TimerId()) clock_.cancel(timer);
}

void Pool::erase(Entry& entry) {
  stop_timer(entry);
  const AttemptToken token = entry.task.token;
  Lane& lane = entry.lane;
  if (std::holds_alternative<Queued>(entry.state)) {
    lane.queued.erase(entry.place);
  } else {
    --lane.handed_out;
    if (!entry.worker.empty()) workers_.released(entry.worker, token);
  }
  entries_.erase(token);
  // An executor has room again.
  if (lane.kind != Kind::worker && !lane.queued.empty()) {
    mark_dirty(lane);
  } else {
    drop_if_unused(lane);
  }
}

}  // namespace ganglion::agents
