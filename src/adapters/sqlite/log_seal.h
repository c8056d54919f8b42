#pragma once

// How much of the write-ahead log is known to be on the disk, in a file of its own beside it.
//
// SQLite takes a log up to its first frame that doesn't add up: what comes after is what a crash has left of
// commits that were never acknowledged. A bit that flips in the midst of the log looks the same, and every
// acknowledged commit behind it would be gone without a word. So after each sync of the log the store writes
// down how far it reached, and a log that ends before that is damaged.
//
// The seal is not synced itself, so that it costs no more than a write: it is written after what it vouches
// for, so an old one that a power loss brings back vouches for less, never for too much. Only before a log
// begins anew is it taken back, and that is synced, since what it vouched for is overwritten then.
//
// The formats of the log are those of https://www.sqlite.org/fileformat2.html#walformat.

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace ganglion::sqlite {

inline constexpr std::size_t kLogHeaderBytes = 32;
inline constexpr std::size_t kFrameHeaderBytes = 24;
inline constexpr std::size_t kSealBytes = 40;

// Two random numbers by which a log's frames are told from those of the one before it.
using LogSalts = std::uint64_t;

struct LogSeal {
  LogSalts salts = 0;
  std::uint64_t frames = 0;  // from the log's beginning

  // What a file holds; nothing where that is no whole seal.
  static std::optional<LogSeal> parse(std::span<const char, kSealBytes> bytes);
  std::array<char, kSealBytes> bytes() const;
};

struct LogHeader {
  LogSalts salts = 0;
  std::uint32_t page_size = 0;
  bool big_endian = false;  // how the words that are summed up are read
  std::uint32_t sum1 = 0, sum2 = 0;

  // Nothing where the header doesn't add up.
  static std::optional<LogHeader> parse(std::span<const char, kLogHeaderBytes> bytes);

  std::size_t frame_bytes() const { return kFrameHeaderBytes + page_size; }
  // The frame whose header or page lies at `offset`, from 1.
  std::uint64_t frame_at(std::uint64_t offset) const {
    return (offset - kLogHeaderBytes) / frame_bytes() + 1;
  }
  bool is_frame_header(std::size_t bytes, std::uint64_t offset) const;
  bool is_frame_page(std::size_t bytes, std::uint64_t offset) const;
};

// Whether the frame is a commit's last, from its header.
bool ends_commit(std::span<const char, kFrameHeaderBytes> frame_header);

// Reads from the log; false where it ends or fails.
using ReadLog = std::function<bool(std::span<char> to, std::uint64_t offset)>;

// Whether the log holds everything that the seal vouches for. A log with other salts is another one.
bool keeps(const ReadLog& log, const LogSeal& seal);

}  // namespace ganglion::sqlite
