#pragma once

// Rows in aligned columns, for people.

#include <cstddef>
#include <string>
#include <vector>

namespace ganglion::cli {

struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // as many cells as the header; made printable here
};

// One line per row, two blanks between columns, each line cut to `columns` (0: never).
std::string render(const Table& table, std::size_t columns);

}  // namespace ganglion::cli
