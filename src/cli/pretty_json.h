#pragma once

#include <string>
#include <string_view>

namespace ganglion::cli {

// The same JSON over several lines, two blanks a level; every value keeps its bytes. `json` is valid. Control
// characters of the upper half, which JSON lets through, are escaped: the text is for a terminal.
std::string pretty_json(std::string_view json);

}  // namespace ganglion::cli
