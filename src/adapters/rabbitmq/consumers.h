#pragma once

// Consumers, each on a channel of its own, whose closing gives back what it has; and what becomes of their
// deliveries. Acknowledgements are gathered and sent once a turn of the loop: one method for all that the
// broker gave out first.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "adapters/rabbitmq/link.h"
#include "adapters/rabbitmq/names.h"
#include "ports/bus.h"

namespace ganglion::rabbitmq {

class Consumers {
 public:
  // All must outlive it.
  Consumers(boost::asio::io_context& context, Link& link, const Names& names);
  // Delivers nothing any more.
  ~Consumers();

  ConsumerId add(std::string queue, std::uint32_t prefetch, Bus::Consumer consumer);
  void cancel(ConsumerId consumer);
  // Of a delivery whose channel is gone: nothing.
  void acknowledge(DeliveryTag delivery);
  void requeue(DeliveryTag delivery) { refuse(delivery, true); }
  void bury(DeliveryTag delivery) { refuse(delivery, false); }

  // A queue has been declared that consumers may be waiting for.
  void declared(const std::string& queue);
  void ready();
  void lost();
  void tick();

 private:
  using Steady = std::chrono::steady_clock;
  // The channel's own number of a delivery.
  using Count = std::uint64_t;
  struct Subscription {
    std::string queue;
    std::uint32_t prefetch;
    std::shared_ptr<Bus::Consumer> consumer;
    Channel channel = 0;
    std::map<Count, DeliveryTag> unsettled = {};
    std::set<Count> acknowledged = {};  // that the broker hasn't been told of
    Steady::time_point tried = {};
  };
  struct Held {
    ConsumerId consumer;
    Count count;
  };

  void subscribe(ConsumerId id, Subscription& subscription);
  void heard(ConsumerId id, const Incoming& incoming);
  void deliver(ConsumerId id, const amqp_basic_deliver_t& deliver, BusMessage message);
  void forget(Subscription& subscription);
  void refuse(DeliveryTag delivery, bool requeue);
  // Takes the delivery out; nothing where it isn't held any more.
  std::optional<Held> take(DeliveryTag delivery);
  void flush_soon();
  void flush(Subscription& subscription);

  boost::asio::io_context& context_;
  Link& link_;
  const Names& names_;
  std::map<ConsumerId, Subscription> subscriptions_;
  std::map<DeliveryTag, Held> held_;
  ConsumerId last_consumer_;
  DeliveryTag last_tag_;
  bool flush_is_due_ = false;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::rabbitmq
