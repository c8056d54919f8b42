#include "agents/process/process_executor.h"

#include <optional>
#include <utility>

#include "agents/agent_output.h"
#include "agents/process/environment.h"
#include "core/workflow.h"

namespace ganglion::agents {
namespace {

Environment environment_of(const Task& task, const ProcessAgent& agent, Timestamp deadline) {
  Environment environment = Environment::inherited();
  environment.remove("GANGLION_TOKEN");  // the API's key is not for agents
  environment.set(agent.env);
  environment.set("GANGLION_TASK_TOKEN", task.token.text());
  environment.set("GANGLION_RUN_ID", task.token.run.text());
  environment.set("GANGLION_STEP", task.step);
  environment.set("GANGLION_ATTEMPT", std::to_string(task.token.attempt.value()));
  environment.set("GANGLION_ITERATION", std::to_string(task.iteration));
  environment.set("GANGLION_AGENT", task.agent);
  environment.set("GANGLION_IDEMPOTENCY_KEY", task.idempotency_key());
  environment.set("GANGLION_DEADLINE", format_rfc3339(deadline));
  if (task.mapped) environment.set("GANGLION_ITEM", std::to_string(task.token.item.value()));
  if (task.session_id) environment.set("GANGLION_SESSION_ID", *task.session_id);
  if (!task.traceparent.empty()) environment.set("TRACEPARENT", task.traceparent);
  return environment;
}

std::string with_tail(std::string reason, const Tail& error) {
  const std::string said = error.text();
  return said.empty() ? reason : reason + ": " + said;
}

}  // namespace

struct ProcessExecutor::Execution {
  std::unique_ptr<ChildProcess> child;
  std::string output;
  bool too_large = false;
  Tail error{kMaxErrorTail};
  Completion done;

  void receive(std::string_view bytes) {
    if (too_large) return;
    if (output.size() + bytes.size() <= kMaxPayload) {
      output += bytes;
      return;
    }
    too_large = true;
    output = {};
    child->kill();
  }

  Outcome outcome(ExitStatus status) const {
    if (too_large) {
      return TaskFailure{"output_too_large",
                         "the process wrote more than " + std::to_string(kMaxPayload) + " bytes of output",
                         false};
    }
    if (!status.ok()) return TaskFailure{"crashed", with_tail(status.text(), error), true};
    Result<Payload> value = read_output(output);
    if (!value) return TaskFailure{value.error().code, with_tail(value.error().message, error), true};
    return TaskSuccess{*std::move(value), std::nullopt};
  }
};

ProcessExecutor::ProcessExecutor(boost::asio::io_context& loop, Clock& clock, ProcessExecutorOptions options)
    : loop_(loop), clock_(clock), options_(std::move(options)) {}

ProcessExecutor::~ProcessExecutor() = default;

void ProcessExecutor::start(const Task& task, const AgentDefinition& agent, Timestamp deadline,
                            Completion done) {
  const auto& process = std::get<ProcessAgent>(agent.backend);
  auto execution = std::make_unique<Execution>();
  Execution& started = *execution;
  const AttemptToken token = task.token;
  auto child = ChildProcess::start(
      loop_, clock_, {process.command, options_.directory, environment_of(task, process, deadline).list()},
      std::string(task.input.bytes()),
      {.output = [&started](std::string_view bytes) { started.receive(bytes); },
       .error = [&started](std::string_view bytes) { started.error.append(bytes); },
       .ended = [this, token](ExitStatus status) { ended(token, status); }});
  if (!child) {
    // A program that isn't there now won't be there for the next attempt; a system out of processes may
    // recover.
    const bool retryable = child.error().code != "agent_unavailable";
    clock_.post([done = std::move(done),
                 failure = TaskFailure{child.error().code, child.error().message, retryable}]() mutable {
      done(std::move(failure));
    });
    return;
  }
  started.child = *std::move(child);
  started.done = std::move(done);
  running_.emplace(token, std::move(execution));
}

void ProcessExecutor::cancel(const AttemptToken& token) {
  const auto at = running_.find(token);
  if (at != running_.end()) at->second->child->terminate(options_.kill_grace);
}

void ProcessExecutor::ended(const AttemptToken& token, ExitStatus status) {
  // The child, whose callback this is, lives until the end of it.
  const auto node = running_.extract(token);
  Execution& execution = *node.mapped();
  execution.done(execution.outcome(status));
}

}  // namespace ganglion::agents
