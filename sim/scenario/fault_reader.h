#pragma once

// `faults:` of a scenario.

#include "sim/scenario/reading.h"

namespace ganglion::sim {

Faults read_faults(const Field& field, const Reading& reading);

}  // namespace ganglion::sim
