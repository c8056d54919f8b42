#pragma once

// The functions and operators of the language, by name and as code. They take values that are already there:
// `&&`, `||`,
// `?:`, `has` and the macros, which decide what is evaluated, are nodes of the tree instead.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/expr/meter.h"
#include "core/expr/regex.h"
#include "core/expr/value.h"

namespace ganglion::expr {

enum class Function : std::uint8_t {
  // operators
  negate,
  logical_not,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  in,
  index,
  // global functions and methods
  size,
  starts_with,
  ends_with,
  contains,
  matches,
  to_int,
  to_uint,
  to_double,
  to_string,
  to_bytes,
  to_bool,
  to_timestamp,
  to_duration,
  to_type,
  to_dyn,
  get_full_year,
  get_month,
  get_date,
  get_day_of_month,
  get_day_of_week,
  get_day_of_year,
  get_hours,
  get_minutes,
  get_seconds,
  get_milliseconds,
};

enum class CallStyle : std::uint8_t { global, method };

// `arguments` counts the receiver of a method.
std::optional<Function> find_function(std::string_view name, CallStyle style, std::size_t arguments);
bool is_function_name(std::string_view name);

// `arguments` has as many values as the function takes. Charges for the bytes and items that it touches.
Result<Value> call(Function function, std::span<const Value> arguments, Meter& meter);

// The families that `call` hands over to.
Result<Value> call_arithmetic(Function function, std::span<const Value> arguments, Meter& meter);
Result<Value> call_comparison(Function function, std::span<const Value> arguments, Meter& meter);
Result<Value> call_text(Function function, std::span<const Value> arguments, Meter& meter);
Result<Value> call_conversion(Function function, std::span<const Value> arguments, Meter& meter);
Result<Value> call_time(Function function, std::span<const Value> arguments);

// string() of a value, which is also how it is interpolated.
Result<Value> to_string(const Value& value, Meter& meter);

// Charges for finding a key in a map or putting it there.
bool charge_key(const Value& key, Meter& meter);
// Charges for one match: linear in the text, times the size of the pattern's program.
bool charge_match(std::string_view text, const Regex& regex, Meter& meter);

// "no such overload: int + string"
std::unexpected<Error> no_such_overload(std::string_view name, std::span<const Value> arguments);

}  // namespace ganglion::expr
