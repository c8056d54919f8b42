#pragma once

// What an agent reports about one attempt of a task, and what becomes of the report.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/payload.h"
#include "base/time.h"
#include "core/ids.h"
#include "core/state.h"

namespace ganglion {

// An event that comes with a result: published exactly when the result counts. The agent's `publishes` must
// allow its topic.
struct PublishRequest {
  std::string topic;
  std::uint32_t version = 0;  // 0: the topic's latest
  Payload data;
};

struct TaskSuccess {
  Payload output;
  // An object of numbers: {"input_tokens": …, "output_tokens": …, "tokens": …, "usd": …}. Tokens are
  // `tokens`, or where that is absent the sum of the two others.
  std::optional<Payload> usage = {};
  std::vector<PublishRequest> events = {};
  // Of the run's session; the agent's `state.write` must allow the keys. `expires_at` is set by the engine.
  std::vector<StateWrite> state = {};
};
struct TaskFailure {
  // snake_case; the engine's own: timeout, idle_timeout, worker_lost, crashed, invalid_output,
  // output_too_large, agent_unavailable, circuit_open, cache_miss, rejected
  std::string code;
  std::string message;
  bool retryable = true;
  std::optional<Payload> usage = {};
};

struct TaskReport {
  AttemptToken token;
  std::variant<TaskSuccess, TaskFailure> outcome;
  std::string worker;                       // who did it; may be empty
  Timestamp started_at;                     // when it was handed out
  std::optional<Timestamp> queued_at = {};  // when it could have been handed out first
  std::optional<Duration> work = {};        // as the worker measured it
  bool by_engine = false;  // the end of a sub-run or an answer from the cache: nobody else can report these
};

// What became of a report, known only once it is durable.
enum class Verdict {
  accepted,
  stale_attempt,  // the token names no current attempt: late, duplicate, or the run has ended
  unknown,        // no such run or task
  invalid,  // the output breaks the agent's schema, or it writes or publishes what it may not: counted as a
            // failed attempt
};

// As clients read it: `accepted`, `stale_attempt`, `unknown`, `invalid`.
std::string_view verdict_name(Verdict verdict);
std::optional<Verdict> verdict_of(std::string_view name);

}  // namespace ganglion
