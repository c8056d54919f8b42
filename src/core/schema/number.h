#pragma once

// JSON numbers as mathematics has them, whatever Boost.JSON holds them as, and values in one canonical form,
// so that equal values have equal text.

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace ganglion::schema {

// Holds every int64, uint64 and double exactly, so that comparing two numbers is comparing two of these.
using Real = long double;
static_assert(std::numeric_limits<Real>::digits >= 64);

// Nothing where the value is not a number.
std::optional<Real> number_of(const boost::json::value& value);

// 1 and 1.0 are integers, 1.5 is not.
bool is_integer(const boost::json::value& value);

// digits · 10^exponent, the sign dropped: the number as it would be written down, not its binary
// approximation.
struct Decimal {
  std::uint64_t digits = 0;
  int exponent = 0;
};

// Nothing where the value is not a finite number.
std::optional<Decimal> decimal_of(const boost::json::value& value);

// Exact, without ever writing the quotient down. `divisor` is not zero.
bool is_multiple(const Decimal& value, const Decimal& divisor);

// Equal values (objects in any order of keys, numbers by value) have equal text.
std::string canonical(const boost::json::value& value);

}  // namespace ganglion::schema
