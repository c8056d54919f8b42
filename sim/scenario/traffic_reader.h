#pragma once

// What comes from outside: `arrivals:`, `events:`, `people:` and `cancels:` of a scenario.

#include <vector>

#include "sim/scenario/reading.h"

namespace ganglion::scenario {

std::vector<Arrivals> read_arrivals(const Field& field, Duration duration, const Reading& reading);
std::vector<Publications> read_events(const Field& field, Duration duration, const Reading& reading);
std::vector<Person> read_persons(const Field& field, const Reading& reading);
Cancels read_cancels(const Field& field, const Reading& reading);

}  // namespace ganglion::scenario
