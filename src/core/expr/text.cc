// size, startsWith, endsWith, contains, matches

#include "core/expr/functions.h"
#include "core/expr/utf8.h"

namespace ganglion::expr {
namespace {

constexpr std::size_t kInstructionsPerUnit = 16;
// A pattern may be refused only after much of its program was built.
constexpr std::size_t kRefusedPatternCost = 2'000;

Result<Value> size_of(std::span<const Value> arguments, Meter& meter) {
  const Value& value = arguments[0];
  std::size_t size = 0;
  if (value.is(Kind::string)) {
    if (!meter.charge_bytes(value.as_string().size())) return Meter::error();
    size = count_code_points(value.as_string());
  } else if (value.is(Kind::bytes)) {
    size = value.as_bytes().size();
  } else if (value.is(Kind::list) || value.is(Kind::map)) {
    size = value.size();
  } else {
    return no_such_overload("size", arguments);
  }
  return Value::integer(static_cast<std::int64_t>(size));
}

std::string_view method_name(Function function) {
  if (function == Function::starts_with) return "startsWith";
  if (function == Function::ends_with) return "endsWith";
  if (function == Function::contains) return "contains";
  return "matches";
}

}  // namespace

bool charge_match(std::string_view text, const Regex& regex, Meter& meter) {
  return meter.charge((text.size() / kBytesPerUnit + 1) * (regex.program_size() / kInstructionsPerUnit + 1));
}

Result<Value> call_text(Function function, std::span<const Value> arguments, Meter& meter) {
  if (function == Function::size) return size_of(arguments, meter);
  if (!arguments[0].is(Kind::string) || !arguments[1].is(Kind::string)) {
    return no_such_overload(method_name(function), arguments);
  }
  const std::string& text = arguments[0].as_string();
  const std::string& other = arguments[1].as_string();
  if (function == Function::matches) {
    auto regex = Regex::compile(other);
    if (!meter.charge(regex ? regex->program_size() : kRefusedPatternCost)) return Meter::error();
    if (!regex) return std::unexpected(std::move(regex.error()));
    if (!charge_match(text, *regex, meter)) return Meter::error();
    return Value::boolean(regex->matches(text));
  }
  if (!meter.charge_bytes(text.size() + other.size())) return Meter::error();
  if (function == Function::starts_with) return Value::boolean(text.starts_with(other));
  if (function == Function::ends_with) return Value::boolean(text.ends_with(other));
  return Value::boolean(text.contains(other));
}

}  // namespace ganglion::expr
