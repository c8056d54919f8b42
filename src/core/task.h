#pragma once

// What an agent reports about one attempt of a task, and what becomes of the report.

#include <optional>
#include <string>
#include <variant>

#include "base/payload.h"
#include "base/time.h"
#include "core/ids.h"

namespace ganglion {

struct TaskSuccess {
  Payload output;
  std::optional<Payload> usage;  // an object of numbers: {"input_tokens": …, "output_tokens": …, "usd": …}
};
struct TaskFailure {
  std::string
      code;  // snake_case; the engine's own: timeout, worker_lost, crashed, invalid_output, agent_unavailable
  std::string message;
  bool retryable = true;
};

struct TaskReport {
  AttemptToken token;
  std::variant<TaskSuccess, TaskFailure> outcome;
  std::string worker;    // who did it; may be empty
  Timestamp started_at;  // when it was handed out
};

// What became of a report, known only once it is durable.
enum class Verdict {
  accepted,
  stale_attempt,  // the token names no current attempt: late, duplicate, or the run has ended
  unknown,        // no such run or task
  invalid,        // the output breaks the agent's schema: counted as a failed attempt
};

}  // namespace ganglion
