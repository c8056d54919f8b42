#pragma once

// A seed's result as JSON, for people's programs and between processes.

#include <string>
#include <string_view>

#include "base/result.h"
#include "sim/runner/seed_result.h"

namespace ganglion::sim {

// 16 digits.
std::string hex(std::uint64_t number);

// {"seed", "violations", "trace", "events", "sightings", "totals", "steps", "writes", "runs", "virtual_ms"}.
std::string seed_json(const SeedResult& result);
// What seed_json has written. Error code `malformed`.
Result<SeedResult> read_seed_json(std::string_view text);

}  // namespace ganglion::sim
