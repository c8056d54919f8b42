#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ganglion::cli {

// Agents as the API gives them, for people: a line each, or everything about one. `columns` as for tables.
std::string agents_table(const std::vector<std::string_view>& agents, std::size_t columns);
std::string agent_details(std::string_view agent, std::size_t columns);

}  // namespace ganglion::cli
