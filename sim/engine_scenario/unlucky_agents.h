#pragma once

// Agents that do everything which agents do to an engine: they are slow, silent, wrong, talk nonsense, say
// things twice, die, publish and write what they may and may not.

#include "sim/actors/agent_model.h"
#include "sim/world/world.h"

namespace ganglion::sim {

struct AgentFaults {
  double error = 0;
  double silent = 0;
  double slow = 0;
  double garbage = 0;
  double oversize = 0;
  double twice = 0;
  double dies = 0;
  double not_permitted = 0;
};

class UnluckyAgents final : public AgentModel {
 public:
  UnluckyAgents(World& world, AgentFaults faults) : world_(world), faults_(faults) {}

  AgentReply reply(const AgentCall& call) override;
  // From now on every agent answers well and soon.
  void calm() { faults_ = {}; }

 private:
  bool happens(const std::string& agent, const char* what, double probability);
  std::string output(const AgentCall& call, Draw& draw);

  World& world_;
  AgentFaults faults_;
};

}  // namespace ganglion::sim
