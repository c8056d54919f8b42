#include "core/expr/functions.h"

#include <algorithm>
#include <array>
#include <string>

namespace ganglion::expr {
namespace {

struct Overload {
  std::string_view name;
  CallStyle style;
  std::size_t fewest;
  std::size_t most;
  Function function;
};

using enum CallStyle;

constexpr std::array<Overload, 27> kOverloads = {{
    {"size", global, 1, 1, Function::size},
    {"size", method, 1, 1, Function::size},
    {"startsWith", method, 2, 2, Function::starts_with},
    {"endsWith", method, 2, 2, Function::ends_with},
    {"contains", method, 2, 2, Function::contains},
    {"matches", method, 2, 2, Function::matches},
    {"matches", global, 2, 2, Function::matches},
    {"int", global, 1, 1, Function::to_int},
    {"uint", global, 1, 1, Function::to_uint},
    {"double", global, 1, 1, Function::to_double},
    {"string", global, 1, 1, Function::to_string},
    {"bytes", global, 1, 1, Function::to_bytes},
    {"bool", global, 1, 1, Function::to_bool},
    {"timestamp", global, 1, 1, Function::to_timestamp},
    {"duration", global, 1, 1, Function::to_duration},
    {"type", global, 1, 1, Function::to_type},
    {"dyn", global, 1, 1, Function::to_dyn},
    // With one argument besides the receiver: an offset from UTC.
    {"getFullYear", method, 1, 2, Function::get_full_year},
    {"getMonth", method, 1, 2, Function::get_month},
    {"getDate", method, 1, 2, Function::get_date},
    {"getDayOfMonth", method, 1, 2, Function::get_day_of_month},
    {"getDayOfWeek", method, 1, 2, Function::get_day_of_week},
    {"getDayOfYear", method, 1, 2, Function::get_day_of_year},
    {"getHours", method, 1, 2, Function::get_hours},
    {"getMinutes", method, 1, 2, Function::get_minutes},
    {"getSeconds", method, 1, 2, Function::get_seconds},
    {"getMilliseconds", method, 1, 2, Function::get_milliseconds},
}};

}  // namespace

std::optional<Function> find_function(std::string_view name, CallStyle style, std::size_t arguments) {
  for (const Overload& overload : kOverloads) {
    if (overload.name == name && overload.style == style && arguments >= overload.fewest &&
        arguments <= overload.most) {
      return overload.function;
    }
  }
  return std::nullopt;
}

bool is_function_name(std::string_view name) {
  return std::ranges::find(kOverloads, name, &Overload::name) != kOverloads.end();
}

std::unexpected<Error> no_such_overload(std::string_view name, std::span<const Value> arguments) {
  std::string types;
  for (const Value& argument : arguments) {
    if (!types.empty()) types += ", ";
    types += type_name(argument.kind());
  }
  return fail("no_such_overload", "'" + std::string(name) + "' does not take (" + types + ")");
}

Result<Value> call(Function function, std::span<const Value> arguments, Meter& meter) {
  for (const Value& argument : arguments) {
    if (!meter.charge_bytes(argument.unparsed_bytes())) return Meter::error();
  }
  switch (function) {
    case Function::negate:
    case Function::logical_not:
    case Function::add:
    case Function::subtract:
    case Function::multiply:
    case Function::divide:
    case Function::modulo:
      return call_arithmetic(function, arguments, meter);
    case Function::equal:
    case Function::not_equal:
    case Function::less:
    case Function::less_or_equal:
    case Function::greater:
    case Function::greater_or_equal:
    case Function::in:
    case Function::index:
      return call_comparison(function, arguments, meter);
    case Function::size:
    case Function::starts_with:
    case Function::ends_with:
    case Function::contains:
    case Function::matches:
      return call_text(function, arguments, meter);
    case Function::to_int:
    case Function::to_uint:
    case Function::to_double:
    case Function::to_string:
    case Function::to_bytes:
    case Function::to_bool:
    case Function::to_timestamp:
    case Function::to_duration:
    case Function::to_type:
    case Function::to_dyn:
      return call_conversion(function, arguments, meter);
    case Function::get_full_year:
    case Function::get_month:
    case Function::get_date:
    case Function::get_day_of_month:
    case Function::get_day_of_week:
    case Function::get_day_of_year:
    case Function::get_hours:
    case Function::get_minutes:
    case Function::get_seconds:
    case Function::get_milliseconds:
      return call_time(function, arguments);
  }
  return Value();
}

}  // namespace ganglion::expr
