#pragma once

// Text from elsewhere (step names, error messages, what workers print) on its way to a terminal: nothing in
// it may move the cursor, change colours or reverse the reading order, and its width in columns must be known
// before it is laid out.

#include <cstddef>
#include <string>
#include <string_view>

namespace ganglion::cli {

// On one line and without a control character: `\n`, `\t`, `\x1b`, `\u{202e}` for those that were, `\xff` for
// bytes that aren't UTF-8. Everything else as it was.
std::string printable(std::string_view text);

// Columns that printable UTF-8 takes: 2 for East Asian wide characters and emoji, 0 for combining marks.
std::size_t columns_of(std::string_view text);

// At most `columns` wide; what was cut ends in `…`.
std::string fit(std::string_view text, std::size_t columns);

// Blanks to `columns`, after the text or before it. Longer text stays.
std::string padded(std::string_view text, std::size_t columns);
std::string padded_left(std::string_view text, std::size_t columns);

}  // namespace ganglion::cli
