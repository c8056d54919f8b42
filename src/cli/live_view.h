#pragma once

// A block of lines at the bottom of a terminal that is drawn again in place. Pure: says which bytes to write.

#include <cstddef>
#include <string>
#include <vector>

#include "cli/styled_line.h"

namespace ganglion::cli {

class LiveView {
 public:
  explicit LiveView(Colour colour) : colour_(colour) {}

  // Replaces the block by `lines`, cut to `columns`, the terminal's width now; `above` is left standing
  // before it and scrolls away. One write, marked as one frame where the terminal knows synchronised updates,
  // and nothing is erased that is not overwritten at once: so it doesn't flicker. A terminal that has become
  // narrower has wrapped the old block, which is counted in.
  std::string frame(const std::vector<StyledLine>& lines, std::size_t columns,
                    const std::vector<StyledLine>& above = {});

 private:
  Colour colour_;
  std::vector<std::size_t> drawn_;  // the width of each line of the block that stands on the terminal
};

}  // namespace ganglion::cli
