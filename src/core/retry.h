#pragma once

#include "base/time.h"
#include "core/ids.h"
#include "core/workflow.h"

namespace ganglion {

// The pause between a failed attempt and the next. `failures` counts from 1. Never shorter than the policy's
// minimum, at most `jitter` of itself longer. The jitter comes from the token, so that deciding twice decides
// the same.
Duration retry_pause(const RetryPolicy& policy, std::uint32_t failures, const AttemptToken& token);

}  // namespace ganglion
