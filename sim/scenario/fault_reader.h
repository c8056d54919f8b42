#pragma once

// `faults:` of a scenario.

#include "sim/scenario/reading.h"

namespace ganglion::scenario {

Faults read_faults(const Field& field, const Reading& reading);

}  // namespace ganglion::scenario
