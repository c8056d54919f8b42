#include "cli/table.h"

#include <algorithm>

#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

std::string line_of(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                    std::size_t columns) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string cell = printable(cells[i]);
    line += i + 1 < cells.size() ? padded(cell, widths[i]) + "  " : cell;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return (columns == 0 ? line : fit(line, columns)) + "\n";
}

}  // namespace

std::string render(const Table& table, std::size_t columns) {
  std::vector<std::size_t> widths(table.header.size());
  const auto widen = [&](const std::vector<std::string>& cells) {
    for (std::size_t i = 0; i < cells.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(printable(cells[i])));
  };
  widen(table.header);
  std::ranges::for_each(table.rows, widen);
  std::string out = line_of(table.header, widths, columns);
  for (const auto& row : table.rows) out += line_of(row, widths, columns);
  return out;
}

}  // namespace ganglion::cli
