#pragma once

// Whether what must hold holds.

#include <string>
#include <string_view>

#include "base/result.h"
#include "core/expr/bindings.h"
#include "sim/scenario/scenario.h"

namespace ganglion::scenario {

// What expectations look at. Made once for a state of a run and shared by all expectations of it: the JSON is
// parsed where the first of them looks inside.
class Observed {
 public:
  // As GET /v1/runs/{id} gives it: core/run_json.h.
  static Observed run(std::string json);
  // Totals::json.
  static Observed totals(std::string json);

  const expr::Bindings& bindings() const { return bindings_; }

 private:
  expr::Bindings bindings_;
};

bool concerns(const Expectation& expectation, std::string_view workflow);

// Whether the condition holds. One that can't be evaluated, or is not a boolean, does not hold either: the
// error says why (codes of core/expr/program.h, and `not_boolean`).
Result<bool> holds(const Expectation& expectation, const Observed& observed);

}  // namespace ganglion::scenario
