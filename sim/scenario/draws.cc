#include "sim/scenario/draws.h"

namespace ganglion::scenario {
namespace {

__extension__ using Wide = unsigned __int128;

// The finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014): a
// permutation of the words in which every bit depends on every other.
std::uint64_t mix(std::uint64_t word) {
  word += 0x9E3779B97F4A7C15;
  word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9;
  word = (word ^ (word >> 27)) * 0x94D049BB133111EB;
  return word ^ (word >> 31);
}

// FNV-1a
std::uint64_t hash(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

}  // namespace

std::uint64_t Draws::word(std::string_view name) const {
  return mix(mix(seed_) ^ hash(name));
}

Draws Draws::at(std::string_view name, std::uint64_t index) const {
  return Draws(mix(word(name) ^ mix(index)));
}

std::uint64_t Draws::mixed() const {
  return mix(seed_);
}

double unit_of(std::uint64_t word) {
  return static_cast<double>(word >> 11) * 0x1p-53;
}

std::int64_t between(std::int64_t least, std::int64_t most, std::uint64_t word) {
  const std::uint64_t count = static_cast<std::uint64_t>(most) - static_cast<std::uint64_t>(least) + 1;
  const auto offset = static_cast<std::uint64_t>(Wide{word} * count >> 64);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(least) + offset);
}

}  // namespace ganglion::scenario
