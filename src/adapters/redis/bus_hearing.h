#pragma once

// What this process hears: a connection that only subscribes. It finds out by itself that the server is gone,
// since nobody waits for answers on it.

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/redis/link.h"
#include "base/result.h"

namespace ganglion::redis {

class BusHearing {
 public:
  using Heard = std::function<void(std::string_view)>;
  // `again`: after a lost connection, over which something may have been missed.
  enum class Since { first, again };

  // `link` must outlive it.
  BusHearing(Link& link, std::chrono::milliseconds patience, std::chrono::milliseconds silence)
      : link_(link), patience_(patience), silence_(silence) {}

  // `listening` is called each time that it begins to hear; with an error where that took too long the first
  // time, and then never again.
  void subscribe(std::string channel, Heard heard, std::move_only_function<void(Result<Since>)> listening);

  void ready();
  void tick();

 private:
  using Steady = std::chrono::steady_clock;
  struct Ear {
    std::string channel;
    Heard heard;
    std::move_only_function<void(Result<Since>)> listening;
    Steady::time_point made;
    bool has_listened = false;
  };

  void ask(const std::shared_ptr<Ear>& ear);
  void hear(const Reply& reply);
  void confirmed();

  Link& link_;
  const std::chrono::milliseconds patience_;
  const std::chrono::milliseconds silence_;
  std::vector<std::shared_ptr<Ear>> ears_;
  std::deque<std::shared_ptr<Ear>> asked_;  // in the order of the answers
  Steady::time_point heard_;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::redis
