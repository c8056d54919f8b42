#include "sim/scenario/draw_scope.h"

namespace ganglion::scenario {

DrawScope::DrawScope(const Draws& draws, Duration at) : random_(draws.at(kRandom)) {
  values_.set("at_ms", expr::Value::integer(at.count()));
}

DrawScope& DrawScope::set(std::string name, expr::Value value) {
  values_.set(std::move(name), std::move(value));
  return *this;
}

std::optional<expr::Value> DrawScope::find(std::string_view name) const {
  if (!name.starts_with(kRandom) || name.size() <= kRandom.size() || name[kRandom.size()] != '.') {
    return values_.find(name);
  }
  const std::string_view drawn = name.substr(kRandom.size() + 1);
  if (drawn.find('.') != std::string_view::npos) return std::nullopt;
  return expr::Value::real(unit_of(random_.word(drawn)));
}

}  // namespace ganglion::scenario
