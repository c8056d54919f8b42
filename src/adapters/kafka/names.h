#pragma once

// What topics of Kafka are called. They may not have colons, so a colon is written as a dot, and a dot as
// `_.`:
//   queue `agent:code_review` → topic `ganglion.queue.agent.code_review`
//   queue `agent:a.b`         → topic `ganglion.queue.agent.a_.b`
// Underscores right before either are doubled, so that no two names share a topic.

#include <string>
#include <string_view>

#include "adapters/kafka/url.h"

namespace ganglion::kafka {

std::string written(std::string_view name);

class Names {
 public:
  explicit Names(const Url& url) : prefix_(url.prefix) {}

  std::string ledger() const { return prefix_ + ".ledger"; }
  std::string topics() const { return prefix_ + ".topics"; }
  std::string queue(std::string_view queue) const { return prefix_ + ".queue." + written(queue); }
  std::string dead(std::string_view queue) const { return prefix_ + ".dead." + written(queue); }
  // From which plain clients take; the name of their group as well.
  std::string handout(std::string_view queue) const { return prefix_ + ".handout." + written(queue); }

 private:
  const std::string prefix_;
};

}  // namespace ganglion::kafka
