#pragma once

// A bounded pool of threads for agents. When it is closed, threads that are idle are joined; one whose agent
// hangs is left behind, so that it can't keep a stopped worker alive.

#include <functional>
#include <memory>

namespace ganglion {

class AgentThreads {
 public:
  explicit AgentThreads(std::size_t size);
  ~AgentThreads();
  AgentThreads(const AgentThreads&) = delete;
  AgentThreads& operator=(const AgentThreads&) = delete;

  // `job` must not throw. More jobs than threads wait.
  void submit(std::function<void()> job);

 private:
  struct Shared;
  std::size_t size_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace ganglion
