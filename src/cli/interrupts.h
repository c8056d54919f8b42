#pragma once

// SIGINT and SIGTERM as something to wait for. The first one is noted, the second one leaves at once with
// 130: what is durable stays so.

#include "base/time.h"

namespace ganglion::cli {

// What a signal was. SIGHUP ends a command as it ends any program, unless it is asked for.
enum class Hangups { end_the_process, wake };
enum class Wake { interrupt, hangup };

// One per process; installs the handlers while it lives.
class Interrupts {
 public:
  explicit Interrupts(Hangups hangups = Hangups::end_the_process);
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

  bool arrived() const;
  // Readable from the first signal on: for a poll.
  int descriptor() const;
  // An interrupt, or a hangup since the last call; several of those are one.
  Wake wait() const;
  // Whether one has arrived before so much time has passed.
  bool wait_for(Duration duration) const;

 private:
  Hangups hangups_;
};

}  // namespace ganglion::cli
