#pragma once

// Who listens to topics in this process. One queue for all of them, which only this connection sees and which
// goes with it; a topic is a binding of that queue.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/rabbitmq/link.h"
#include "adapters/rabbitmq/names.h"
#include "ports/bus.h"

namespace ganglion::rabbitmq {

// Messages that wait in the broker for one process; beyond that it hears only the newest.
inline constexpr std::int64_t kMaxUnheard = 100'000;

class Ears {
 public:
  // All must outlive it.
  Ears(Link& link, const Names& names, std::chrono::milliseconds patience);
  // Nobody hears anything any more.
  ~Ears();

  void add(std::string topic, Bus::Listener listener, std::function<void()> lost,
           Bus::Completion<Result<void>> ready);

  void ready();
  void lost() { channel_ = 0; }
  void tick();

 private:
  using Steady = std::chrono::steady_clock;
  struct Ear {
    std::string topic;
    Bus::Listener listener;
    std::function<void()> lost;
    Bus::Completion<Result<void>> ready;  // until it is bound for the first time
    Steady::time_point made;
  };

  void open();
  void bind(const std::shared_ptr<Ear>& ear);
  void heard(const Incoming& incoming);
  void bound();

  Link& link_;
  const Names& names_;
  const std::chrono::milliseconds patience_;
  std::vector<std::shared_ptr<Ear>> ears_;
  std::vector<std::shared_ptr<Ear>> binding_;  // in the order of the broker's answers
  std::string queue_;
  Channel channel_ = 0;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::rabbitmq
