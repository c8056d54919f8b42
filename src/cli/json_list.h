#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ganglion::cli {

// The elements of a list that is known to be valid JSON, each with its bytes as they came. Empty for what is
// no list.
std::vector<std::string_view> elements_of(std::string_view json);

// Values as one list with a line each, and a line end.
std::string list_text(const std::vector<std::string_view>& elements);

}  // namespace ganglion::cli
