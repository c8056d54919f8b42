// int, uint, double, string, bytes, bool, timestamp, duration, type, dyn

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/expr/calendar.h"
#include "core/expr/functions.h"
#include "core/expr/json_scan.h"
#include "core/expr/utf8.h"

namespace ganglion::expr {
namespace {

std::unexpected<Error> out_of_range(std::string_view type) {
  return fail("overflow", "the number is outside the range of " + std::string(type));
}

std::unexpected<Error> not_a(std::string_view type) {
  return fail("invalid_argument", "the string is not a " + std::string(type));
}

template <typename Integer>
std::optional<Integer> read_integer(std::string_view text) {
  Integer value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

Result<Value> to_int(std::span<const Value> arguments) {
  const Value& value = arguments[0];
  if (value.is(Kind::integer)) return value;
  if (value.is(Kind::unsigned_integer)) {
    if (!std::in_range<std::int64_t>(value.as_unsigned_integer())) return out_of_range("int");
    return Value::integer(static_cast<std::int64_t>(value.as_unsigned_integer()));
  }
  if (value.is(Kind::real)) {
    // Both ends are excluded: a double can't say whether the number was still in range there.
    if (!(value.as_real() > -0x1p63 && value.as_real() < 0x1p63)) return out_of_range("int");
    return Value::integer(static_cast<std::int64_t>(value.as_real()));
  }
  if (value.is(Kind::string)) {
    auto integer = read_integer<std::int64_t>(value.as_string());
    if (!integer) return not_a("int");
    return Value::integer(*integer);
  }
  if (value.is(Kind::timestamp)) return Value::integer(value.as_timestamp().seconds);
  return no_such_overload("int", arguments);
}

Result<Value> to_uint(std::span<const Value> arguments) {
  const Value& value = arguments[0];
  if (value.is(Kind::unsigned_integer)) return value;
  if (value.is(Kind::integer)) {
    if (value.as_integer() < 0) return out_of_range("uint");
    return Value::unsigned_integer(static_cast<std::uint64_t>(value.as_integer()));
  }
  if (value.is(Kind::real)) {
    if (!(value.as_real() >= 0 && value.as_real() < 0x1p64)) return out_of_range("uint");
    return Value::unsigned_integer(static_cast<std::uint64_t>(value.as_real()));
  }
  if (value.is(Kind::string)) {
    auto integer = read_integer<std::uint64_t>(value.as_string());
    if (!integer) return not_a("uint");
    return Value::unsigned_integer(*integer);
  }
  return no_such_overload("uint", arguments);
}

Result<Value> to_double(std::span<const Value> arguments) {
  const Value& value = arguments[0];
  if (value.is(Kind::real)) return value;
  if (value.is(Kind::integer)) return Value::real(static_cast<double>(value.as_integer()));
  if (value.is(Kind::unsigned_integer)) return Value::real(static_cast<double>(value.as_unsigned_integer()));
  if (value.is(Kind::string)) {
    auto number = read_double(value.as_string());
    if (!number) return not_a("double");
    // "inf" is a double; digits that come out as infinity are not.
    if (std::isinf(*number) && value.as_string().find_first_of("0123456789") != std::string::npos) {
      return out_of_range("double");
    }
    return Value::real(*number);
  }
  return no_such_overload("double", arguments);
}

Result<Value> to_bytes(std::span<const Value> arguments) {
  const Value& value = arguments[0];
  if (value.is(Kind::bytes)) return value;
  if (!value.is(Kind::string)) return no_such_overload("bytes", arguments);
  return Value::bytes(value.as_string());
}

Result<Value> to_bool(std::span<const Value> arguments) {
  const Value& value = arguments[0];
  if (value.is(Kind::boolean)) return value;
  if (!value.is(Kind::string)) return no_such_overload("bool", arguments);
  for (std::string_view word : {"1", "t", "true", "TRUE", "True"}) {
    if (value.as_string() == word) return Value::boolean(true);
  }
  for (std::string_view word : {"0", "f", "false", "FALSE", "False"}) {
    if (value.as_string() == word) return Value::boolean(false);
  }
  return not_a("bool");
}

Result<Value> to_timestamp(std::span<const Value> arguments) {
  const Value& value = arguments[0];
  if (value.is(Kind::timestamp)) return value;
  if (value.is(Kind::integer)) {
    Instant instant{value.as_integer(), 0};
    if (!in_range(instant)) return out_of_range("timestamp");
    return Value::timestamp(instant);
  }
  if (!value.is(Kind::string)) return no_such_overload("timestamp", arguments);
  auto instant = parse_timestamp(value.as_string());
  if (!instant) return not_a("timestamp (RFC 3339, years 1 to 9999)");
  return Value::timestamp(*instant);
}

Result<Value> to_duration(std::span<const Value> arguments) {
  const Value& value = arguments[0];
  if (value.is(Kind::duration)) return value;
  if (!value.is(Kind::string)) return no_such_overload("duration", arguments);
  auto duration = parse_duration(value.as_string());
  if (!duration) return not_a("duration such as \"1h30m\" or \"1.5s\", or it is out of range");
  return Value::duration(*duration);
}

std::string format_double(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  char buffer[32];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

}  // namespace

Result<Value> to_string(const Value& value, Meter& meter) {
  switch (value.kind()) {
    case Kind::string:
      return value;
    case Kind::boolean:
      return Value::string(value.as_boolean() ? "true" : "false");
    case Kind::integer:
      return Value::string(std::to_string(value.as_integer()));
    case Kind::unsigned_integer:
      return Value::string(std::to_string(value.as_unsigned_integer()));
    case Kind::real:
      return Value::string(format_double(value.as_real()));
    case Kind::timestamp:
      return Value::string(format_timestamp(value.as_timestamp()));
    case Kind::duration:
      return Value::string(format_duration(value.as_duration()));
    case Kind::bytes:
      if (!meter.charge_bytes(value.as_bytes().size())) return Meter::error();
      if (find_invalid_utf8(value.as_bytes()))
        return fail("invalid_argument", "the bytes are not valid UTF-8");
      return Value::string(value.as_bytes());
    case Kind::null:
    case Kind::list:
    case Kind::map:
    case Kind::type:
      break;
  }
  return no_such_overload("string", std::span(&value, 1));
}

Result<Value> call_conversion(Function function, std::span<const Value> arguments, Meter& meter) {
  if (function == Function::to_type) return Value::type(arguments[0].kind());
  if (function == Function::to_dyn) return arguments[0];  // every value is dynamic here
  if (arguments[0].is(Kind::string) && !meter.charge_bytes(arguments[0].as_string().size()))
    return Meter::error();
  if (function == Function::to_int) return to_int(arguments);
  if (function == Function::to_uint) return to_uint(arguments);
  if (function == Function::to_double) return to_double(arguments);
  if (function == Function::to_string) return to_string(arguments[0], meter);
  if (function == Function::to_bytes) return to_bytes(arguments);
  if (function == Function::to_bool) return to_bool(arguments);
  if (function == Function::to_timestamp) return to_timestamp(arguments);
  return to_duration(arguments);
}

}  // namespace ganglion::expr
