#pragma once

// Where a worker's sign of life goes that came to a process which doesn't have the attempt: with several
// processes behind one address, its connections may lead to any of them.

#include <functional>

#include "agents/poll.h"
#include "base/result.h"

namespace ganglion::agents {

class HeartbeatRelay {
 public:
  using Completion = std::move_only_function<void(Result<HeartbeatReply>)>;

  virtual ~HeartbeatRelay() = default;

  // Answered by whoever has the attempt; not `known` where nobody has it, error `unavailable` where somebody
  // who may have it doesn't answer.
  virtual void pass_on(Heartbeat heartbeat, Completion done) = 0;
};

}  // namespace ganglion::agents
