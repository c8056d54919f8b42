#pragma once

// How an agent behaves in a simulation: a state machine that answers, and how often it has bad luck. Data
// only; agent_script.h makes it answer.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/payload.h"
#include "core/expr/program.h"
#include "core/expr/template.h"
#include "core/schema/schema.h"
#include "sim/scenario/draws.h"
#include "sim/scenario/latency.h"
#include "sim/scenario/recorded.h"

namespace ganglion::scenario {

inline constexpr std::size_t kMaxScript = 1'000;         // entries of one script
inline constexpr std::size_t kMaxInstances = 1'000'000;  // states of one agent, one for each key
inline constexpr std::uint32_t kMaxSlowFactor = 1'000'000;
inline constexpr std::int64_t kMaxUsedTokens = 1'000'000'000'000;
inline constexpr std::int64_t kNanoUsd = 1'000'000'000;  // of one USD: money is counted in integers
inline constexpr std::int64_t kMaxNanoUsd = 1'000'000 * kNanoUsd;

// What an answer is said to have used; every whole number of the range alike.
struct UsageModel {
  struct Range {
    std::int64_t min = 0;
    std::int64_t max = 0;

    bool operator==(const Range&) const = default;
  };
  std::optional<Range> tokens;
  std::optional<Range> nano_usd;
};

struct ErrorModel {
  Chance rate;
  std::string code = "upstream";
  std::string message = "an error of the simulation";
  bool retryable = true;
};

struct SlowModel {
  Chance rate;
  std::uint32_t factor = 10;  // of the latency; 1 … kMaxSlowFactor
};

// What is left in the world by a call that came to its end, whether or not anybody heard of it. An
// `idempotent` agent leaves one effect for each effect key, an `irreversible` one an effect for each call.
enum class Effect { pure, idempotent, irreversible };

// --- the script
// Expressions see `input`, `state`, `attempt` and `iteration` (from 1), `calls` (earlier calls of this
// instance), `at_ms` (virtual time) and `random.NAME` (a number in [0, 1) for each name).

struct ReplyOutput {
  struct Event {
    std::string topic;
    expr::Template data;
  };
  struct Write {
    std::string key;
    expr::Template value;  // null removes the key
  };
  expr::Template output = {};
  std::vector<Event> publish = {};  // with the result
  std::vector<Write> session = {};  // of the session's state, with the result
};
struct ReplyError {
  std::string code = "failed";
  expr::Template message = {};
  bool retryable = true;
};
// No answer, ever.
struct ReplyHang {};
// An output that the agent's schema refuses.
struct ReplyGarbage {};

struct Reply {
  std::optional<expr::Program> when;  // without it: always
  std::variant<ReplyOutput, ReplyError, ReplyHang, ReplyGarbage> outcome;
  std::optional<Latency> latency;     // else the agent's
  std::optional<expr::Template> set;  // the new state
};

struct AgentModel {
  std::string name;
  Latency latency = UniformLatency{Duration(10), Duration(50)};
  UsageModel usage = {};
  ErrorModel errors = {};
  Chance hang = {};
  Chance garbage = {};
  SlowModel slow = {};
  Chance duplicate = {};
  Chance crash = {};
  Effect effect = Effect::pure;
  std::optional<expr::Template> effect_key = {};  // sees `input`; without it: the task's idempotency key
  std::optional<expr::Template> key = {};         // sees `input`; without it there is one instance
  Payload state = {};                             // of an instance, initially
  std::vector<Reply> script = {};                 // empty: `{}`, where there is no recording
  std::shared_ptr<const Recording> recorded = {};
  std::optional<schema::Schema> output_schema = {};  // of the project
};

}  // namespace ganglion::scenario
