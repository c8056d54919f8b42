#pragma once

// The faults of a scenario file as weather of a world.

#include "sim/scenario/scenario.h"
#include "sim/world/weather.h"

namespace ganglion::sim {

// A rate is for all engines or workers together, and each has its share. A partition is between one engine
// and the programs, or between one engine and the store, as often the one as the other.
Weather weather_of(const scenario::Scenario& scenario);

DrawTime draw_time(const scenario::Latency& latency);

}  // namespace ganglion::sim
