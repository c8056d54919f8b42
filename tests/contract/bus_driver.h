#pragma once

// A bus as a test wants it: every call waits for its answer while the event loop turns.

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "contract/store_driver.h"
#include "ports/bus.h"

namespace ganglion::testing {

// What a consumer was given, in order. Lives as long as the consumer.
class Inbox {
 public:
  explicit Inbox(TestLoop& loop) : loop_(loop) {}

  Bus::Consumer consumer() {
    return [this](Delivery delivery) { deliveries_.push_back(std::move(delivery)); };
  }
  // Waits for the next delivery and takes it out.
  Delivery next();
  // Waits for so many and takes their ids.
  std::vector<std::string> next_ids(std::size_t count);
  std::size_t size() const { return deliveries_.size(); }

 private:
  TestLoop& loop_;
  std::deque<Delivery> deliveries_;
};

class BusDriver {
 public:
  BusDriver(TestLoop& loop, Bus& bus) : loop_(loop), bus_(bus) {}

  Result<void> declare(const std::string& queue, QueueOptions options = {});
  Result<void> publish(const std::string& queue, BusMessage message);
  // Messages with these ids, which the queue must take; all on their way at once.
  void publish_all(const std::string& queue, const std::vector<std::string>& ids);
  Result<std::uint64_t> depth(const std::string& queue);
  // Asks until so many wait.
  void wait_for_depth(const std::string& queue, std::uint64_t depth);
  Result<std::vector<BusMessage>> dead_letters(const std::string& queue, std::uint32_t limit = 100);
  // Asks until there are so many.
  std::vector<std::string> wait_for_dead_letters(const std::string& queue, std::size_t count);
  Result<void> remove(const std::string& queue);
  Result<void> listen(const std::string& topic, Bus::Listener listener, std::function<void()> lost = [] {});

 private:
  template <typename T, typename Call>
  T wait_for(Call call);

  TestLoop& loop_;
  Bus& bus_;
};

// With this id; type and body tell it apart, too.
BusMessage bus_message(std::string id);
// prefix0, prefix1, …
std::vector<std::string> numbered(const std::string& prefix, std::size_t count);

}  // namespace ganglion::testing
