#include "sim/scenario/expectations.h"

#include <utility>

#include "base/payload.h"

namespace ganglion::scenario {

Observed Observed::run(std::string json) {
  Observed observed;
  observed.bindings_.set("run", expr::Value::json(Payload(std::move(json))));
  return observed;
}

Observed Observed::totals(std::string json) {
  Observed observed;
  observed.bindings_.set("totals", expr::Value::json(Payload(std::move(json))));
  return observed;
}

bool concerns(const Expectation& expectation, std::string_view workflow) {
  return expectation.workflows.empty() || expectation.workflows.contains(workflow);
}

Result<bool> holds(const Expectation& expectation, const Observed& observed) {
  const auto value = expectation.condition.evaluate(observed.bindings());
  if (!value) return std::unexpected(value.error());
  if (!value->is(expr::Kind::boolean)) {
    return fail("not_boolean", "the expression gives a value of type " +
                                   std::string(expr::type_name(value->kind())) + ", not true or false");
  }
  return value->as_boolean();
}

}  // namespace ganglion::scenario
