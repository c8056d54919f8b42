#pragma once

// Cuts a text into pieces at places that its content names, so that two texts with a long part in common have
// most pieces in common wherever that part lies. The content names a place where a rolling hash of the 64
// bytes before it ends in zeros (gear hash); as in FastCDC (Xia et al., USENIX ATC 2016) the hash must end in
// more zeros before the wanted size and in fewer after it, which keeps sizes near it.
//
// Where the cuts are is no part of the file's format: another cutter would only share less with what is
// there.

#include <cstddef>
#include <string_view>

namespace ganglion::sqlite {

inline constexpr std::size_t kMinPiece = 512;
inline constexpr std::size_t kWantedPiece = 2048;
inline constexpr std::size_t kMaxPiece = 16'384;

// The length of the first piece of `text`: between kMinPiece and kMaxPiece, or all of a text that is shorter.
std::size_t first_piece(std::string_view text);

}  // namespace ganglion::sqlite
