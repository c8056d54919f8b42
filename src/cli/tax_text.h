#pragma once

// The coordination tax of a run, or of several on average: how long it took beside the agents' own work, and
// where that went. Read from GET /v1/runs/RUN/tax.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/run_tree.h"
#include "cli/styled_line.h"

namespace ganglion::cli {

struct TaxLayout {
  std::size_t columns = 80;
  Symbols symbols = Symbols::unicode;
};

// The table with its bars, without a head: what took how long, and what was said.
std::vector<StyledLine> tax_lines(std::string_view tax, const TaxLayout& layout);
// The steps that decided how long it took, in order.
std::string critical_path_table(std::string_view tax, std::size_t columns);

// The arithmetic mean of every number of the given ones, in the same form and without a critical path;
// `tax_ratio` is of the means. At least one.
std::string average_tax(const std::vector<std::string_view>& taxes);

}  // namespace ganglion::cli
