#include "adapters/sqlite/piece_cutter.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace ganglion::sqlite {
namespace {

// 2^11 is the wanted size. The highest bits, since those depend on the most bytes.
constexpr std::uint64_t kBeforeWanted = ~std::uint64_t{0} << (64 - 13);
constexpr std::uint64_t kAfterWanted = ~std::uint64_t{0} << (64 - 9);

// A random number for every byte (splitmix64 from 1).
constexpr std::array<std::uint64_t, 256> kGear = [] {
  std::array<std::uint64_t, 256> gear{};
  std::uint64_t state = 1;
  for (std::uint64_t& value : gear) {
    state += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBU;
    value = mixed ^ (mixed >> 31);
  }
  return gear;
}();

}  // namespace

std::size_t first_piece(std::string_view text) {
  const std::size_t end = std::min(text.size(), kMaxPiece);
  const std::size_t wanted = std::min(end, kWantedPiece);
  std::uint64_t hash = 0;
  std::size_t at = std::min(end, kMinPiece);
  const auto cut_before = [&](std::size_t bound, std::uint64_t mask) {
    for (; at < bound; ++at) {
      hash = (hash << 1) + kGear[static_cast<unsigned char>(text[at])];
      if ((hash & mask) == 0) return true;
    }
    return false;
  };
  if (cut_before(wanted, kBeforeWanted) || cut_before(end, kAfterWanted)) return at + 1;
  return end;
}

}  // namespace ganglion::sqlite
