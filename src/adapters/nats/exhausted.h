#pragma once

// Messages that have been delivered as often as they may. NATS says so of each, once, and leaves it in its
// stream for ever. What NATS says is kept in the stream of dead letters, so that it isn't lost while nobody
// listens; whoever has declared or consumes the queue moves the message over and clears that up. A process
// that dies in between leaves the rest to the next; the message may then be among the dead letters twice.

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "adapters/nats/link.h"
#include "adapters/nats/names.h"
#include "adapters/nats/queues.h"
#include "adapters/nats/requests.h"

namespace ganglion::nats {

class Exhausted {
 public:
  // All must outlive it.
  Exhausted(Link& link, Requests& requests, const Names& names, Queues& queues,
            std::chrono::milliseconds patience)
      : link_(link), requests_(requests), names_(names), queues_(queues), patience_(patience) {}

  // The queue is there.
  void watch(const std::string& queue);
  // It isn't any more.
  void forget(const std::string& queue);

  void ready();
  void tick();

 private:
  using Steady = std::chrono::steady_clock;
  struct Watch {
    SubscriptionId listening = 0;
    bool sweeping = false;
    bool again = false;  // something was said meanwhile
    Steady::time_point swept = {};
  };

  void listen(const std::string& queue, Watch& watch);
  void sweep(const std::string& queue);
  void found(const std::string& queue, const Result<Answer>& notice);
  void clear_up(const std::string& queue, std::uint64_t sequence, std::uint64_t notice);
  void swept(const std::string& queue);
  void erase(const std::string& stream, std::uint64_t sequence, std::move_only_function<void(bool)> done);

  Link& link_;
  Requests& requests_;
  const Names& names_;
  Queues& queues_;
  const std::chrono::milliseconds patience_;
  std::map<std::string, Watch> watches_;  // by queue
};

}  // namespace ganglion::nats
