#pragma once

// Time in a simulated world: microseconds since it began. The engine's own time counts milliseconds; networks
// and disks are faster than that.

#include <chrono>
#include <string>

namespace ganglion::sim {

using SimTime = std::chrono::microseconds;

// `12.034512 s`
std::string format_sim_time(SimTime time);

}  // namespace ganglion::sim
