#pragma once

// Whether bytes from outside are one JSON value that the engine may pass on as it is: RFC 8259's grammar to
// the letter, UTF-8, no unpaired surrogate escape, bounded depth and size, and no name twice in one object
// (parsers disagree on which one counts, so a guard and a reader could see different values). One pass, not
// recursive; no copy of the text.

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace ganglion::http {

struct JsonLimits {
  std::size_t depth = 64;          // of nested arrays and objects; 1 … 1024
  std::size_t values = 1'000'000;  // in the whole text; bounds the memory that parsing it later costs
};

// Error codes: `malformed_json`, `duplicate_key`, `json_too_deep`, `json_too_large`; the message names the
// byte.
Result<void> check_json(std::string_view text, const JsonLimits& limits = {});

}  // namespace ganglion::http
