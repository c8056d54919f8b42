#include "agents/task_json.h"

#include <utility>

namespace ganglion::agents {

JsonObject task_members(const Task& task) {
  JsonObject json;
  json.add("token", task.token.text());
  json.add("run_id", task.token.run.text());
  json.add("step", task.step);
  if (task.mapped) {
    json.add("item", std::int64_t{task.token.item.value()});
  } else {
    json.add_raw("item", "null");
  }
  json.add("attempt", std::int64_t{task.token.attempt.value()});
  json.add("iteration", std::int64_t{task.iteration});
  json.add("agent", task.agent);
  json.add_raw("input", task.input.bytes());
  json.add("idempotency_key", task.idempotency_key());
  if (task.traceparent.empty()) {
    json.add_raw("traceparent", "null");
  } else {
    json.add("traceparent", task.traceparent);
  }
  if (task.session_id) {
    json.add("session_id", *task.session_id);
  } else {
    json.add_raw("session_id", "null");
  }
  if (task.state_version) {
    json.add("state_version", static_cast<std::int64_t>(*task.state_version));
  } else {
    json.add_raw("state_version", "null");
  }
  return json;
}

std::string task_json(const Task& task, Timestamp deadline) {
  return task_members(task).add("deadline", format_rfc3339(deadline)).finish();
}

}  // namespace ganglion::agents
