#pragma once

// A running program on the loop: its input written, its output read as it comes, its end noticed and reaped.
// The process executor and the supervisor of workers both stand on it; each child waits for its own pidfd, so
// nobody competes for SIGCHLD and children of anybody else are left alone.
//
// When the program has ended, what it left behind in its process group is killed, and its output is read to
// the end, or for kDrain if some descendant has moved out of the group and keeps the pipes open.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agents/process/spawn.h"
#include "base/result.h"
#include "base/time.h"
#include "ports/clock.h"

namespace boost::asio {
class io_context;
}

namespace ganglion::agents {

struct ExitStatus {
  int code = 0;    // if it ended by itself
  int signal = 0;  // that killed it; else 0

  bool ok() const { return code == 0 && signal == 0; }
  std::string text() const;  // "exit code 3", "killed by signal 9 (Killed)"
};

class ChildProcess {
 public:
  static constexpr Duration kDrain{1'000};

  struct Callbacks {
    // Pieces of its output as they come. These must not destroy the child.
    std::move_only_function<void(std::string_view)> output;
    std::move_only_function<void(std::string_view)> error;
    // Once, when it is reaped and everything is read. May destroy the child.
    std::move_only_function<void(ExitStatus)> ended;
  };

  // Ignores SIGPIPE in this process, because a program may close its input at any time. Errors as of `spawn`.
  static Result<std::unique_ptr<ChildProcess>> start(boost::asio::io_context& loop, Clock& clock,
                                                     const Program& program, std::string input,
                                                     Callbacks callbacks);

  // Kills the group and reaps the program if it still runs; no callback is called any more.
  virtual ~ChildProcess() = default;

  virtual int pid() const = 0;
  // SIGTERM to its process group now, SIGKILL after `grace`. Again: does nothing.
  virtual void terminate(Duration grace) = 0;
  // SIGKILL to its process group.
  virtual void kill() = 0;
};

}  // namespace ganglion::agents
