#pragma once

// Numbers as text, for people and for SVG: never in a locale's form.

#include <chrono>
#include <string>

namespace ganglion::bench {

// `12.30`.
std::string fixed_text(double number, int decimals);
// At most so many digits that count, without zeros at the end: `12.3`.
std::string short_text(double number, int digits = 6);
// `12,345`.
std::string number_text(double number);
// `1.23 ms`, `85 µs`: three digits and a unit.
std::string duration_text(std::chrono::nanoseconds duration);

}  // namespace ganglion::bench
