#include "sim/actors/model_executor.h"

#include <boost/json.hpp>
#include <utility>

namespace ganglion::sim {
namespace {

namespace json = boost::json;

// What a program or a server has said, read as the engine reads it; what can't be read is a failure.
agents::Outcome outcome_of(const std::string& members) {
  boost::system::error_code broken;
  const json::value said = json::parse("{" + members + "}", broken);
  if (broken) return TaskFailure{"invalid_output", "the output is not JSON", true, {}};
  const json::object& result = said.as_object();
  std::optional<Payload> usage;
  if (const json::value* used = result.if_contains("usage")) usage = Payload(json::serialize(*used));
  if (const json::value* output = result.if_contains("output")) {
    return TaskSuccess{Payload(json::serialize(*output)), usage};
  }
  const json::value* error = result.if_contains("error");
  if (error == nullptr || !error->is_object()) {
    return TaskFailure{"invalid_output", "there is no output", true, usage};
  }
  const json::value* retryable = error->as_object().if_contains("retryable");
  return TaskFailure{std::string(error->at("code").as_string()),
                     std::string(error->at("message").as_string()),
                     retryable == nullptr || retryable->as_bool(), usage};
}

Duration rounded_up(SimTime time) {
  return std::chrono::ceil<Duration>(time);
}

}  // namespace

void ModelExecutor::start(const Task& task, const AgentDefinition&, Timestamp, Completion done) {
  AgentCall call{.agent = task.agent,
                 .token = task.token.text(),
                 .run = task.token.run.text(),
                 .workflow = task.workflow,
                 .step = task.step,
                 .attempt = task.token.attempt.value(),
                 .iteration = task.iteration,
                 .idempotency_key = task.idempotency_key(),
                 .input = std::string(task.input.bytes()),
                 .worker = "engine"};
  if (task.mapped) call.item = task.token.item.value();
  AgentReply reply = model_.reply(call);
  Running& running = running_[task.token];
  running = {std::move(call), std::move(done), {}};
  if (reply.silent) return;
  running.timer =
      clock_.at(clock_.now() + rounded_up(reply.after), [this, token = task.token, reply = std::move(reply)] {
        model_.done(running_.at(token).call);
        if (reply.dies) return finish(token, TaskFailure{"process_died", "it was killed", true, {}});
        finish(token, outcome_of(reply.result));
      });
}

void ModelExecutor::cancel(const AttemptToken& token) {
  const auto found = running_.find(token);
  if (found == running_.end()) return;
  clock_.cancel(found->second.timer);
  clock_.post([this, token] { finish(token, TaskFailure{"cancelled", "it was called off", false, {}}); });
}

void ModelExecutor::finish(const AttemptToken& token, agents::Outcome outcome) {
  auto found = running_.extract(token);
  if (!found.empty()) found.mapped().done(std::move(outcome));
}

}  // namespace ganglion::sim
