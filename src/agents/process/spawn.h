#pragma once

// Starts a program without a shell: fork, and exec in a process group of its own, with no descriptor of ours
// but three pipes, default signal handling, and the promise that it dies with the thread that started it
// (which is why only the loop's thread, the one that ends last, may call this).

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace ganglion::agents {

// Owns a file descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~Descriptor() { reset(); }

  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  void reset(int number = -1);

 private:
  int number_ = -1;
};

struct Program {
  std::vector<std::string> command;      // looked up in PATH unless it has a slash
  std::string directory;                 // to start in; empty: ours
  std::vector<std::string> environment;  // NAME=value, complete
};

// A started program. Whoever holds it reaps it.
struct Spawned {
  pid_t pid = -1;    // also its process group
  Descriptor exit;   // a pidfd: readable when the program has ended
  Descriptor input;  // our ends of its standard streams
  Descriptor output;
  Descriptor error;
};

// Error `agent_unavailable`: there is no such program or directory, or it can't be executed. Error `crashed`:
// the system is out of processes or descriptors just now.
Result<Spawned> spawn(const Program& program);

}  // namespace ganglion::agents
