#pragma once

#include <string>

#include "base/time.h"

namespace ganglion::cli {

// In at most six columns: `85ms`, `4.2s`, `3m04s`, `2h07m`, `3d04h`. Negative spans (clocks that disagree)
// read `0ms`.
std::string elapsed_text(Duration elapsed);

// On the time line of a run: `+0.085s`, `+184.200s`.
std::string offset_text(Duration offset);

}  // namespace ganglion::cli
