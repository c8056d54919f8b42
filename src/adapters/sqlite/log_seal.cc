#include "adapters/sqlite/log_seal.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <vector>

namespace ganglion::sqlite {
namespace {

constexpr std::uint64_t kSealMagic = 0x314c'4145'5347'4e47;  // "GNGSEAL1"
constexpr std::uint32_t kLogMagic = 0x377f'0682;  // the lowest bit says which end of words comes first
constexpr std::uint32_t kLargestPage = 65'536;

template <typename T>
T number_at(const char* bytes, bool big_endian) {
  T number = 0;
  std::memcpy(&number, bytes, sizeof(number));
  if ((std::endian::native == std::endian::big) != big_endian) number = std::byteswap(number);
  return number;
}
std::uint32_t field(const char* bytes) {
  return number_at<std::uint32_t>(bytes, true);
}
LogSalts salts_at(const char* bytes) {
  return number_at<std::uint64_t>(bytes, true);
}

// The log's running checksum.
struct Sums {
  std::uint32_t one = 0, two = 0;

  void add(std::span<const char> bytes, bool big_endian) {
    for (std::size_t at = 0; at + 8 <= bytes.size(); at += 8) {
      one += number_at<std::uint32_t>(bytes.data() + at, big_endian) + two;
      two += number_at<std::uint32_t>(bytes.data() + at + 4, big_endian) + one;
    }
  }
};

std::uint64_t check_of(const LogSeal& seal) {
  std::uint64_t check = kSealMagic;
  for (const std::uint64_t word : {seal.salts, seal.frames})
    check = std::rotl((check ^ word) * 0xd6e8'feb8'6659'fd93, 29);
  return check;
}

}  // namespace

std::optional<LogSeal> LogSeal::parse(std::span<const char, kSealBytes> bytes) {
  const auto word = [&](std::size_t index) {
    return number_at<std::uint64_t>(bytes.data() + index * 8, false);
  };
  const LogSeal seal{.salts = word(1), .frames = word(2)};
  // Twice, since a single word could be torn.
  const std::uint64_t check = check_of(seal);
  if (word(0) != kSealMagic || word(3) != check || word(4) != ~check) return std::nullopt;
  return seal;
}

std::array<char, kSealBytes> LogSeal::bytes() const {
  std::array<char, kSealBytes> bytes{};
  const std::uint64_t check = check_of(*this);
  const std::array<std::uint64_t, kSealBytes / 8> words = {kSealMagic, salts, frames, check, ~check};
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::uint64_t word = words[i];
    if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
    std::memcpy(bytes.data() + i * 8, &word, 8);
  }
  return bytes;
}

std::optional<LogHeader> LogHeader::parse(std::span<const char, kLogHeaderBytes> bytes) {
  const std::uint32_t magic = field(bytes.data());
  const bool big_endian = (magic & 1) != 0;
  Sums sums;
  sums.add(bytes.first(24), big_endian);
  const std::uint32_t page_size = field(bytes.data() + 8);
  const bool adds_up = (magic & ~1U) == kLogMagic && sums.one == field(bytes.data() + 24) &&
                       sums.two == field(bytes.data() + 28);
  if (!adds_up || !std::has_single_bit(page_size) || page_size > kLargestPage) return std::nullopt;
  return LogHeader{.salts = salts_at(bytes.data() + 16),
                   .page_size = page_size,
                   .big_endian = big_endian,
                   .sum1 = sums.one,
                   .sum2 = sums.two};
}

bool LogHeader::is_frame_header(std::size_t bytes, std::uint64_t offset) const {
  return bytes == kFrameHeaderBytes && offset >= kLogHeaderBytes &&
         (offset - kLogHeaderBytes) % frame_bytes() == 0;
}

bool LogHeader::is_frame_page(std::size_t bytes, std::uint64_t offset) const {
  return bytes == page_size && offset >= kLogHeaderBytes + kFrameHeaderBytes &&
         (offset - kLogHeaderBytes - kFrameHeaderBytes) % frame_bytes() == 0;
}

bool ends_commit(std::span<const char, kFrameHeaderBytes> frame_header) {
  return field(frame_header.data() + 4) != 0;
}

bool keeps(const ReadLog& log, const LogSeal& seal) {
  std::array<char, kLogHeaderBytes> start{};
  if (!log(start, 0)) return false;
  const std::optional<LogHeader> header = LogHeader::parse(start);
  if (!header) return false;
  if (header->salts != seal.salts) return true;
  Sums sums{header->sum1, header->sum2};
  std::vector<char> frame(header->frame_bytes());
  std::uint64_t offset = kLogHeaderBytes;
  for (std::uint64_t number = 0; number < seal.frames; ++number, offset += frame.size()) {
    if (!log(frame, offset)) return false;
    const std::span<const char> bytes = frame;
    sums.add(bytes.first(8), header->big_endian);
    sums.add(bytes.subspan(kFrameHeaderBytes), header->big_endian);
    const bool adds_up = salts_at(frame.data() + 8) == seal.salts && field(frame.data() + 16) == sums.one &&
                         field(frame.data() + 20) == sums.two;
    if (!adds_up) return false;
  }
  return true;
}

}  // namespace ganglion::sqlite
