#pragma once

// What consumers of this process have. NATS gives a message to somebody else when it has heard nothing about
// it for `kLease`; as long as we live we say so in time, until the consumer has had it for the queue's
// `claim_after`. So what a process has that has died comes again soon, and what one has that hangs later.

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/nats/link.h"
#include "ports/bus.h"

namespace ganglion::nats {

class Holdings {
 public:
  struct Held {
    ConsumerId consumer;
    std::string subject;  // on which it is acknowledged
    Duration claim_after;
    std::chrono::steady_clock::time_point since = {};
    std::chrono::steady_clock::time_point renewed = {};
    bool lapsed = false;  // it is no longer ours to say anything about
  };

  // `link` must outlive it.
  explicit Holdings(Link& link) : link_(link) {}

  DeliveryTag add(ConsumerId consumer, std::string subject, Duration claim_after);
  std::optional<Held> take(DeliveryTag delivery);
  std::vector<Held> take_all(ConsumerId consumer);
  void clear() { held_.clear(); }

  void tick();

 private:
  Link& link_;
  std::map<DeliveryTag, Held> held_;
  DeliveryTag last_tag_;
};

}  // namespace ganglion::nats
