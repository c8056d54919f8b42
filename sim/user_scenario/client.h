#pragma once

// Outsiders of a scenario file, one for each entry: a client that starts runs at their times and changes its
// mind about some, and one that publishes events. What they do is a matter of fate: `arrival.shipment:57`,
// `cancel.shipment:57`, `event.parcel.returned:5`. A request whose answer is lost is repeated under the same
// key, until there is an answer.

#include <cstddef>
#include <string>
#include <vector>

#include "sim/actors/program.h"
#include "sim/checkers/history.h"
#include "sim/scenario/arrivals.h"

namespace ganglion::sim {

class Client final : public Program {
 public:
  // `label` is what its runs are called; `draws` are the entry's. What is referred to outlives this.
  Client(World& world, std::string label, const scenario::Arrivals& arrivals,
         const scenario::Cancels& cancels, scenario::Draws draws, Duration until, History& history);

  void start() { wait(0); }
  // Requests that are not answered yet.
  std::size_t pending() const { return pending_; }

 private:
  void wait(std::size_t index);
  void arrive(std::size_t index);
  void submit(std::size_t index, const scenario::NewRun& run);
  void started(std::size_t index, const std::string& body, SimTime asked, const HttpAnswer& answer);
  void cancel(std::size_t index, const std::string& run);

  const std::string label_;
  const scenario::Arrivals& arrivals_;
  const scenario::Cancels& cancels_;
  const scenario::Draws draws_;
  const std::vector<Duration> times_;
  History& history_;
  std::size_t pending_ = 0;
};

class Publisher final : public Program {
 public:
  Publisher(World& world, std::string label, const scenario::Publications& events, scenario::Draws draws,
            Duration until, History& history);

  void start() { wait(0); }
  std::size_t pending() const { return pending_; }

 private:
  void wait(std::size_t index);
  void publish(std::size_t index);

  const std::string label_;
  const scenario::Publications& events_;
  const scenario::Draws draws_;
  const std::vector<Duration> times_;
  History& history_;
  std::size_t pending_ = 0;
};

}  // namespace ganglion::sim
