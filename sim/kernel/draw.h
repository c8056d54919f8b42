#pragma once

// Random numbers that are the same on every machine: counted, not remembered. A Draw is a short stream made
// from a key; the key of a decision is made from the world's seed, the place where it is taken and how often
// it was taken there. So a decision that is left out changes no other.
//
// The mixing function is the finaliser of SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom
// Number Generators", OOPSLA 2014).

#include <cstdint>
#include <functional>
#include <string_view>

#include "sim/kernel/sim_time.h"

namespace ganglion::sim {

constexpr std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return mix(mix(a) ^ b);
}

constexpr std::uint64_t mix_text(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return mix(hash);
}

class Draw {
 public:
  explicit constexpr Draw(std::uint64_t key) : key_(key) {}

  constexpr std::uint64_t word() { return mix(key_, ++count_); }
  // 0 … bound-1; `bound` is at least 1.
  constexpr std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(word()) * bound) >> 64);
  }
  // With both ends. Any two numbers: what is added may wrap around on the way.
  constexpr std::int64_t between(std::int64_t least, std::int64_t most) {
    const auto first = static_cast<std::uint64_t>(least);
    const std::uint64_t count = static_cast<std::uint64_t>(most) - first + 1;
    return static_cast<std::int64_t>(first + (count == 0 ? word() : below(count)));
  }
  SimTime between(SimTime least, SimTime most) { return SimTime(between(least.count(), most.count())); }
  // [0, 1), a multiple of 2^-53: exact everywhere.
  constexpr double unit() { return static_cast<double>(word() >> 11) * 0x1.0p-53; }
  constexpr bool chance(double probability) { return unit() < probability; }

 private:
  std::uint64_t key_;
  std::uint64_t count_ = 0;
};

// How long something takes, drawn.
using DrawTime = std::function<SimTime(Draw& draw)>;

}  // namespace ganglion::sim
