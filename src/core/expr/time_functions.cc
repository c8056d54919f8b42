// The fields of timestamps and durations.

#include "core/expr/calendar.h"
#include "core/expr/functions.h"

namespace ganglion::expr {
namespace {

Result<Value> duration_field(Function function, std::span<const Value> arguments) {
  if (arguments.size() == 1) {
    std::int64_t count = arguments[0].as_duration().count();
    if (function == Function::get_hours) return Value::integer(count / 3'600'000'000'000);
    if (function == Function::get_minutes) return Value::integer(count / 60'000'000'000);
    if (function == Function::get_seconds) return Value::integer(count / 1'000'000'000);
    // The fraction of a second, not the whole duration: CEL's rule.
    if (function == Function::get_milliseconds) return Value::integer(count % 1'000'000'000 / 1'000'000);
  }
  return no_such_overload("a field of a duration", arguments);
}

std::int64_t field_of(Function function, const CivilTime& time) {
  if (function == Function::get_full_year) return time.year;
  if (function == Function::get_month) return time.month - 1;
  if (function == Function::get_date) return time.day;
  if (function == Function::get_day_of_month) return time.day - 1;
  if (function == Function::get_day_of_week) return time.day_of_week;
  if (function == Function::get_day_of_year) return time.day_of_year - 1;
  if (function == Function::get_hours) return time.hour;
  if (function == Function::get_minutes) return time.minute;
  if (function == Function::get_seconds) return time.second;
  return time.millisecond;
}

}  // namespace

Result<Value> call_time(Function function, std::span<const Value> arguments) {
  if (arguments[0].is(Kind::duration)) return duration_field(function, arguments);
  if (!arguments[0].is(Kind::timestamp)) return no_such_overload("a field of a timestamp", arguments);
  std::chrono::minutes offset(0);
  if (arguments.size() == 2) {
    if (!arguments[1].is(Kind::string)) return no_such_overload("a field of a timestamp", arguments);
    auto parsed = parse_offset(arguments[1].as_string());
    if (!parsed) {
      return fail("invalid_argument",
                  "a time zone is an offset such as \"+02:00\" or \"UTC\"; names are not known here");
    }
    offset = *parsed;
  }
  return Value::integer(field_of(function, civil_time(arguments[0].as_timestamp(), offset)));
}

}  // namespace ganglion::expr
