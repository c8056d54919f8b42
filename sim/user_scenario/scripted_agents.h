#pragma once

// The agents of a scenario file at work in a world. Their bad luck is a matter of fate, one event for each
// flag: `shipment:57/hand_off/carrier.slow:1` is the first attempt of that run's step `hand_off`, done by the
// agent `carrier`.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "sim/actors/agent_model.h"
#include "sim/scenario/agent_script.h"
#include "sim/scenario/totals.h"
#include "sim/user_scenario/run_watch.h"
#include "sim/world/world.h"

namespace ganglion::sim {

class ScriptedAgents final : public AgentModel {
 public:
  // All outlive this.
  ScriptedAgents(World& world, const scenario::Scenario& scenario, RunWatch& watch);

  AgentReply reply(const AgentCall& call) override;
  // The call has left its effect.
  void done(const AgentCall& call) override;
  // No more bad luck; what scripts say stays.
  void calm() { calm_ = true; }

 private:
  scenario::Luck luck(const scenario::AgentModel& model, const std::string& name, std::uint32_t attempt);

  World& world_;
  RunWatch& watch_;
  const scenario::Draws draws_;
  std::map<std::string, scenario::AgentScript, std::less<>> scripts_;
  std::map<std::string, std::uint32_t> handed_;  // by token: how often
  // By worker and token, what is left when the work is done.
  std::map<std::pair<std::string, std::string>, std::string> effects_;
  bool calm_ = false;
};

}  // namespace ganglion::sim
