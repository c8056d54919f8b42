#pragma once

// "did you mean …?": the known name nearest to a misspelt one.

#include <span>
#include <string>
#include <string_view>

namespace ganglion::project {

// "; did you mean \"nearest\"?", or nothing where no name is near: at most a third of the letters may differ,
// counting insertions, deletions, replacements and swaps of neighbours.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);

}  // namespace ganglion::project
