// The half of the pool where tasks and takers meet: lanes, waiting polls, and the matching that runs once per
// turn of the loop, so that tasks that arrive together are handed out together.

#include <algorithm>

#include "agents/pool.h"
#include "base/assert.h"

namespace ganglion::agents {

Lane& Pool::lane(const std::string& agent, LaneKind kind) {
  return lanes_.try_emplace({agent, kind}, agent, kind, serial_).first->second;
}

void Pool::drop_if_unused(Lane& lane) {
  if (!lane.unused()) return;
  if (lane.wake != TimerId()) clock_.cancel(lane.wake);
  const std::pair<std::string, LaneKind> key(lane.agent, lane.kind);
  lanes_.erase(key);
}

PollTicket Pool::poll(PollRequest request, PollCompletion ready) {
  const PollTicket ticket = next_ticket_;
  next_ticket_ = next_ticket_.next();
  workers_.polled(request.worker, request.agents, clock_.now());

  Waiter& waiter = waiters_[ticket];
  waiter.worker = std::move(request.worker);
  waiter.max = std::clamp(request.max, std::uint32_t{1}, kMaxTasksPerPoll);
  waiter.ready = std::move(ready);
  for (const std::string& agent : request.agents) {
    Lane& lane = this->lane(agent, LaneKind::worker);
    if (!lane.waiters.insert(ticket).second) continue;
    waiter.lanes.push_back(&lane);
    if (!lane.queued.empty()) mark_dirty(lane);
  }
  if (stopped_ || request.wait <= Duration::zero()) {
    not_waiting_.push_back(ticket);
    schedule_matching();
  } else {
    waiter.timer =
        clock_.at(clock_.now() + request.wait, lifetime_.guard([this, ticket] { poll_timed_out(ticket); }));
  }
  if (!polled_ || stopped_) return ticket;
  for (const std::string& agent : request.agents) polled_(agent);
  return ticket;
}

void Pool::cancel_poll(PollTicket ticket) {
  if (waiters_.contains(ticket)) take_waiter(ticket);
}

void Pool::poll_timed_out(PollTicket ticket) {
  Waiter waiter = take_waiter(ticket);
  waiter.ready({});
}

Pool::Waiter Pool::take_waiter(PollTicket ticket) {
  auto node = waiters_.extract(ticket);
  GANGLION_ASSERT(!node.empty());
  Waiter waiter = std::move(node.mapped());
  if (waiter.timer != TimerId()) clock_.cancel(waiter.timer);
  for (Lane* lane : waiter.lanes) {
    lane->waiters.erase(ticket);
    drop_if_unused(*lane);
  }
  waiter.lanes.clear();
  return waiter;
}

void Pool::answer_later(std::vector<PollCompletion> polls) {
  if (polls.empty()) return;
  clock_.post(lifetime_.guard([polls = std::move(polls)]() mutable {
    for (PollCompletion& ready : polls) ready({});
  }));
}

void Pool::note_dirty(Lane& lane) {
  if (lane.dirty) return;
  lane.dirty = true;
  dirty_.push_back(&lane);
}

void Pool::mark_dirty(Lane& lane) {
  note_dirty(lane);
  schedule_matching();
}

// Something has made room.
void Pool::match_if_takers(Lane& lane) {
  if (!lane.queued.empty() && (lane.kind != LaneKind::worker || !lane.waiters.empty())) mark_dirty(lane);
}

void Pool::schedule_matching() {
  if (matching_scheduled_) return;
  matching_scheduled_ = true;
  clock_.post(lifetime_.guard([this] { match(); }));
}

void Pool::match() {
  matching_scheduled_ = false;
  std::vector<Delivery> deliveries;
  if (!stopped_) {
    match_polls(deliveries);
    for (Lane* lane : dirty_) match_executors(*lane);
    // Last, because a probe that has just been handed out leaves the others waiting.
    for (Lane* lane : dirty_) turn_away(*lane);
    for (Lane* lane : dirty_) plan_wake(*lane);
  }
  for (const PollTicket ticket : not_waiting_) {
    if (waiters_.contains(ticket)) deliveries.push_back({take_waiter(ticket).ready, {}});
  }
  not_waiting_.clear();
  for (Lane* lane : std::exchange(dirty_, {})) {
    lane->dirty = false;
    drop_if_unused(*lane);
  }
  // At the end, because a poll's answer may call the pool again.
  for (Delivery& delivery : deliveries) delivery.ready(std::move(delivery.tasks));
}

void Pool::match_polls(std::vector<Delivery>& deliveries) {
  const Timestamp now = clock_.now();
  while (true) {
    std::optional<PollTicket> oldest;
    for (const Lane* lane : dirty_) {
      if (lane->waiters.empty() || !lane->ready(now)) continue;
      const PollTicket first = *lane->waiters.begin();
      if (!oldest || first < *oldest) oldest = first;
    }
    if (!oldest) return;
    deliveries.push_back(serve(*oldest));
  }
}

Pool::Delivery Pool::serve(PollTicket ticket) {
  const Timestamp now = clock_.now();
  const Waiter& waiter = waiters_.at(ticket);
  std::vector<HandedTask> tasks;
  while (tasks.size() < waiter.max) {
    Lane* best = nullptr;
    for (Lane* lane : waiter.lanes) {
      if (!lane->ready(now)) continue;
      if (!best || lane->queued.rank() < best->queued.rank()) best = lane;
    }
    if (!best) break;
    note_dirty(*best);  // what is left in it may have to be turned away
    const TaskEntry& entry = hand_out(*best, waiter.worker);
    tasks.push_back({entry.task, entry.holder->deadline});
  }
  return {take_waiter(ticket).ready, std::move(tasks)};
}

void Pool::match_executors(Lane& lane) {
  if (lane.kind == LaneKind::worker) return;
  while (lane.ready(clock_.now())) execute(lane);
}

// Tasks that have somewhere else to go don't wait for a broken agent.
void Pool::turn_away(Lane& lane) {
  if (lane.with_fallback == 0 || !lane.limits.turns_away(clock_.now())) return;
  std::vector<TaskEntry*> leaving;
  lane.queued.for_each([&](FairQueue::Item& item) {
    auto& entry = static_cast<TaskEntry&>(item);
    if (entry.task.fallback_follows) leaving.push_back(&entry);
  });
  std::ranges::sort(leaving, {}, &TaskEntry::arrival);
  for (TaskEntry* entry : leaving) {
    leave_queue(*entry);
    report(*entry,
           TaskFailure{"circuit_open",
                       "the agent \"" + lane.agent + "\" has failed too often; its circuit breaker is open",
                       false});
  }
}

void Pool::plan_wake(Lane& lane) {
  const std::optional<Timestamp> until =
      lane.queued.empty() ? std::nullopt : lane.limits.held_until(clock_.now());
  if (lane.wake != TimerId()) {
    if (until && *until == lane.wake_at) return;
    clock_.cancel(std::exchange(lane.wake, TimerId()));
  }
  if (!until) return;
  lane.wake_at = *until;
  lane.wake = clock_.at(*until, lifetime_.guard([this, &lane] {
    lane.wake = TimerId();
    mark_dirty(lane);
  }));
}

void Pool::stop() {
  stopped_ = true;
  std::vector<PollCompletion> polls;
  while (!waiters_.empty()) polls.push_back(take_waiter(waiters_.begin()->first).ready);
  answer_later(std::move(polls));

  std::vector<AttemptToken> executing;
  for (const auto& [token, entry] : entries_) {
    if (entry.executing && std::holds_alternative<TaskEntry::Working>(entry.state))
      executing.push_back(token);
  }
  std::ranges::sort(executing);
  for (const AttemptToken& token : executing) settle(*find(token));
}

AgentStatus Pool::status(const std::string& agent) const {
  const Timestamp now = clock_.now();
  AgentStatus status{.agent = agent, .workers = workers_.workers_of(agent, now)};
  for (const LaneKind kind : {LaneKind::worker, LaneKind::process, LaneKind::http}) {
    const auto at = lanes_.find({agent, kind});
    if (at == lanes_.end()) continue;
    const Lane& lane = at->second;
    status.queued += lane.queued.size();
    status.handed_out += lane.limits.handed_out();
    status.waiting_polls += lane.waiters.size();
    if (lane.limits.breaker(now)) status.breaker = lane.limits.breaker(now);
    if (lane.queued.empty()) continue;
    status.hold = lane.limits.hold(now);
    status.held_until = lane.limits.held_until(now);
  }
  return status;
}

std::vector<AgentStatus> Pool::statuses() const {
  std::vector<AgentStatus> all;
  for (const auto& [key, lane] : lanes_) {
    if (all.empty() || all.back().agent != key.first) all.push_back(status(key.first));
  }
  return all;
}

}  // namespace ganglion::agents
