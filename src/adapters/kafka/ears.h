#pragma once

// Who listens to topics in this process. All topics are one partition of Kafka, read from its end. An ear
// listens once it has heard what was said when it was made; after a broken connection it is told that
// something may be lost once it hears again.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/kafka/names.h"
#include "adapters/kafka/patience.h"
#include "adapters/kafka/producer.h"
#include "adapters/kafka/reader.h"
#include "ports/bus.h"

namespace ganglion::kafka {

class Ears {
 public:
  // All must outlive it.
  Ears(Producer& producer, Reader& reader, Patience& patience, const Names& names,
       std::chrono::milliseconds silence);

  void add(std::string topic, Bus::Listener listener, std::function<void()> lost,
           Bus::Completion<Result<void>> ready);
  // A connection broke.
  void trouble();
  void tick();

 private:
  using Steady = std::chrono::steady_clock;
  struct Ear {
    std::string topic;
    Bus::Listener listener;
    std::function<void()> lost;
    Bus::Completion<Result<void>> ready;
    bool listens = false;
    bool given_up = false;
    bool missed = false;      // something, maybe
    std::uint64_t probe = 0;  // from which on it hears
  };

  void probe();
  void heard(const Record& record);
  void own_heard(std::uint64_t number);

  Producer& producer_;
  Reader& reader_;
  Patience& patience_;
  const std::string topic_;
  const std::string own_topic_;  // that nobody else speaks on
  const std::chrono::milliseconds silence_;
  std::vector<std::shared_ptr<Ear>> ears_;
  std::int64_t next_ = -1;
  std::uint64_t last_probe_ = 0;
  Steady::time_point probed_;
  Steady::time_point own_heard_;
  std::shared_ptr<const char> alive_ = std::make_shared<const char>('\0');
};

}  // namespace ganglion::kafka
