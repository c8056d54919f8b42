#pragma once

// The calls to models that somebody recorded, from a JSON file of OpenTelemetry spans: `{"spans":
// [{"span_id", "parent_span_id", "start_time", "end_time", "attributes": {"gen_ai.input.messages",
// "gen_ai.output.text"}}]}`. Kept is what a replay needs: how long each took, how much went in and out, what
// it needed. The texts are forgotten.

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ganglion::bench {

inline constexpr std::size_t kMaxTraceBytes = 16 << 20;
inline constexpr std::size_t kMaxTraceCalls = 500;

struct TracedCall {
  std::string name;
  std::chrono::milliseconds took{};
  std::size_t input_bytes = 0;
  std::size_t output_bytes = 0;
  // Calls before it, by their position in the list. It needs those that ended last before it began (the
  // program may have waited for them, and nothing says that it didn't) and those whose output it was given.
  std::vector<std::size_t> needs;
  std::vector<std::size_t> quotes;  // of these, those whose output it was given
};

// Ordered by their beginnings. A span that others name as their parent is no call but what they belong to.
// Errors, `invalid_trace`, say what is wrong with the file.
Result<std::vector<TracedCall>> read_trace(std::string_view json);

// How long all of it takes at least: the longest way through what they need.
std::chrono::milliseconds shortest_replay(const std::vector<TracedCall>& calls);

}  // namespace ganglion::bench
