#pragma once

// A task as agents see it: in the answer of a poll, and as the body that an http agent is sent.

#include <string>

#include "base/json_text.h"
#include "base/time.h"
#include "ports/tasks.h"

namespace ganglion::agents {

// {token, run_id, step, item, attempt, iteration, agent, input, idempotency_key, traceparent, session_id,
// state_version, deadline}; `item` is null for a step that is not mapped, `traceparent`, `session_id` and
// `state_version` are null if there is none.
std::string task_json(const Task& task, Timestamp deadline);
// The same without `deadline`, which nobody knows before a task is handed out.
JsonObject task_members(const Task& task);

}  // namespace ganglion::agents
