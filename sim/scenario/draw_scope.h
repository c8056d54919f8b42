#pragma once

// What the expressions of a scenario see: values by name, and `random.NAME`, a number in [0, 1) for each
// name. There is no function that draws: an expression that is evaluated twice must say the same.

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "core/expr/bindings.h"
#include "sim/scenario/draws.h"

namespace ganglion::scenario {

inline constexpr std::string_view kRandom = "random";

class DrawScope final : public expr::Scope {
 public:
  DrawScope(const Draws& draws, Duration at);

  DrawScope& set(std::string name, expr::Value value);
  std::optional<expr::Value> find(std::string_view name) const override;

 private:
  Draws random_;
  expr::Bindings values_;
};

}  // namespace ganglion::scenario
