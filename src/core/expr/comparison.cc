// == != < <= > >= in []

#include <cmath>

#include "core/expr/compare.h"
#include "core/expr/functions.h"

namespace ganglion::expr {
namespace {

std::string_view symbol(Function function) {
  if (function == Function::less) return "<";
  if (function == Function::less_or_equal) return "<=";
  if (function == Function::greater) return ">";
  return ">=";
}

Result<Value> ordered(Function function, std::span<const Value> arguments, Meter& meter) {
  for (const Value& argument : arguments) {
    std::size_t bytes = argument.is(Kind::string)  ? argument.as_string().size()
                        : argument.is(Kind::bytes) ? argument.as_bytes().size()
                                                   : 0;
    if (!meter.charge_bytes(bytes)) return Meter::error();
  }
  auto found = order(arguments[0], arguments[1]);
  if (!found) return no_such_overload(symbol(function), arguments);
  if (function == Function::less) return Value::boolean(*found < 0);
  if (function == Function::less_or_equal) return Value::boolean(*found <= 0);
  if (function == Function::greater) return Value::boolean(*found > 0);
  return Value::boolean(*found >= 0);
}

Result<Value> contained(std::span<const Value> arguments, Meter& meter) {
  const Value& container = arguments[1];
  if (container.is(Kind::map)) {
    if (!charge_key(arguments[0], meter)) return Meter::error();
    return Value::boolean(container.find(arguments[0]) != nullptr);
  }
  if (!container.is(Kind::list)) return no_such_overload("in", arguments);
  for (std::size_t i = 0; i < container.size(); ++i) {
    Result<bool> same = equal(arguments[0], container.at(i), meter);
    if (!same) return std::unexpected(std::move(same.error()));
    if (*same) return Value::boolean(true);
  }
  return Value::boolean(false);
}

// What an index into a list says: a whole number of any numeric type.
std::optional<std::int64_t> list_position(const Value& index) {
  if (index.is(Kind::integer)) return index.as_integer();
  if (index.is(Kind::unsigned_integer) && std::in_range<std::int64_t>(index.as_unsigned_integer())) {
    return static_cast<std::int64_t>(index.as_unsigned_integer());
  }
  if (index.is(Kind::real) && std::abs(index.as_real()) < 0x1p53 &&
      index.as_real() == std::trunc(index.as_real())) {
    return static_cast<std::int64_t>(index.as_real());
  }
  return std::nullopt;
}

std::string describe_key(const Value& key) {
  std::string text;
  return key.append_json(text, 200) ? text : "this";
}

Result<Value> indexed(std::span<const Value> arguments, Meter& meter) {
  const Value& container = arguments[0];
  const Value& index = arguments[1];
  if (container.is(Kind::map)) {
    if (!charge_key(index, meter)) return Meter::error();
    if (const Value* found = container.find(index)) return *found;
    return fail("no_such_key", "no such key: " + describe_key(index));
  }
  if (!container.is(Kind::list)) return no_such_overload("[]", arguments);
  auto position = list_position(index);
  if (!position) return fail("invalid_argument", "the index of a list is a whole number");
  if (*position < 0 || std::cmp_greater_equal(*position, container.size())) {
    return fail("index_out_of_range", "index " + std::to_string(*position) + " is outside a list of " +
                                          std::to_string(container.size()));
  }
  return container.at(static_cast<std::size_t>(*position));
}

}  // namespace

bool charge_key(const Value& key, Meter& meter) {
  return meter.charge_bytes(key.is(Kind::string) ? key.as_string().size() : 0);
}

Result<Value> call_comparison(Function function, std::span<const Value> arguments, Meter& meter) {
  if (function == Function::index) return indexed(arguments, meter);
  if (function == Function::in) return contained(arguments, meter);
  if (function != Function::equal && function != Function::not_equal)
    return ordered(function, arguments, meter);
  Result<bool> same = equal(arguments[0], arguments[1], meter);
  if (!same) return std::unexpected(std::move(same.error()));
  return Value::boolean(*same == (function == Function::equal));
}

}  // namespace ganglion::expr
