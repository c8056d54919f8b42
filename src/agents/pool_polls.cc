// The half of the pool where tasks and takers meet: lanes, waiting polls, and the matching that runs once per
// turn of the loop, so that tasks that arrive together are handed out together.

#include <algorithm>

#include "agents/pool.h"
#include "base/assert.h"

namespace ganglion::agents {

Pool::Lane& Pool::lane(const std::string& agent, Kind kind) {
  auto [at, added] = lanes_.try_emplace({agent, kind});
  if (added) {
    at->second.agent = agent;
    at->second.kind = kind;
  }
  return at->second;
}

// Anybody may poll for any name, so lanes don't stay for nothing.
void Pool::drop_if_unused(Lane& lane) {
  if (lane.dirty || !lane.queued.empty() || !lane.waiters.empty() || lane.handed_out > 0) return;
  const std::pair<std::string, Kind> key(lane.agent, lane.kind);
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
    Lane& lane = this->lane(agent, Kind::worker);
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

void Pool::mark_dirty(Lane& lane) {
  if (!lane.dirty) {
    lane.dirty = true;
    dirty_.push_back(&lane);
  }
  schedule_matching();
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
  }
  for (const PollTicket ticket : not_waiting_) {
    if (waiters_.contains(ticket)) deliveries.push_back({take_waiter(ticket).ready, {}});
  }
  not_waiting_.clear();
  for (Lane* lane : std::exchange(dirty_, {})) {
    lane->dirty = false;
    drop_if_unused(*lane);
  }
  // Last, because a poll's answer may call the pool again.
  for (Delivery& delivery : deliveries) delivery.ready(std::move(delivery.tasks));
}

void Pool::match_polls(std::vector<Delivery>& deliveries) {
  while (true) {
    std::optional<PollTicket> oldest;
    for (const Lane* lane : dirty_) {
      if (lane->queued.empty() || lane->waiters.empty()) continue;
      const PollTicket first = *lane->waiters.begin();
      if (!oldest || first < *oldest) oldest = first;
    }
    if (!oldest) return;
    deliveries.push_back(serve(*oldest));
  }
}

Pool::Delivery Pool::serve(PollTicket ticket) {
  const Waiter& waiter = waiters_.at(ticket);
  std::vector<HandedTask> tasks;
  while (tasks.size() < waiter.max) {
    Lane* best = nullptr;
    for (Lane* lane : waiter.lanes) {
      if (lane->queued.empty()) continue;
      if (!best || lane->queued.begin()->first < best->queued.begin()->first) best = lane;
    }
    if (!best) break;
    Entry& entry = *best->queued.begin()->second;
    hand_out(entry, waiter.worker);
    tasks.push_back({entry.task, entry.deadline});
  }
  return {take_waiter(ticket).ready, std::move(tasks)};
}

void Pool::match_executors(Lane& lane) {
  if (lane.kind == Kind::worker) return;
  while (!lane.queued.empty() && lane.handed_out < concurrency_of(lane.kind)) {
    execute(*lane.queued.begin()->second);
  }
}

void Pool::stop() {
  stopped_ = true;
  std::vector<PollCompletion> polls;
  while (!waiters_.empty()) polls.push_back(take_waiter(waiters_.begin()->first).ready);
  answer_later(std::move(polls));

  std::vector<AttemptToken> executing;
  for (const auto& [token, entry] : entries_) {
    if (entry.executing && std::holds_alternative<Working>(entry.state)) executing.push_back(token);
  }
  std::ranges::sort(executing);
  for (const AttemptToken& token : executing) settle(*find(token));
}

AgentStatus Pool::status(const std::string& agent) const {
  AgentStatus status{.agent = agent, .workers = workers_.workers_of(agent, clock_.now())};
  for (const Kind kind : {Kind::worker, Kind::process, Kind::http}) {
    const auto at = lanes_.find({agent, kind});
    if (at == lanes_.end()) continue;
    status.queued += at->second.queued.size();
    status.handed_out += at->second.handed_out;
    status.waiting_polls += at->second.waiters.size();
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
