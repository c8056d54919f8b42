#pragma once

// Performs agents of kinds `process` and `http` inside an engine, as a model says: in place of programs and
// servers that a simulated machine doesn't have.

#include <map>
#include <memory>

#include "agents/executor.h"
#include "ports/clock.h"
#include "sim/actors/agent_model.h"

namespace ganglion::sim {

class ModelExecutor final : public agents::Executor {
 public:
  // Both outlive this.
  ModelExecutor(Clock& clock, AgentModel& model) : clock_(clock), model_(model) {}

  void start(const Task& task, const AgentDefinition& agent, Timestamp deadline, Completion done) override;
  void cancel(const AttemptToken& token) override;

 private:
  struct Running {
    AgentCall call;
    Completion done;
    TimerId timer;
  };
  void finish(const AttemptToken& token, agents::Outcome outcome);

  Clock& clock_;
  AgentModel& model_;
  std::map<AttemptToken, Running> running_;
};

}  // namespace ganglion::sim
