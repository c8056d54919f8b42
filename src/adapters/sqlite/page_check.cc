#include "adapters/sqlite/page_check.h"

#include <array>
#include <bit>
#include <cstring>

namespace ganglion::sqlite {
namespace {

constexpr std::size_t kSmallestPage = 512;
// Odd, so that multiplying can be undone; with bits at irregular places.
constexpr std::uint64_t kFactor = 0xd6e8'feb8'6659'fd93;
constexpr std::uint64_t kStart = 0xa076'1d64'78bd'642f;
// Independent of each other, so that the processor works on all of them at once.
constexpr std::size_t kLanes = 4;
constexpr std::size_t kWord = sizeof(std::uint64_t);

// In the file, words are little-endian.
std::uint64_t word_at(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, kWord);
  if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
  return word;
}

std::uint64_t mix(std::uint64_t lane, std::uint64_t word) {
  return std::rotl((lane ^ word) * kFactor, 29);
}

std::uint64_t stored_check(Page page) {
  return word_at(page.data() + page.size() - kWord);
}

}  // namespace

bool is_page(std::size_t bytes, std::uint64_t offset) {
  return bytes >= kSmallestPage && std::has_single_bit(bytes) && offset % bytes == 0;
}

std::uint64_t page_check(Page page, std::uint64_t offset) {
  std::array<std::uint64_t, kLanes> lanes{};
  for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] = mix(kStart + lane, offset);
  const std::size_t words = page.size() / kWord - 1;
  const char* at = page.data();
  std::size_t word = 0;
  for (; word + kLanes <= words; word += kLanes, at += kLanes * kWord)
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] = mix(lanes[lane], word_at(at + lane * kWord));
  for (std::size_t lane = 0; word + lane < words; ++lane)
    lanes[lane] = mix(lanes[lane], word_at(at + lane * kWord));
  std::uint64_t check = page.size();
  for (const std::uint64_t lane : lanes) {
    check = mix(check, lane);
    check ^= check >> 32;
  }
  return check == 0 ? 1 : check;
}

PageState state_of(Page page, std::uint64_t offset) {
  const std::uint64_t stored = stored_check(page);
  if (stored == 0) return PageState::unchecked;
  return stored == page_check(page, offset) ? PageState::intact : PageState::damaged;
}

void set_page_check(std::span<char> page, std::uint64_t check) {
  if constexpr (std::endian::native == std::endian::big) check = std::byteswap(check);
  std::memcpy(page.data() + page.size() - kWord, &check, kWord);
}

}  // namespace ganglion::sqlite
