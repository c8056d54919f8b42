#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ganglion::cli {

// Tasks and events that failed for good, a line each.
std::string dead_letters_table(const std::vector<std::string_view>& dead_letters, std::size_t columns);

}  // namespace ganglion::cli
