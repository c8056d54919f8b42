#pragma once

// SIGINT and SIGTERM as something to wait for. The first one is noted, the second one leaves at once with
// 130: what is durable stays so.

#include "base/time.h"

namespace ganglion::cli {

// One per process; installs the handlers while it lives.
class Interrupts {
 public:
  Interrupts();
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  bool arrived() const;
  // Readable from the first signal on: for a poll.
  int descriptor() const;
  void wait() const;
  // Whether one has arrived before so much time has passed.
  bool wait_for(Duration duration) const;
};

}  // namespace ganglion::cli
