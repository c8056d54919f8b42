#include "bench/load/text.h"

#include <charconv>

namespace ganglion::bench {
namespace {

constexpr std::size_t kRoom = 400;  // for the digits of any double

std::string formatted(double number, std::chars_format format, int precision) {
  char digits[kRoom];
  return std::string(digits, std::to_chars(digits, digits + kRoom, number, format, precision).ptr);
}

}  // namespace

std::string fixed_text(double number, int decimals) {
  return formatted(number, std::chars_format::fixed, decimals);
}

std::string short_text(double number, int digits) {
  return formatted(number, std::chars_format::general, digits);
}

std::string number_text(double number) {
  std::string digits = fixed_text(number, 0);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string duration_text(std::chrono::nanoseconds duration) {
  const auto in_digits = [](double value, const char* unit) {
    return fixed_text(value, value >= 100 ? 0 : value >= 10 ? 1 : 2) + " " + unit;
  };
  const double value = std::chrono::duration<double, std::milli>(duration).count();
  if (value >= 1000) return in_digits(value / 1000, "s");
  if (value >= 1) return in_digits(value, "ms");
  return fixed_text(value * 1000, 0) + " µs";
}

}  // namespace ganglion::bench
