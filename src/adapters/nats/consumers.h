#pragma once

// Consumers of queues, each with an inbox of its own. One with room asks NATS for as much as it has room for,
// as long as that is at least half of all of it: NATS then sends messages to the inbox as they come, or says
// after `kPullLife` that it has no more. One that hears neither looks what has become of the queue.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "adapters/nats/burials.h"
#include "adapters/nats/exhausted.h"
#include "adapters/nats/holdings.h"
#include "adapters/nats/link.h"
#include "adapters/nats/queues.h"
#include "ports/bus.h"

namespace ganglion::nats {

class Consumers {
 public:
  // All must outlive it.
  Consumers(boost::asio::io_context& context, Link& link, const Names& names, Queues& queues,
            Burials& burials, Exhausted& exhausted);
  // Delivers nothing any more.
  ~Consumers();

  ConsumerId add(std::string queue, std::uint32_t prefetch, Bus::Consumer consumer);
  void cancel(ConsumerId consumer);
  // Of a delivery that the consumer has no longer: nothing.
  void acknowledge(DeliveryTag delivery);
  void requeue(DeliveryTag delivery);
  void bury(DeliveryTag delivery, std::string reason);

  // The queue has been declared, or removed, by this process.
  void declared(const std::string& queue);
  void removed(const std::string& queue);
  void ready();
  void lost();
  void tick();
  // For a consumer that is no more.
  void stray(const Incoming& incoming);

 private:
  using Steady = std::chrono::steady_clock;
  struct Subscription {
    std::string queue;
    std::uint32_t prefetch;
    std::shared_ptr<Bus::Consumer> consumer;
    std::optional<QueueState> state = {};  // of a queue that is there
    SubscriptionId subscribed = 0;
    std::string inbox = {};  // where that is; empty where there is none
    bool looking = false;
    Steady::time_point looked = {};
    std::uint32_t held = 0;
    std::uint32_t requested = 0;  // and not come yet
    Steady::time_point requested_until = {};
  };

  void look(ConsumerId id, Subscription& subscription);
  void looked(ConsumerId id, Result<QueueState> state);
  void open(ConsumerId id, Subscription& subscription, QueueState state);
  void close(ConsumerId id, Subscription& subscription);
  void pull_soon();
  void pull(Subscription& subscription);
  void heard(ConsumerId id, const Incoming& incoming);
  void pull_ended(ConsumerId id, Subscription& subscription, std::string_view headers);
  void deliver(ConsumerId id, Subscription& subscription, const Incoming& incoming);
  // What the consumer has no longer; nothing where it hasn't had it.
  std::optional<Holdings::Held> settle(DeliveryTag delivery);

  boost::asio::io_context& context_;
  Link& link_;
  const Names& names_;
  Queues& queues_;
  Burials& burials_;
  Exhausted& exhausted_;
  Holdings holdings_{link_};
  std::map<ConsumerId, Subscription> subscriptions_;
  // The last message that has come, by NATS' consumer: what comes after it and is older has come before,
  // whatever NATS says.
  std::map<std::string, std::uint64_t> newest_;
  ConsumerId last_consumer_;
  bool pull_is_due_ = false;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::nats
