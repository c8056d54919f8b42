#include "cluster/task_consumer.h"

#include <algorithm>
#include <utility>

#include "agents/pool.h"
#include "cluster/messages.h"

namespace ganglion::cluster {

TaskConsumer::TaskConsumer(Surroundings around, ConsumerOptions options)
    : around_(std::move(around)),
      options_(options),
      watched_(around_.clock, [this](const std::vector<AttemptToken>& due) { look(due); }) {}

// --- in
// ------------------------------------------------------------------------------------------------------------

void TaskConsumer::serve(const std::string& agent, std::uint32_t at_once) {
  Source& source = sources_[agent];
  source.stays = true;
  if (source.room < at_once) open(agent, at_once - source.room);
}

// As much as is wanted here, beyond what is on its way already.
void TaskConsumer::wanted(const std::string& agent) {
  if (!around_.performs(agent)) return;
  Source& source = sources_[agent];
  source.wanted = around_.clock.now();
  const std::size_t want = around_.pool.room({}, agent);
  const std::uint32_t free = source.room - std::min(source.room, source.held);
  if (want > free) open(agent, static_cast<std::uint32_t>(want) - free);
}

void TaskConsumer::open(const std::string& agent, std::uint32_t more) {
  Source& source = sources_[agent];
  // In a few big steps: each is a consumer of the broker's.
  more = std::min(std::max(more, source.room), options_.most - source.room);
  if (more == 0) return;
  if (!source.declared) {
    if (std::exchange(source.declaring, true)) return;
    around_.bus.declare(
        agent_queue(agent), {}, [this, alive = std::weak_ptr(alive_), agent, more](Result<void> declared) {
          if (alive.expired()) return;
          Source& now = sources_[agent];
          now.declaring = false;
          now.declared = declared.has_value();
          if (declared) return open(agent, more);
          if (declared.error().code != "unavailable") around_.problem(declared.error());
          around_.clock.at(around_.clock.now() + options_.claim_again, [this, alive, agent, more] {
            if (!alive.expired()) open(agent, more);
          });
        });
    return;
  }
  source.room += more;
  if (!source.stays) close_idle_later();
  source.consumers.push_back(around_.bus.consume(
      agent_queue(agent), more, [this, alive = std::weak_ptr(alive_), agent](Delivery delivery) {
        if (!alive.expired()) delivered(agent, std::move(delivery));
      }));
}

void TaskConsumer::delivered(const std::string& agent, Delivery delivery) {
  if (delivery.message.type != kTaskType) {
    return around_.bus.bury(delivery.tag, "\"" + delivery.message.type + "\" is no type of a task");
  }
  auto task = read_task(delivery.message.body);
  if (!task) return around_.bus.bury(delivery.tag, task.error().message);
  const AttemptToken token = task->token;
  if (lately_.contains(token)) return around_.bus.acknowledge(delivery.tag);
  const auto known = held_.find(token);
  if (known != held_.end()) {
    // Again, or once more: whichever delivery was before counts no longer.
    around_.bus.acknowledge(std::exchange(known->second.delivery, delivery.tag));
    known->second.acknowledged = false;
    return;
  }
  const std::string definition = task->definition;
  around_.prepare(definition, [this, alive = std::weak_ptr(alive_), agent, delivery = std::move(delivery),
                               task = *std::move(task)](const Result<void>& prepared) mutable {
    if (alive.expired()) return;
    if (prepared) return take(agent, std::move(delivery), std::move(task));
    around_.problem(prepared.error());
    around_.clock.at(around_.clock.now() + options_.claim_again, [this, alive, tag = delivery.tag] {
      if (!alive.expired()) around_.bus.requeue(tag);
    });
  });
}

void TaskConsumer::take(const std::string& agent, Delivery delivery, Task task) {
  const AttemptToken token = task.token;
  const Timestamp now = around_.clock.now();
  const Duration hold = std::min(task.timeout / 2, options_.longest_hold);
  Held held{.agent = agent,
            .workflow = task.workflow,
            .delivery = delivery.tag,
            .message = std::move(delivery.message),
            .since = now,
            .claim_at = now + hold};
  if (!held_.emplace(token, std::move(held)).second) return around_.bus.acknowledge(delivery.tag);
  ++sources_[agent].held;
  around_.pool.dispatch(std::move(task));
  watched_.look_at(token, now + std::min(hold, options_.stranded));
}

// --- out
// -----------------------------------------------------------------------------------------------------------

void TaskConsumer::let_go(const AttemptToken& token) {
  const auto at = held_.find(token);
  if (at == held_.end()) return;
  Held& held = at->second;
  watched_.remove(token);
  if (!held.acknowledged) {
    around_.bus.acknowledge(held.delivery);
    --sources_[held.agent].held;
  }
  held_.erase(at);
}

void TaskConsumer::withdrawn(const AttemptToken& token) {
  if (!held_.contains(token)) return;
  around_.pool.withdraw(token);
  let_go(token);
}

void TaskConsumer::decided(const AttemptToken& token) {
  if (!held_.contains(token)) return;
  let_go(token);
  if (!lately_.insert(token).second) return;
  lately_in_order_.push_back(token);
  if (lately_in_order_.size() <= options_.remembered) return;
  lately_.erase(lately_in_order_.front());
  lately_in_order_.pop_front();
}

const std::string* TaskConsumer::workflow_of(const AttemptToken& token) const {
  const auto at = held_.find(token);
  return at == held_.end() ? nullptr : &at->second.workflow;
}

// At the end of the queue, where others find it; acknowledged when the broker has it there.
void TaskConsumer::put_back(const AttemptToken& token) {
  Held& held = held_.at(token);
  around_.pool.withdraw(token);
  watched_.remove(token);
  const std::string agent = held.agent;
  const DeliveryTag delivery = held.delivery;
  if (held.acknowledged) {
    around_.give_back(token, held.workflow);
    held_.erase(token);
    return;
  }
  BusMessage message = std::move(held.message);
  held_.erase(token);
  around_.bus.publish(agent_queue(agent), std::move(message),
                      [this, alive = std::weak_ptr(alive_), agent, delivery](const Result<void>& published) {
                        if (alive.expired()) return;
                        --sources_[agent].held;
                        if (published) return around_.bus.acknowledge(delivery);
                        around_.bus.requeue(delivery);
                      });
}

// --- keeping
// -------------------------------------------------------------------------------------------------------

void TaskConsumer::claim(const AttemptToken& token) {
  const auto heard = [this, alive = std::weak_ptr(alive_), token](bool known) {
    if (alive.expired()) return;
    const auto at = held_.find(token);
    if (at == held_.end() || at->second.acknowledged || !known) return;
    at->second.acknowledged = true;
    around_.bus.acknowledge(at->second.delivery);
    --sources_[at->second.agent].held;
    wanted(at->second.agent);
  };
  around_.claim(token, held_.at(token).workflow, heard);
}

void TaskConsumer::look(const std::vector<AttemptToken>& due) {
  for (const AttemptToken& token : due) {
    const auto at = held_.find(token);
    if (at != held_.end()) look_after(token, at->second);
  }
}

void TaskConsumer::look_after(const AttemptToken& token, Held& held) {
  const Timestamp now = around_.clock.now();
  // Whatever ended it here, its attempt is not decided.
  if (!around_.pool.has(token)) return put_back(token);
  const bool queued = around_.pool.is_queued(token);
  if (queued && (around_.pool.is_stranded(token) || !around_.performs(held.agent))) return put_back(token);
  if (!held.acknowledged && held.claim_at <= now) {
    held.claim_at = now + options_.claim_again;
    claim(token);
  }
  watched_.look_at(token,
                   queued ? now + options_.stranded : std::max(held.claim_at, now + options_.stranded));
}

void TaskConsumer::close_idle_later() {
  if (std::exchange(closing_, true)) return;
  around_.clock.at(around_.clock.now() + options_.idle, [this, alive = std::weak_ptr(alive_)] {
    if (alive.expired()) return;
    closing_ = false;
    close_idle();
  });
}

// Tasks lie better where somebody waits for them.
void TaskConsumer::close_idle() {
  const Timestamp now = around_.clock.now();
  for (auto& [agent, source] : sources_) {
    if (source.stays || source.consumers.empty()) continue;
    const bool idle = source.held == 0 && now - source.wanted > options_.idle;
    if (!idle || around_.pool.room({}, agent) > 0) {
      close_idle_later();
      continue;
    }
    for (const ConsumerId consumer : std::exchange(source.consumers, {})) around_.bus.cancel(consumer);
    source.room = 0;
  }
}

}  // namespace ganglion::cluster
