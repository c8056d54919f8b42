#pragma once

// A worker: offers agents, asks the server for tasks, calls a function for each, returns what it returned.
//
//   ganglion::Worker worker({.concurrency = 8});
//   worker.agent("greet", [](ganglion::Task& task) -> boost::json::value {
//     return {{"text", "Hello " + std::string(task.input().at("name").as_string())}};
//   });
//   worker.run_until_signal();
//
// An agent's function runs in a thread of the worker, at most `concurrency` at a time. It returns the output,
// or throws: `Fail` (failed for good), `Retry` or any other `std::exception` (may be tried again, code
// `exception`).
//
// The worker sends heartbeats by itself while a function runs, and learns from the answers that a task is
// cancelled
// (`Task::cancelled`). While the server is away it keeps its results and takes no new tasks. A result is sent
// until the server has said what became of it; its token makes that harmless.

#include <boost/json/value.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ganglion/connection.h"
#include "ganglion/task.h"

namespace ganglion {

using AgentFunction = std::function<boost::json::value(Task&)>;

struct WorkerOptions {
  Connection connection = {};
  int concurrency = 8;                      // 1 … 1,000; of all agents that do not set their own
  std::chrono::milliseconds grace{10'000};  // that tasks have to end when the worker stops; then handed back
  std::string name = {};                    // by default GANGLION_WORKER, else the host's name
  std::function<void(std::string_view)> log = {};  // one line without its end; by default to stderr
};

class Worker {
 public:
  explicit Worker(WorkerOptions options = {});
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // `concurrency` > 0: a bound of this agent alone. `std::invalid_argument` for a name used twice, a
  // concurrency out of bounds, and more than 64 agents without a concurrency of their own. Not while the
  // worker runs.
  void agent(std::string name, AgentFunction function, int concurrency = 0);

  // Works until `stop()`, then ends gracefully. `Problem` if the server refuses this worker (401, 403). Once
  // only.
  void run();
  // `run`, but SIGTERM and SIGINT stop it. At most one worker of a process at a time.
  void run_until_signal();
  // From any thread or signal handler. Takes no more tasks; the second call hands back at once what is in
  // work.
  void stop() noexcept;

  const std::string& id() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace ganglion
