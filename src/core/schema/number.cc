#include "core/schema/number.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <string_view>
#include <vector>

namespace ganglion::schema {
namespace {

namespace json = boost::json;

__extension__ using Wide = unsigned __int128;

std::string_view write_double(double number, std::array<char, 32>& buffer) {
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, std::chars_format::scientific);
  return {buffer.data(), static_cast<std::size_t>(end - buffer.data())};
}

Decimal normalised(std::uint64_t digits, int exponent) {
  if (digits == 0) return {};
  while (digits % 10 == 0) {
    digits /= 10;
    ++exponent;
  }
  return {digits, exponent};
}

// Of "d.ddde±xx", the shortest form that reads back as the same double: at most 17 digits.
Decimal decimal_of_double(double number) {
  std::array<char, 32> buffer;
  const std::string_view text = write_double(std::fabs(number), buffer);
  std::uint64_t digits = 0;
  int exponent = 0;
  bool fraction = false;
  std::size_t i = 0;
  for (; i < text.size() && text[i] != 'e'; ++i) {
    if (text[i] == '.') {
      fraction = true;
      continue;
    }
    digits = digits * 10 + static_cast<std::uint64_t>(text[i] - '0');
    if (fraction) --exponent;
  }
  int written = 0;
  const std::size_t start = i + 1 + (i + 1 < text.size() && text[i + 1] == '+' ? 1 : 0);
  std::from_chars(text.data() + start, text.data() + text.size(), written);
  return normalised(digits, exponent + written);
}

std::uint64_t power_of_ten_modulo(int exponent, std::uint64_t modulus) {
  Wide result = 1 % modulus;
  Wide base = 10 % modulus;
  for (auto rest = static_cast<unsigned>(exponent); rest > 0; rest >>= 1) {
    if ((rest & 1U) != 0) result = result * base % modulus;
    base = base * base % modulus;
  }
  return static_cast<std::uint64_t>(result);
}

void append_number(const json::value& value, std::string& out) {
  if (value.is_int64()) {
    out += std::to_string(value.get_int64());
    return;
  }
  if (value.is_uint64()) {
    out += std::to_string(value.get_uint64());
    return;
  }
  const double number = value.get_double();
  const double whole = std::trunc(number);
  constexpr double kTwo63 = 9223372036854775808.0;
  if (number == whole && whole >= -kTwo63 && whole < kTwo63) {
    out += std::to_string(static_cast<std::int64_t>(whole));
  } else if (number == whole && whole >= kTwo63 && whole < 2 * kTwo63) {
    out += std::to_string(static_cast<std::uint64_t>(whole));
  } else {
    std::array<char, 32> buffer;
    out += write_double(number, buffer);
  }
}

void append_canonical(const json::value& value, std::string& out) {
  if (value.is_number()) {
    append_number(value, out);
  } else if (const auto* array = value.if_array()) {
    out += '[';
    for (const auto& item : *array) {
      append_canonical(item, out);
      out += ',';
    }
    out += ']';
  } else if (const auto* object = value.if_object()) {
    std::vector<const json::key_value_pair*> members;
    members.reserve(object->size());
    for (const auto& member : *object) members.push_back(&member);
    std::ranges::sort(members, {}, [](const auto* member) { return std::string_view(member->key()); });
    out += '{';
    for (const auto* member : members) {
      out += json::serialize(member->key());
      out += ':';
      append_canonical(member->value(), out);
      out += ',';
    }
    out += '}';
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::optional<Real> number_of(const json::value& value) {
  if (value.is_int64()) return static_cast<Real>(value.get_int64());
  if (value.is_uint64()) return static_cast<Real>(value.get_uint64());
  if (value.is_double()) return static_cast<Real>(value.get_double());
  return std::nullopt;
}

bool is_integer(const json::value& value) {
  if (value.is_int64() || value.is_uint64()) return true;
  return value.is_double() && std::isfinite(value.get_double()) &&
         std::trunc(value.get_double()) == value.get_double();
}

std::optional<Decimal> decimal_of(const json::value& value) {
  if (value.is_uint64()) return normalised(value.get_uint64(), 0);
  if (value.is_int64()) {
    const std::int64_t number = value.get_int64();
    const auto bits = static_cast<std::uint64_t>(number);
    return normalised(number < 0 ? std::uint64_t{0} - bits : bits, 0);
  }
  if (!value.is_double() || !std::isfinite(value.get_double())) return std::nullopt;
  return decimal_of_double(value.get_double());
}

bool is_multiple(const Decimal& value, const Decimal& divisor) {
  if (value.digits == 0) return true;
  if (value.exponent >= divisor.exponent) {
    const std::uint64_t scale = power_of_ten_modulo(value.exponent - divisor.exponent, divisor.digits);
    return static_cast<Wide>(value.digits % divisor.digits) * scale % divisor.digits == 0;
  }
  // The divisor is the coarser one: scale it up until it is beyond the value, which then can't be a multiple.
  Wide scaled = divisor.digits;
  for (int i = value.exponent; i < divisor.exponent; ++i) {
    scaled *= 10;
    if (scaled > value.digits) return false;
  }
  return value.digits % static_cast<std::uint64_t>(scaled) == 0;
}

std::string canonical(const json::value& value) {
  std::string text;
  append_canonical(value, text);
  return text;
}

}  // namespace ganglion::schema
