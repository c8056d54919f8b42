#pragma once

// Somebody at a broker who knows nothing of Ganglion but what queues are called and what a message looks
// there: the broker's usual C library, blocking.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "ports/bus.h"

namespace ganglion::testing {

class PlainClient {
 public:
  // Its connection ends, and that is all.
  virtual ~PlainClient() = default;
  // With nothing else.
  virtual void publish(const std::string& queue, const std::string& type, const std::string& body) = 0;
  // One message, where one waits.
  virtual std::optional<BusMessage> take(const std::string& queue) = 0;
  // What it has taken last is done.
  virtual void acknowledge() = 0;
};

// `broker`: as BusServerKind has it; nothing for others than those below. `prefix`: of the installation.
std::unique_ptr<PlainClient> plain_client(const std::string& broker, std::uint16_t port,
                                          const std::string& prefix);

}  // namespace ganglion::testing
