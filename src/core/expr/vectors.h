#pragma once

// Runs test vectors, one JSON object a line: `{"id", "expr", "bindings"?, "container"?, "value" | "error"}`,
// with typed values (typed_json.h). A vector with `error` passes if compiling or evaluating fails, whatever
// the message.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ganglion::expr {

struct VectorFailure {
  std::string id;
  std::string expected;
  std::string got;
};

struct VectorReport {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::vector<VectorFailure> failures;  // in the order of the lines
};

// Error code `invalid_vector`, with the number of the line.
Result<VectorReport> run_vectors(std::string_view jsonl);

}  // namespace ganglion::expr
