#pragma once

// What queues and topics are called inside the broker.

#include <string>

#include "adapters/rabbitmq/url.h"

namespace ganglion::rabbitmq {

struct Names {
  const std::string prefix;

  explicit Names(const Url& url) : prefix(url.prefix) {}

  std::string queue(const std::string& name) const { return prefix + ".queue." + name; }
  std::string dead_letters(const std::string& name) const { return prefix + ".dead." + name; }
  // The exchange of all topics; a topic is its routing key.
  std::string topics() const { return prefix + ".topics"; }
  // The queue of one listening process.
  std::string listener(const std::string& id) const { return prefix + ".listener." + id; }
};

}  // namespace ganglion::rabbitmq
