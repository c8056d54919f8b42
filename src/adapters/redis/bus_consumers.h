#pragma once

// Consumers of queues, and what becomes of their deliveries. A consumer with room asks for as much as it has
// room for; one that got less waits until it is woken. What is acknowledged, given back or buried is gathered
// and sent once a turn of the loop.

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "adapters/redis/link.h"
#include "ports/bus.h"

namespace ganglion::redis {

// Entries of one answer.
inline constexpr std::uint32_t kMaxFetch = 256;

class BusConsumers {
 public:
  // Both must outlive it.
  BusConsumers(boost::asio::io_context& context, Link& link, const Url& url);
  // Delivers nothing any more.
  ~BusConsumers();

  ConsumerId add(std::string queue, std::uint32_t prefetch, Bus::Consumer consumer);
  void cancel(ConsumerId consumer);
  void acknowledge(DeliveryTag delivery) { settle(delivery, "done", {}); }
  void requeue(DeliveryTag delivery) { settle(delivery, "back", {}); }
  void bury(DeliveryTag delivery, std::string reason) { settle(delivery, "buried", std::move(reason)); }

  // The queue has something, or may have.
  void wake(const std::string& queue);
  // This process has made the queue, or removes it: until then it looks after what others' consumers have.
  void declared(const std::string& queue) { declared_.insert(queue); }
  void removed(const std::string& queue) { declared_.erase(queue); }
  void ready();
  void lost();
  void tick();

 private:
  using Steady = std::chrono::steady_clock;
  struct Subscription {
    std::string queue;
    std::uint32_t prefetch;
    std::shared_ptr<Bus::Consumer> consumer;
    std::uint32_t held = 0;
    bool asking = false;
    bool idle = false;   // nothing was there when it last asked
    bool woken = false;  // while it asked
  };
  struct Held {
    ConsumerId consumer;
    std::string queue;
    std::string entry;
  };

  void fetch(ConsumerId id);
  void fetched(ConsumerId id, const std::string& queue, std::uint32_t count, Reply reply);
  void deliver(ConsumerId id, std::vector<Reply> entries);
  void settle(DeliveryTag delivery, std::string_view fate, std::string reason);
  void say_settled(const std::string& queue, std::string_view fate, std::string entry, std::string reason);
  void flush_soon();
  void flush();
  void ask(std::initializer_list<std::string_view> words, Connection::Answer answer);
  void tell(std::initializer_list<std::string_view> words);

  boost::asio::io_context& context_;
  Link& link_;
  const std::string base_;
  std::string session_;
  std::uint64_t sessions_ = 0;
  std::map<ConsumerId, Subscription> subscriptions_;
  std::map<DeliveryTag, Held> held_;
  std::map<std::string, std::vector<std::string>> settled_;  // by queue: fate, entry, reason, fate, …
  ConsumerId last_consumer_;
  DeliveryTag last_tag_;
  std::set<std::string> declared_;
  Steady::time_point reaped_;
  Steady::time_point reaped_declared_;
  bool flush_is_due_ = false;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

// What an entry [id, [field, value, …]] says; whoever added it may have left out everything but the body.
struct EntryMessage {
  BusMessage message;
  bool has_body = false;
  bool redelivered = false;
};
EntryMessage message_of(Reply& entry);

}  // namespace ganglion::redis
