// + - * / % and the unary operators. Integers never wrap: what does not fit is an error.

#include <cmath>
#include <limits>

#include "core/expr/calendar.h"
#include "core/expr/functions.h"

namespace ganglion::expr {
namespace {

std::unexpected<Error> overflow() {
  return fail("overflow", "the result does not fit its type");
}

std::string_view symbol(Function function) {
  if (function == Function::add) return "+";
  if (function == Function::subtract || function == Function::negate) return "-";
  if (function == Function::multiply) return "*";
  if (function == Function::divide) return "/";
  if (function == Function::modulo) return "%";
  return "!";
}

// The quotient or remainder of integers; the divisor is not 0.
template <typename Integer>
bool divide_overflows(Function function, Integer a, Integer b, Integer& result) {
  if constexpr (std::is_signed_v<Integer>) {
    if (a == std::numeric_limits<Integer>::min() && b == -1) return true;
  }
  result = function == Function::divide ? a / b : a % b;
  return false;
}

template <typename Integer>
Result<Integer> integer_operation(Function function, Integer a, Integer b) {
  Integer result{};
  bool overflows = false;
  if (function == Function::add) {
    overflows = __builtin_add_overflow(a, b, &result);
  } else if (function == Function::subtract) {
    overflows = __builtin_sub_overflow(a, b, &result);
  } else if (function == Function::multiply) {
    overflows = __builtin_mul_overflow(a, b, &result);
  } else {
    if (b == 0)
      return fail("divide_by_zero", function == Function::divide ? "division by zero" : "modulus by zero");
    overflows = divide_overflows(function, a, b, result);
  }
  if (overflows) return overflow();
  return result;
}

Result<Value> double_operation(Function function, std::span<const Value> arguments) {
  double a = arguments[0].as_real();
  double b = arguments[1].as_real();
  if (function == Function::add) return Value::real(a + b);
  if (function == Function::subtract) return Value::real(a - b);
  if (function == Function::multiply) return Value::real(a * b);
  if (function == Function::divide) {
    // Written out, because division by zero is undefined in C++ and infinity here (IEEE 754).
    if (b != 0) return Value::real(a / b);
    if (a == 0 || std::isnan(a)) return Value::real(std::numeric_limits<double>::quiet_NaN());
    bool negative = std::signbit(a) != std::signbit(b);
    return Value::real(negative ? -std::numeric_limits<double>::infinity()
                                : std::numeric_limits<double>::infinity());
  }
  return no_such_overload("%", arguments);
}

Result<Value> concatenate_lists(const Value& a, const Value& b, Meter& meter) {
  if (!meter.charge(a.size() + b.size())) return Meter::error();
  std::vector<Value> items;
  items.reserve(a.size() + b.size());
  for (std::size_t i = 0; i < a.size(); ++i) items.push_back(a.at(i));
  for (std::size_t i = 0; i < b.size(); ++i) items.push_back(b.at(i));
  return Value::list(std::move(items));
}

Result<Value> duration_operation(Function function, std::chrono::nanoseconds a, std::chrono::nanoseconds b) {
  auto count = integer_operation<std::int64_t>(function, a.count(), b.count());
  if (!count) return std::unexpected(std::move(count.error()));
  return Value::duration(std::chrono::nanoseconds(*count));
}

Result<Value> moved(const Value& timestamp, std::chrono::nanoseconds duration) {
  auto sum = add(timestamp.as_timestamp(), duration);
  if (!sum) return fail("overflow", "the timestamp is outside the years 1 to 9999");
  return Value::timestamp(*sum);
}

Result<Value> time_operation(Function function, std::span<const Value> arguments) {
  const Value& a = arguments[0];
  const Value& b = arguments[1];
  bool plus = function == Function::add;
  if (!plus && function != Function::subtract) return no_such_overload(symbol(function), arguments);
  if (a.is(Kind::duration) && b.is(Kind::duration))
    return duration_operation(function, a.as_duration(), b.as_duration());
  if (plus && a.is(Kind::duration) && b.is(Kind::timestamp)) return moved(b, a.as_duration());
  if (plus && a.is(Kind::timestamp) && b.is(Kind::duration)) return moved(a, b.as_duration());
  if (!plus && a.is(Kind::timestamp) && b.is(Kind::duration)) {
    if (b.as_duration() == std::chrono::nanoseconds::min()) return overflow();
    return moved(a, -b.as_duration());
  }
  if (!plus && a.is(Kind::timestamp) && b.is(Kind::timestamp)) {
    auto difference = subtract(a.as_timestamp(), b.as_timestamp());
    if (!difference) return overflow();
    return Value::duration(*difference);
  }
  return no_such_overload(symbol(function), arguments);
}

Result<Value> unary_operation(Function function, std::span<const Value> arguments) {
  const Value& operand = arguments[0];
  if (function == Function::logical_not && operand.is(Kind::boolean))
    return Value::boolean(!operand.as_boolean());
  if (function == Function::negate && operand.is(Kind::real)) return Value::real(-operand.as_real());
  if (function == Function::negate && operand.is(Kind::integer)) {
    if (operand.as_integer() == std::numeric_limits<std::int64_t>::min()) return overflow();
    return Value::integer(-operand.as_integer());
  }
  return no_such_overload(symbol(function), arguments);
}

}  // namespace

Result<Value> call_arithmetic(Function function, std::span<const Value> arguments, Meter& meter) {
  if (arguments.size() == 1) return unary_operation(function, arguments);
  const Value& a = arguments[0];
  const Value& b = arguments[1];
  if (a.is(Kind::timestamp) || a.is(Kind::duration)) return time_operation(function, arguments);
  if (a.kind() != b.kind()) return no_such_overload(symbol(function), arguments);
  if (a.is(Kind::integer)) {
    auto result = integer_operation(function, a.as_integer(), b.as_integer());
    if (!result) return std::unexpected(std::move(result.error()));
    return Value::integer(*result);
  }
  if (a.is(Kind::unsigned_integer)) {
    auto result = integer_operation(function, a.as_unsigned_integer(), b.as_unsigned_integer());
    if (!result) return std::unexpected(std::move(result.error()));
    return Value::unsigned_integer(*result);
  }
  if (a.is(Kind::real)) return double_operation(function, arguments);
  if (function != Function::add) return no_such_overload(symbol(function), arguments);
  if (a.is(Kind::list)) return concatenate_lists(a, b, meter);
  bool text = a.is(Kind::string);
  if (!text && !a.is(Kind::bytes)) return no_such_overload("+", arguments);
  const std::string& left = text ? a.as_string() : a.as_bytes();
  const std::string& right = text ? b.as_string() : b.as_bytes();
  if (!meter.charge_bytes(left.size() + right.size())) return Meter::error();
  return text ? Value::string(left + right) : Value::bytes(left + right);
}

}  // namespace ganglion::expr
