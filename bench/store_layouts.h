#pragma once

#include <string>

namespace ganglion::bench {

// Prints rows per second for each journal layout, number of open runs and batch; writes below `folder`.
void compare_layouts(const std::string& folder);

}  // namespace ganglion::bench
