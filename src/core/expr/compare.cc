#include "core/expr/compare.h"

#include <utility>

#include "core/expr/functions.h"

namespace ganglion::expr {
namespace {

bool is_number(Kind kind) {
  return kind == Kind::integer || kind == Kind::unsigned_integer || kind == Kind::real;
}

double to_double(const Value& number) {
  if (number.is(Kind::integer)) return static_cast<double>(number.as_integer());
  if (number.is(Kind::unsigned_integer)) return static_cast<double>(number.as_unsigned_integer());
  return number.as_real();
}

// An integer meets a double as a double, so very large ones may compare equal that are not: CEL's rule.
std::partial_ordering order_numbers(const Value& a, const Value& b) {
  if (a.is(Kind::real) || b.is(Kind::real)) return to_double(a) <=> to_double(b);
  if (a.kind() == b.kind()) {
    return a.is(Kind::integer) ? a.as_integer() <=> b.as_integer()
                               : a.as_unsigned_integer() <=> b.as_unsigned_integer();
  }
  if (a.is(Kind::integer)) {
    if (a.as_integer() < 0) return std::partial_ordering::less;
    return static_cast<std::uint64_t>(a.as_integer()) <=> b.as_unsigned_integer();
  }
  return 0 <=> order_numbers(b, a);
}

class Equality {
 public:
  explicit Equality(Meter& meter) : meter_(meter) {}

  Result<bool> compare(const Value& a, const Value& b, int depth) {
    if (depth > kMaxValueDepth) return fail("too_deep", "a value is nested too deeply to be compared");
    if (!meter_.charge(1) || !meter_.charge_bytes(a.unparsed_bytes() + b.unparsed_bytes()))
      return Meter::error();
    Kind kind = a.kind();
    if (is_number(kind) && is_number(b.kind())) return order_numbers(a, b) == 0;
    if (kind != b.kind()) return false;
    switch (kind) {
      case Kind::null:
        return true;
      case Kind::string:
        return same_text(a.as_string(), b.as_string());
      case Kind::bytes:
        return same_text(a.as_bytes(), b.as_bytes());
      case Kind::list:
        return same_list(a, b, depth);
      case Kind::map:
        return same_map(a, b, depth);
      case Kind::type:
        return a.as_type() == b.as_type();
      case Kind::boolean:
      case Kind::integer:
      case Kind::unsigned_integer:
      case Kind::real:
      case Kind::timestamp:
      case Kind::duration:
        return order(a, b) == std::partial_ordering::equivalent;
    }
    return false;
  }

 private:
  Result<bool> same_text(const std::string& a, const std::string& b) {
    if (a.size() != b.size()) return false;
    if (!meter_.charge_bytes(a.size())) return Meter::error();
    return a == b;
  }

  Result<bool> same_list(const Value& a, const Value& b, int depth) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      Result<bool> same = compare(a.at(i), b.at(i), depth + 1);
      if (!same || !*same) return same;
    }
    return true;
  }

  Result<bool> same_map(const Value& a, const Value& b, int depth) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!charge_key(a.entry(i).first, meter_)) return Meter::error();
      const Value* other = b.find(a.entry(i).first);
      if (!other) return false;
      Result<bool> same = compare(a.entry(i).second, *other, depth + 1);
      if (!same || !*same) return same;
    }
    return true;
  }

  Meter& meter_;
};

}  // namespace

Result<bool> equal(const Value& a, const Value& b, Meter& meter) {
  return Equality(meter).compare(a, b, 0);
}

std::optional<std::partial_ordering> order(const Value& a, const Value& b) {
  Kind kind = a.kind();
  if (is_number(kind) && is_number(b.kind())) return order_numbers(a, b);
  if (kind != b.kind()) return std::nullopt;
  switch (kind) {
    case Kind::boolean:
      return a.as_boolean() <=> b.as_boolean();
    case Kind::string:
      // The order of UTF-8 bytes is that of code points.
      return a.as_string() <=> b.as_string();
    case Kind::bytes:
      return a.as_bytes() <=> b.as_bytes();
    case Kind::timestamp:
      return a.as_timestamp() <=> b.as_timestamp();
    case Kind::duration:
      return a.as_duration().count() <=> b.as_duration().count();
    case Kind::null:
    case Kind::integer:
    case Kind::unsigned_integer:
    case Kind::real:
    case Kind::list:
    case Kind::map:
    case Kind::type:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace ganglion::expr
