#pragma once

// Agents of kind `process`: one process per attempt, started without a shell in the project's directory. It
// reads the task's input (one JSON value) from standard input and writes its output (one JSON value) to
// standard output.
//
// The environment is the engine's own without GANGLION_TOKEN, plus the agent's `env`, plus
// GANGLION_TASK_TOKEN, GANGLION_RUN_ID, GANGLION_STEP, GANGLION_ITEM (of a mapped step), GANGLION_ATTEMPT,
// GANGLION_AGENT, GANGLION_IDEMPOTENCY_KEY, GANGLION_DEADLINE, GANGLION_SESSION_ID and TRACEPARENT (if there
// is one).
//
// Failures: `crashed` (an exit code other than 0, or a signal; retryable), `invalid_output` (retryable),
// `output_too_large`, `agent_unavailable` (it can't be started). The end of standard error goes into the
// message.

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agents/executor.h"
#include "agents/process/child_process.h"
#include "ports/clock.h"

namespace ganglion::agents {

struct ProcessExecutorOptions {
  std::string directory;       // the project's
  Duration kill_grace{5'000};  // between SIGTERM and SIGKILL
};

class ProcessExecutor final : public Executor {
 public:
  ProcessExecutor(boost::asio::io_context& loop, Clock& clock, ProcessExecutorOptions options);
  // Kills what still runs.
  ~ProcessExecutor() override;

  void start(const Task& task, const AgentDefinition& agent, Timestamp deadline, Completion done) override;
  void cancel(const AttemptToken& token) override;

 private:
  struct Execution;

  void ended(const AttemptToken& token, ExitStatus status);

  boost::asio::io_context& loop_;
  Clock& clock_;
  ProcessExecutorOptions options_;
  std::map<AttemptToken, std::unique_ptr<Execution>> running_;
};

}  // namespace ganglion::agents
