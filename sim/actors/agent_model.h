#pragma once

// How agents behave in a world: one question, one reply, decided when the task is taken. Models are
// deterministic: what they draw comes from the world's fate.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/kernel/sim_time.h"

namespace ganglion::sim {

struct AgentCall {
  std::string agent;
  std::string token;
  std::string run;
  std::string workflow = {};  // where the caller knows it
  std::string step;
  std::optional<std::uint32_t> item = {};
  std::uint32_t attempt = 1;
  std::uint32_t iteration = 1;
  std::string idempotency_key;
  std::string input;   // JSON
  std::string worker;  // who does it
  SimTime deadline{};  // of the attempt
};

struct AgentReply {
  SimTime after{};
  bool silent = false;  // never says anything
  bool twice = false;   // says it a second time, a while later
  bool dies = false;    // the worker's process dies instead of saying it, when the work is done
  // The members of the result beside its token: `"output":{…},"usage":{…}` or `"error":{…}`.
  std::string result = {};
};

class AgentModel {
 public:
  virtual ~AgentModel() = default;

  virtual AgentReply reply(const AgentCall& call) = 0;
  // The engine's word on what was reported.
  virtual void told(const AgentCall& call, std::string_view verdict) {
    static_cast<void>(call);
    static_cast<void>(verdict);
  }
  // The work is done, whether or not the engine hears of it: its side effect has happened.
  virtual void done(const AgentCall& call) { static_cast<void>(call); }
};

}  // namespace ganglion::sim
