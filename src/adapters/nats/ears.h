#pragma once

// Who listens to topics in this process, each with a subscription of its own.

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/nats/link.h"
#include "adapters/nats/names.h"
#include "ports/bus.h"

namespace ganglion::nats {

class Ears {
 public:
  // All must outlive it.
  Ears(Link& link, const Names& names, std::chrono::milliseconds patience)
      : link_(link), names_(names), patience_(patience) {}

  void add(std::string topic, Bus::Listener listener, std::function<void()> lost,
           Bus::Completion<Result<void>> ready);

  void ready();
  void tick();

 private:
  using Steady = std::chrono::steady_clock;
  struct Ear {
    std::string topic;
    Bus::Listener listener;
    std::function<void()> lost;
    Bus::Completion<Result<void>> ready;  // until it listens for the first time
    Steady::time_point made;
    bool given_up = false;
  };

  void subscribe(const std::shared_ptr<Ear>& ear);

  Link& link_;
  const Names& names_;
  const std::chrono::milliseconds patience_;
  std::vector<std::shared_ptr<Ear>> ears_;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::nats
