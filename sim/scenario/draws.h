#pragma once

// Random words by name. A simulation's luck must not depend on the order in which questions are asked: a
// fault that is switched off, or one draw more, would otherwise shift every draw after it, and a failure
// could not be shrunk. So there is no stream: each question has a name, and its word is a hash of the
// seed and the name. Branches (`Draws::at`) are given to what is drawn for independently: an arrival, an
// attempt.
//
// Integer arithmetic only: the same words on every machine.

#include <cstdint>
#include <string_view>

namespace ganglion::scenario {

class Draws {
 public:
  explicit constexpr Draws(std::uint64_t seed) : seed_(seed) {}

  // 64 uniform bits; independent for different names, the same for the same.
  std::uint64_t word(std::string_view name) const;
  std::uint64_t word(std::string_view name, std::uint64_t index) const { return at(name, index).mixed(); }

  // The draws of one thing of many.
  Draws at(std::string_view name) const { return Draws(word(name)); }
  Draws at(std::string_view name, std::uint64_t index) const;

 private:
  std::uint64_t mixed() const;

  std::uint64_t seed_;
};

// A multiple of 2^-53 in [0, 1): exact in every step.
double unit_of(std::uint64_t word);
// From `least` to `most`, both included; `most` - `least` < 2^63.
std::int64_t between(std::int64_t least, std::int64_t most, std::uint64_t word);

// How likely something is.
class Chance {
 public:
  Chance() = default;
  // 0 … 1
  explicit Chance(double rate) : rate_(rate) {}

  double rate() const { return rate_; }
  bool happens(std::uint64_t word) const { return unit_of(word) < rate_; }

  bool operator==(const Chance&) const = default;

 private:
  double rate_ = 0;
};

}  // namespace ganglion::scenario
