#pragma once

// How often an agent must be heard of. A project can give it an `idle_timeout`: an attempt without a
// heartbeat for so long has failed. The worker asks the server when an agent's first task comes, and again
// now and then.

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "http.h"

namespace ganglion {

class IdleTimeouts {
 public:
  using Clock = std::chrono::steady_clock;

  explicit IdleTimeouts(HttpLoop& http) : http_(http) {}
  // Between two heartbeats, at most; a day if the agent has no idle timeout.
  std::chrono::milliseconds interval(const std::string& agent) const;
  // Asks in the background, unless what is known is fresh.
  void look(const std::string& agent, Clock::time_point now);

 private:
  struct Known {
    std::chrono::milliseconds interval;
    Clock::time_point asked;
  };
  HttpLoop& http_;
  std::map<std::string, Known> known_;
};

// Of a duration of the API as `1m30s`; 0 for none.
std::chrono::milliseconds parse_duration(std::string_view text);

}  // namespace ganglion
