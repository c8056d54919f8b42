#pragma once

// An agent of a simulation at work. Answers are a function of what was asked before, the call, the luck and
// the draws; nothing else.
//
// Luck is apart from the script so that whoever simulates may decide it: `draw_luck` says what the rates make
// of the draws, and any of its flags may be switched off again. That is how a failure is shrunk to the few
// unlucky events that it takes.

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/payload.h"
#include "base/result.h"
#include "base/time.h"
#include "sim/scenario/agent_model.h"
#include "sim/scenario/draws.h"
#include "sim/scenario/outcome.h"
#include "sim/scenario/recorded.h"

namespace ganglion::scenario {

// Of the failure that a mistake of the scenario is reported as.
inline constexpr std::string_view kMistakeCode = "scenario_mistake";
inline constexpr std::size_t kShownInput = 200;  // bytes of it in such a message

struct Luck {
  bool error = false;
  bool hang = false;
  bool garbage = false;
  bool slow = false;
  bool duplicate = false;
  bool crash = false;

  bool operator==(const Luck&) const = default;
};

Luck draw_luck(const AgentModel& model, const Draws& draws);

struct Call {
  Place place;
  Payload input;
  std::uint32_t attempt = 1;
  std::string idempotency_key;
  Duration at{0};  // virtual time
};

struct Answer {
  Duration after{0};
  // Garbage is a success whose output the agent's schema refuses (where it has none: something odd).
  Outcome outcome;
  bool duplicate = false;  // it is reported twice
  bool crash = false;      // at `after` the worker dies, and the outcome with it
  // The call leaves its effect when `after` has passed, also where nobody hears of it. Agents of effect
  // `pure` leave none.
  std::optional<std::string> effect_key;
  // The scenario itself is wrong: an expression that failed, no entry that holds, nothing recorded. The
  // outcome is a failure that says so too.
  std::optional<std::string> mistake;
};

class AgentScript {
 public:
  // `model` outlives it.
  explicit AgentScript(const AgentModel& model) : model_(model) {}

  // Of several unlucky flags the first counts of crash, hang, error, garbage; `slow` goes with any. An
  // unlucky error or hang comes before the script: the state stays as it is. A crash comes after it.
  Answer answer(const Call& call, const Luck& luck, const Draws& draws);

  const AgentModel& model() const { return model_; }

 private:
  struct Instance {
    Payload state;
    std::uint64_t calls = 0;
  };

  void script(const Call& call, const Draws& draws, Answer& answer);
  void replay(const Call& call, Answer& answer);
  Result<void> take_effect(const Call& call, const Draws& draws, Answer& answer) const;
  Result<Instance*> instance_of(const Call& call, const Draws& draws);

  const AgentModel& model_;
  std::map<std::string, Instance, std::less<>> instances_;
  std::map<std::string, std::uint64_t, std::less<>> replayed_;  // answers given, by the recording's key
};

}  // namespace ganglion::scenario
