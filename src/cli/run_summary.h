#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ganglion::cli {

// A run as the API gives it, for people: what it is, its steps as a table, what came out. `columns` as for
// tables.
std::string run_summary(std::string_view run_json, std::size_t columns);

// Between two times as the API writes them; empty unless there are both.
std::string took(const std::string& from, const std::string& to);

}  // namespace ganglion::cli
