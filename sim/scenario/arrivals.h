#pragma once

// What outsiders do, one by one: the runs that they start and the events that they publish.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/payload.h"
#include "base/result.h"
#include "base/time.h"
#include "sim/scenario/draws.h"
#include "sim/scenario/scenario.h"

namespace ganglion::scenario {

struct NewRun {
  std::string workflow;
  Payload input;
  std::optional<std::string> session_id;
  std::map<std::string, std::string> labels;
};

// When the runs of an entry start, sorted. `draws` are those of the entry.
std::vector<Duration> arrival_times(const Arrivals& arrivals, Duration end, const Draws& draws);
// The `index`th of them. Error codes: those of core/expr/program.h.
Result<NewRun> make_run(const Arrivals& arrivals, std::uint64_t index, Duration at, const Draws& draws);

std::vector<Duration> publication_times(const Publications& events, Duration end, const Draws& draws);
Result<Payload> make_data(const Publications& events, std::uint64_t index, Duration at, const Draws& draws);

// What a person answers to a task of a human agent: `output`, or null without one.
Result<Payload> make_output(const Person& person, const std::string& step, const Payload& show, Duration at,
                            const Draws& draws);

}  // namespace ganglion::scenario
