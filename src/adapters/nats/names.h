#pragma once

// What queues and topics are called inside NATS. A subject is made of words between dots, any of which but
// empty ones may stand there; a stream's name has no dots, and no colons, to be a file's name anywhere.
//   queue `agent:coder` → subject `ganglion.queue.agent:coder`, stream `ganglion+queue+agent~coder`

#include <string>
#include <string_view>

#include "adapters/nats/url.h"

namespace ganglion::nats {

class Names {
 public:
  explicit Names(const Url& url) : prefix_(url.prefix) {}

  std::string queue_subject(std::string_view queue) const { return subject("queue", queue); }
  std::string queue_stream(std::string_view queue) const { return stream("queue", queue); }
  std::string dead_subject(std::string_view queue) const { return subject("dead", queue); }
  std::string dead_stream(std::string_view queue) const { return stream("dead", queue); }
  // On which NATS says that a message of the queue has been delivered as often as it may.
  std::string exhausted_subject(std::string_view queue) const;
  std::string topic_subject(std::string_view topic) const { return subject("topic", topic); }

 private:
  std::string subject(std::string_view kind, std::string_view name) const;
  std::string stream(std::string_view kind, std::string_view name) const;

  const std::string prefix_;
};

}  // namespace ganglion::nats
