#pragma once

// A request target taken apart: the path's segments and the query's parameters, percent-decoded. The decoding
// comes after the splitting, so that `%2F` stays inside its segment.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace ganglion::http {

struct Target {
  std::vector<std::string> segments;                       // `/v1/runs` → v1, runs; `/` → one empty segment
  std::vector<std::pair<std::string, std::string>> query;  // in order; `+` is a space

  // The first value of `name`.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

// Origin form (`/path?query`) or absolute form (`http://host/path`). Error `malformed_request`: a bad percent
// escape, a control character, bytes that aren't UTF-8, more than 64 parameters.
Result<Target> parse_target(std::string_view target);

}  // namespace ganglion::http
