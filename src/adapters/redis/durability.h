#pragma once

// What a Redis with these settings can't promise, a plain line each.

#include <string>
#include <vector>

#include "adapters/redis/greeting.h"

namespace ganglion::redis {

std::vector<std::string> weaker_promises(const ServerSettings& settings, Topology topology);

}  // namespace ganglion::redis
