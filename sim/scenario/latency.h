#pragma once

// How long things take, and how they are spread over time: each a function of random words, and bit by bit
// the same on every machine, compiler and level of optimisation. That rules out the library's exp, log and
// pow, whose last bits differ between implementations, and floating-point sums that a compiler may
// contract: what is sampled here is computed in integers, from a table of the normal distribution's
// quantiles and with logarithms to base 2 taken bit by bit (latency.cc).

#include <chrono>
#include <cstdint>
#include <variant>
#include <vector>

#include "base/time.h"
#include "sim/scenario/draws.h"

namespace ganglion::scenario {

inline constexpr Duration kMaxSpan{std::chrono::days(30)};  // of anything that a scenario lets take time

struct FixedLatency {
  Duration value{0};

  bool operator==(const FixedLatency&) const = default;
};
// Every millisecond from `min` to `max` alike.
struct UniformLatency {
  Duration min{0};
  Duration max{0};

  bool operator==(const UniformLatency&) const = default;
};
// Log-normal: half of the samples are below `p50`, 99 of 100 below `p99`. 1 ms <= p50 <= p99.
struct LogNormalLatency {
  Duration p50{1};
  Duration p99{1};

  bool operator==(const LogNormalLatency&) const = default;
};
using Latency = std::variant<FixedLatency, UniformLatency, LogNormalLatency>;

// At most kMaxSpan.
Duration sample(const Latency& latency, std::uint64_t word);

// At random, `mean_gap` apart on average (a Poisson process); 0: never.
struct Rate {
  std::chrono::nanoseconds mean_gap{0};

  bool operator==(const Rate&) const = default;
};
struct Every {
  Duration gap{1};  // the first at 0

  bool operator==(const Every&) const = default;
};
struct AtTimes {
  std::vector<Duration> times;  // sorted

  bool operator==(const AtTimes&) const = default;
};
using Timing = std::variant<Rate, Every, AtTimes>;

// From the time of one event of a Poisson process to the next.
std::chrono::nanoseconds sample_gap(const Rate& rate, std::uint64_t word);

// When things happen before `end`: sorted, at most `most` of them.
std::vector<Duration> moments(const Timing& timing, Duration end, std::uint64_t most, const Draws& draws);

// The binary logarithm of `x` >= 1 with kFractionBits bits behind the point, cut off; and its inverse for
// x * 2^exponent, which is cut off at 2^62.
inline constexpr int kFractionBits = 24;
std::int64_t binary_logarithm(std::uint64_t x);
std::uint64_t scaled(std::uint64_t x, std::int64_t exponent);
// The standard normal distribution's quantile of the word's place among all words, kFractionBits bits behind
// the point.
std::int64_t normal_quantile(std::uint64_t word);

}  // namespace ganglion::scenario
