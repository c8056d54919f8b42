#pragma once

// A worker of a world that is only loaded: it talks to its engine as the SDKs do. A poll waits whenever there
// are free places; results that have gathered go in one exchange, which brings tasks for the places that they
// free; one of each is under way at most. Work takes its time and always succeeds. It keeps nothing of a task
// but its token, so that a million of them fit.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world/world.h"

namespace ganglion::sim {

// What all workers of a world have seen.
struct WorkSeen {
  bool counts = false;
  std::uint64_t results = 0;  // accepted
  std::uint64_t rejected = 0;
  std::uint64_t failed_calls = 0;
  std::uint64_t in_hand = 0;
  std::vector<std::uint32_t> waits_us;  // from a step's end to the next one's begin, or from a run's start
};

class CapacityWorker {
 public:
  struct Options {
    std::string name;
    HostId engine;
    std::uint32_t places = 8;
    SimTime work{300'000};  // on average; half of it to one and a half
    std::size_t payload = 200;
  };

  CapacityWorker(World& world, Options options, WorkSeen& seen);

  void start();

 private:
  void poll();
  void take(std::string_view tasks);
  void finished(std::string token);
  void exchange();
  void exchanged(std::size_t given, Result<HttpAnswer> answer);
  CallId post(const char* target, std::string body, HttpNetwork::Done done);

  World& world_;
  const Options options_;
  WorkSeen& seen_;
  const SiteId work_;
  std::uint32_t in_hand_ = 0;  // with results that have no verdict yet
  std::uint32_t asked_ = 0;
  bool polling_ = false;
  bool exchanging_ = false;
  std::string results_;  // JSON, joined by commas
  std::string sent_;
  std::size_t waiting_results_ = 0;
};

// What runs begin with and steps give: when that was, and something to make up the size.
std::string capacity_payload(SimTime now, std::size_t bytes);

}  // namespace ganglion::sim
