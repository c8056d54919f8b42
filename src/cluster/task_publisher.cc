#include "cluster/task_publisher.h"

#include <algorithm>
#include <utility>

#include "agents/pool.h"
#include "cluster/messages.h"

namespace ganglion::cluster {

TaskPublisher::TaskPublisher(Surroundings around, PublisherOptions options)
    : around_(std::move(around)),
      options_(options),
      watched_(around_.clock, [this](const std::vector<AttemptToken>& due) { look(due); }) {}

// --- out
// -----------------------------------------------------------------------------------------------------------

void TaskPublisher::dispatch(Task task) {
  const AttemptToken token = task.token;
  const auto [at, is_new] = open_.try_emplace(token);
  if (!is_new) return;
  Open& open = at->second;
  open.since = around_.clock.now();
  open.timeout = task.timeout;
  open.agent = task.agent;
  open.task = std::make_unique<Task>(std::move(task));
  hand_over(token);
}

// To whoever is here for it now.
void TaskPublisher::hand_over(const AttemptToken& token) {
  Open& open = open_.at(token);
  const Timestamp now = around_.clock.now();
  if (around_.pool != nullptr && around_.pool->has(token)) {
    // It came here through the queue: published by the home that the run had before.
    open.where = Where::queue;
    open.task.reset();
    return watched_.look_at(token, now + std::max(open.timeout, options_.shortest_watch));
  }
  if (!is_wanted_here(*open.task)) return publish(token);
  open.where = Where::here;
  around_.pool->dispatch(*open.task);
  watched_.look_at(token, now + options_.stranded);
}

bool TaskPublisher::is_wanted_here(const Task& task) const {
  if (around_.pool == nullptr || !around_.performs(task.agent)) return false;
  const auto polled = polled_.find(task.agent);
  const bool lately = polled != polled_.end() && around_.clock.now() - polled->second <= options_.lately;
  return lately || around_.pool->room(task.definition, task.agent) > 0;
}

void TaskPublisher::polled(const std::string& agent) {
  polled_.insert_or_assign(agent, around_.clock.now());
}

void TaskPublisher::publish(const AttemptToken& token) {
  Open& open = open_.at(token);
  open.where = Where::on_its_way;
  if (declared_.contains(open.agent)) return send(token);
  around_.bus.declare(
      agent_queue(open.agent), {},
      [this, alive = std::weak_ptr(alive_), token, agent = open.agent](Result<void> declared) {
        if (alive.expired()) return;
        if (!declared) return published(token, declared);
        declared_.insert(agent);
        // Meanwhile somebody may have got it, or it may be here.
        const auto at = open_.find(token);
        if (at != open_.end() && at->second.where == Where::on_its_way) send(token);
      });
}

void TaskPublisher::send(const AttemptToken& token) {
  const Open& open = open_.at(token);
  BusMessage message{.id = token.text(),
                     .type = kTaskType,
                     .reply_to = around_.reply_to(open.task->workflow),
                     .body = task_message(*open.task)};
  around_.bus.publish(agent_queue(open.agent), std::move(message),
                      [this, alive = std::weak_ptr(alive_), token](const Result<void>& result) {
                        if (!alive.expired()) published(token, result);
                      });
}

void TaskPublisher::published(const AttemptToken& token, const Result<void>& result) {
  const auto at = open_.find(token);
  if (at == open_.end() || at->second.where != Where::on_its_way) return;
  Open& open = at->second;
  if (result) {
    open.where = Where::queue;
    open.task.reset();
    open.since = around_.clock.now();
    return watched_.look_at(token, open.since + std::max(open.timeout, options_.shortest_watch));
  }
  if (result.error().code == "too_large") {
    return around_.report({.token = token,
                           .outcome = TaskFailure{"input_too_large", result.error().message, false},
                           .worker = {},
                           .started_at = around_.clock.now()});
  }
  if (result.error().code == "unknown_queue") declared_.erase(open.agent);
  if (result.error().code != "unavailable" && result.error().code != "overloaded")
    around_.problem(result.error());
  around_.clock.at(around_.clock.now() + options_.try_again, [this, alive = std::weak_ptr(alive_), token] {
    if (alive.expired()) return;
    const auto waiting = open_.find(token);
    if (waiting != open_.end() && waiting->second.where == Where::on_its_way) hand_over(token);
  });
}

// --- no more
// -------------------------------------------------------------------------------------------------------

void TaskPublisher::withdraw(const AttemptToken& token) {
  const auto at = open_.find(token);
  const bool here = at != open_.end() && at->second.where == Where::here;
  forget(token);
  if (around_.pool != nullptr) around_.pool->withdraw(token);
  if (here) return;
  // To all who may have it, in one message a turn.
  if (withdrawn_.empty()) {
    around_.clock.post([this, alive = std::weak_ptr(alive_)] {
      if (!alive.expired()) tell_withdrawn();
    });
  }
  withdrawn_.push_back(token);
}

void TaskPublisher::tell_withdrawn() {
  around_.withdrawn(std::exchange(withdrawn_, {}));
}

void TaskPublisher::forget(const AttemptToken& token) {
  const auto at = open_.find(token);
  if (at == open_.end()) return;
  watched_.remove(token);
  if (!at->second.member.empty()) claimed_.erase({at->second.member, token});
  open_.erase(at);
}

// --- who has it
// -----------------------------------------------------------------------------------------------------

bool TaskPublisher::claimed(const AttemptToken& token, const std::string& member) {
  const auto at = open_.find(token);
  if (at == open_.end()) return false;
  Open& open = at->second;
  watched_.remove(token);
  if (!open.member.empty()) claimed_.erase({open.member, token});
  open.where = Where::member;
  open.member = member;
  open.task.reset();
  claimed_.emplace(member, token);
  return true;
}

void TaskPublisher::member_gone(const std::string& member) {
  std::vector<AttemptToken> tokens;
  for (auto at = claimed_.lower_bound({member, {}}); at != claimed_.end() && at->first == member; ++at)
    tokens.push_back(at->second);
  for (const AttemptToken& token : tokens) {
    forget(token);
    around_.perform_again(token);
  }
}

std::optional<Timestamp> TaskPublisher::published_at(const AttemptToken& token) const {
  const auto at = open_.find(token);
  return at == open_.end() ? std::nullopt : std::optional(at->second.since);
}

// --- watching
// ------------------------------------------------------------------------------------------------------

void TaskPublisher::look(const std::vector<AttemptToken>& due) {
  std::map<std::string, std::vector<AttemptToken>> by_agent;
  for (const AttemptToken& token : due) {
    const auto at = open_.find(token);
    if (at == open_.end()) continue;
    Open& open = at->second;
    if (open.where == Where::here) {
      look_here(token, open);
    } else if (open.taken) {
      // Should nobody have decided on it by then, it is said again.
      watched_.look_at(token, around_.clock.now() + std::max(open.timeout, options_.shortest_watch));
      around_.report(
          {.token = token,
           .outcome = TaskFailure{"timeout", "no result within " + format_duration(open.timeout), true},
           .worker = {},
           .started_at = open.since});
    } else {
      by_agent[open.agent].push_back(token);
    }
  }
  for (auto& [agent, tokens] : by_agent) look_at_queue(agent, std::move(tokens));
}

// Nobody came to take it after all: others may.
void TaskPublisher::look_here(const AttemptToken& token, Open& open) {
  if (!around_.pool->is_stranded(token)) {
    // Handed out, or about to be; one that is given back is looked at again.
    return watched_.look_at(token, around_.clock.now() + std::max(open.timeout, options_.shortest_watch));
  }
  around_.pool->withdraw(token);
  publish(token);
}

void TaskPublisher::look_at_queue(const std::string& agent, std::vector<AttemptToken> tokens) {
  auto seen = [this, alive = std::weak_ptr(alive_),
               tokens = std::move(tokens)](const Result<std::uint64_t>& depth) {
    if (alive.expired()) return;
    if (!depth && depth.error().code == "unknown_queue") return queue_removed(tokens);
    for (const AttemptToken& token : tokens) {
      const auto at = open_.find(token);
      if (at == open_.end() || at->second.where != Where::queue) continue;
      at->second.taken = depth && *depth == 0;
      watched_.look_at(token, around_.clock.now() + std::max(at->second.timeout, options_.shortest_watch));
    }
  };
  around_.bus.depth(agent_queue(agent), std::move(seen));
}

// With all that it held. What was taken from it before is performed twice, and counts once.
void TaskPublisher::queue_removed(const std::vector<AttemptToken>& tokens) {
  for (const AttemptToken& token : tokens) {
    const auto at = open_.find(token);
    if (at == open_.end() || at->second.where != Where::queue) continue;
    declared_.erase(at->second.agent);
    forget(token);
    around_.perform_again(token);
  }
}

}  // namespace ganglion::cluster
