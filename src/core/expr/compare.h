#pragma once

// Equality and order of the language: numbers compare across their types, other types are never equal to one
// another and have no order between them.

#include <compare>

#include "core/expr/meter.h"
#include "core/expr/value.h"

namespace ganglion::expr {

// Error codes `cost_exceeded`, `too_deep`. Lists by items, maps by keys and values in any order; NaN equals
// nothing.
Result<bool> equal(const Value& a, const Value& b, Meter& meter);

// `unordered` where a number is NaN; nothing where the types have no order.
std::optional<std::partial_ordering> order(const Value& a, const Value& b);

}  // namespace ganglion::expr
