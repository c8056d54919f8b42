#pragma once

// The last eight bytes of every page of the database file: a hash of the rest and of the page's place, so
// that a page that isn't what was written, or that belongs elsewhere, is found when it is read. SQLite leaves
// the bytes to whoever asks for them (the header's count of reserved bytes), and other programs that know
// SQLite read the file as ever.
//
// Every step of the hash is reversible, so a change within one aligned word of eight bytes always shows; any
// other does but for one in 2^64. It is no defence against an attacker.

#include <cstddef>
#include <cstdint>
#include <span>

namespace ganglion::sqlite {

inline constexpr int kPageCheckBytes = 8;

using Page = std::span<const char>;

// How the store reads and writes its file is in whole pages; everything else there concerns the header.
bool is_page(std::size_t bytes, std::uint64_t offset);

// Never 0. `offset` is the page's in the file.
std::uint64_t page_check(Page page, std::uint64_t offset);

enum class PageState {
  intact,
  damaged,
  // Its check is 0: a program that doesn't know of checks has written it, such as the sqlite3 shell when it
  // moved the log of a killed process into the file.
  unchecked,
};
PageState state_of(Page page, std::uint64_t offset);

void set_page_check(std::span<char> page, std::uint64_t check);

}  // namespace ganglion::sqlite
