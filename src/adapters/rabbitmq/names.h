#pragma once

// What queues and topics are called inside the broker: a queue as everywhere else, so that whoever speaks
// AMQP finds it. `?prefix=` keeps several installations apart in one virtual host.

#include <string>

#include "adapters/rabbitmq/url.h"

namespace ganglion::rabbitmq {

struct Names {
  const std::string prefix;  // empty, or with a dot at its end

  explicit Names(const Url& url) : prefix(url.prefix.empty() ? "" : url.prefix + '.') {}

  std::string queue(const std::string& name) const { return prefix + name; }
  // A queue that is called so itself is refused as `queue_differs`.
  std::string dead_letters(const std::string& name) const { return prefix + name + ".dead"; }
  // The exchange of all topics; a topic is its routing key.
  std::string topics() const { return prefix + "ganglion.topics"; }
  // The queue of one listening process.
  std::string listener(const std::string& id) const { return prefix + "ganglion.listener." + id; }
};

}  // namespace ganglion::rabbitmq
