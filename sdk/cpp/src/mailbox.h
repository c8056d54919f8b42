#pragma once

// What the threads of agents tell the worker's loop. Shared with the threads, since one that hangs may
// outlive the worker. A byte in a pipe wakes the loop.

#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ganglion {

// The result of an attempt, encoded, with what the loop must know of it.
struct EncodedResult {
  std::string body;
  bool ok = false;
};

struct Notice {
  std::string token;
  std::optional<EncodedResult> result;  // none: there is progress to send
};

class Mailbox {
 public:
  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  void put(Notice notice);
  std::vector<Notice> take();
  void wake() noexcept;  // from any thread or signal handler
  int descriptor() const { return read_end_; }

 private:
  int read_end_;
  int write_end_;
  std::mutex mutex_;
  std::vector<Notice> notices_;
};

}  // namespace ganglion
