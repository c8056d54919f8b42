#pragma once

// What comes of one attempt: what is reported, or that nothing ever is.

#include <variant>

#include "core/task.h"

namespace ganglion::scenario {

struct Hung {};
using Outcome = std::variant<TaskSuccess, TaskFailure, Hung>;

}  // namespace ganglion::scenario
