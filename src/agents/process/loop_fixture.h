#pragma once

// For tests with real processes and sockets: runs the loop until a condition holds, without ever sleeping
// blindly. The engine's timers stand still unless the test moves the virtual clock.

#include <chrono>
#include <functional>

#include "base/asio/asio.h"
#include "ports/testing/virtual_clock.h"

namespace ganglion::agents {

class TestLoop {
 public:
  // False if `condition` doesn't hold within ten seconds.
  bool run_until(const std::function<bool()>& condition) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (true) {
      clock.run();
      if (condition()) return true;
      if (std::chrono::steady_clock::now() > limit) return false;
      context.restart();
      context.run_one_for(kLook);
    }
  }

  // Conditions that no event of the loop announces (a file, a process of nobody's) are looked at this often.
  static constexpr std::chrono::milliseconds kLook{5};

  asio::io_context context{1};
  testing::VirtualClock clock;
};

}  // namespace ganglion::agents
