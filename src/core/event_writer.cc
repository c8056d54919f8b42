#include <string>
#include <utility>

#include "base/json_text.h"
#include "base/overloaded.h"
#include "core/event_codec.h"
#include "core/event_words.h"

namespace ganglion {
namespace {

// What an event says beside its type: the columns by position, the rest as an object.
struct Parts {
  std::optional<StepIndex> step;
  std::optional<ItemIndex> item;
  std::optional<Attempt> attempt;
  JsonObject data;
};

std::string error_json(const Error& error) {
  return JsonObject().add("code", error.code).add("message", error.message).finish();
}

std::string labels_json(const std::map<std::string, std::string>& labels) {
  JsonObject object;
  for (const auto& [name, value] : labels) object.add(name, value);
  return object.finish();
}

std::string budget_json(const Budget& budget) {
  JsonObject object;
  if (budget.tokens) object.add_number("tokens", *budget.tokens);
  if (budget.usd) object.add_number("usd", *budget.usd);
  return object.finish();
}

std::string names_json(const std::vector<std::string>& names) {
  std::string list = "[";
  for (const std::string& name : names) {
    if (list.size() > 1) list += ',';
    append_json_string(list, name);
  }
  return list + "]";
}

template <typename TaskEvent>
Parts task_parts(const TaskEvent& event) {
  return {.step = event.step, .item = event.item, .attempt = event.attempt, .data = {}};
}

Parts step_parts(StepIndex step) {
  return {.step = step, .item = {}, .attempt = {}, .data = {}};
}

void add_times(JsonObject& data, const std::optional<Timestamp>& queued_at,
               const std::optional<Duration>& work) {
  if (queued_at) data.add("queued_at", format_rfc3339(*queued_at));
  if (work) data.add("work_ms", std::int64_t{work->count()});
}

Parts parts(const RunCreated& event) {
  Parts parts;
  parts.data.add("workflow", event.workflow).add("definition", event.definition);
  parts.data.add_raw("input", event.input.bytes());
  if (event.session_id) parts.data.add("session_id", *event.session_id);
  if (event.priority != 0) parts.data.add("priority", std::int64_t{event.priority});
  if (!event.labels.empty()) parts.data.add_raw("labels", labels_json(event.labels));
  if (!event.traceparent.empty()) parts.data.add("traceparent", event.traceparent);
  const RunOrigin& origin = *event.origin;
  if (origin.parent) parts.data.add("parent", origin.parent->text()).add("parent_step", origin.parent_step);
  if (origin.parent_mapped) parts.data.add("parent_mapped", true);
  if (origin.depth != 0) parts.data.add("depth", std::int64_t{origin.depth});
  if (origin.cause) {
    JsonObject cause;
    cause.add("event", static_cast<std::int64_t>(origin.cause->seq))
        .add("hops", std::int64_t{origin.cause->hops});
    parts.data.add_raw("cause", cause.finish());
  }
  if (origin.budget) parts.data.add_raw("budget", budget_json(*origin.budget));
  return parts;
}

Parts parts(const RunForked& event) {
  Parts parts;
  parts.data.add("from", event.from.text()).add("seq", static_cast<std::int64_t>(event.seq));
  parts.data.add("from_step", event.step);
  if (event.input) parts.data.add_raw("input", event.input->bytes());
  return parts;
}

Parts parts(const StepStarted& event) {
  Parts parts = step_parts(event.step);
  parts.data.add_raw("items", event.items.bytes());
  return parts;
}

Parts parts(const TaskScheduled& event) {
  Parts parts = task_parts(event);
  parts.data.add("agent", event.agent);
  if (event.role != TaskRole::work) parts.data.add("role", kRoles[static_cast<std::size_t>(event.role)]);
  if (event.link != 0) parts.data.add("link", std::int64_t{event.link});
  if (event.iteration != 1) parts.data.add("iteration", std::int64_t{event.iteration});
  if (event.reserved) parts.data.add_raw("reserved", budget_json(*event.reserved));
  if (event.state_version) {
    parts.data.add("state_version", static_cast<std::int64_t>(*event.state_version));
  }
  if (!event.cache_key.empty()) parts.data.add("cache_key", event.cache_key);
  if (!event.router.empty()) parts.data.add("router", event.router);
  if (event.input) parts.data.add_raw("input", event.input->bytes());
  return parts;
}

Parts parts(const TaskWaiting& event) {
  Parts parts = task_parts(event);
  std::visit(Overloaded{[&](const UntilTime& wait) {
                          parts.data.add("for", "timer").add("until", format_rfc3339(wait.until));
                        },
                        [&](const ForPerson& wait) {
                          parts.data.add("for", "person").add_raw("by", names_json(wait.by));
                          if (!wait.agent.empty()) parts.data.add("agent", wait.agent);
                          parts.data.add_raw("show", wait.show.bytes()).add("digest", wait.digest);
                        },
                        [&](const ForEvent& wait) {
                          parts.data.add("for", "event").add("event", wait.pattern);
                          parts.data.add("since", static_cast<std::int64_t>(wait.since));
                        }},
             event.wait);
  if (event.link != 0) parts.data.add("link", std::int64_t{event.link});
  if (event.iteration != 1) parts.data.add("iteration", std::int64_t{event.iteration});
  return parts;
}

Parts parts(const TaskRouted& event) {
  Parts parts = task_parts(event);
  if (event.attempt == Attempt(0)) parts.attempt.reset();
  parts.data.add("router", event.router).add("to", event.to);
  parts.data.add("by", kRoutedBy[static_cast<std::size_t>(event.by)]).add("reason", event.reason);
  if (event.input) parts.data.add_raw("input", event.input->bytes());
  if (event.usage) parts.data.add_raw("usage", event.usage->bytes());
  return parts;
}

Parts parts(const ApprovalDecided& event) {
  Parts parts = task_parts(event);
  parts.data.add("decision", event.approved ? "approve" : "reject").add("by", event.by);
  parts.data.add("comment", event.comment).add("digest", event.digest);
  return parts;
}

Parts parts(const SignalReceived& event) {
  Parts parts;
  parts.data.add("id", event.id).add("name", event.name).add_raw("data", event.data.bytes());
  return parts;
}

Parts parts(const EventDelivered& event) {
  Parts parts = task_parts(event);
  parts.data.add("id", event.id);
  if (event.seq) parts.data.add("event", static_cast<std::int64_t>(*event.seq));
  return parts;
}

Parts parts(const EventPublished& event) {
  Parts parts = step_parts(event.step);
  parts.item = event.item;
  parts.data.add("id", event.id).add("topic", event.topic);
  if (event.version != 0) parts.data.add("version", std::int64_t{event.version});
  parts.data.add_raw("data", event.data.bytes());
  return parts;
}

Parts parts(const StateChanged& event) {
  Parts parts = step_parts(event.step);
  parts.item = event.item;
  parts.data.add("key", event.write.key);
  if (event.write.value) parts.data.add_raw("value", event.write.value->bytes());
  if (event.write.expires_at) parts.data.add("expires_at", format_rfc3339(*event.write.expires_at));
  return parts;
}

Parts parts(const TaskSucceeded& event) {
  Parts parts = task_parts(event);
  parts.data.add_raw("output", event.output.bytes());
  if (event.usage) parts.data.add_raw("usage", event.usage->bytes());
  if (event.again) parts.data.add("again", true);
  parts.data.add("worker", event.worker).add("started_at", format_rfc3339(event.started_at));
  add_times(parts.data, event.queued_at, event.work);
  return parts;
}

Parts parts(const TaskFailed& event) {
  Parts parts = task_parts(event);
  parts.data.add_raw("error", error_json(event.error));
  if (event.retry_at) parts.data.add("retry_at", format_rfc3339(*event.retry_at));
  if (event.fall_back) parts.data.add("fall_back", true);
  if (event.usage) parts.data.add_raw("usage", event.usage->bytes());
  parts.data.add("worker", event.worker).add("started_at", format_rfc3339(event.started_at));
  add_times(parts.data, event.queued_at, event.work);
  return parts;
}

Parts parts(const StepCompleted& event) {
  Parts parts = step_parts(event.step);
  if (event.output) parts.data.add_raw("output", event.output->bytes());
  if (event.error) parts.data.add_raw("error", error_json(*event.error));
  return parts;
}

Parts parts(const StepFailed& event) {
  Parts parts = step_parts(event.step);
  parts.data.add_raw("error", error_json(event.error));
  return parts;
}

Parts parts(const StepSkipped& event) {
  return step_parts(event.step);
}
Parts parts(const RunPaused& event) {
  Parts parts;
  parts.step = event.step;
  if (event.by_parent) parts.data.add("by_parent", true);
  return parts;
}
Parts parts(const RunResumed&) {
  return {};
}
Parts parts(const RunRetried&) {
  return {};
}

Parts parts(const RunCompleted& event) {
  Parts parts;
  parts.data.add_raw("output", event.output.bytes());
  return parts;
}

Parts parts(const RunFailed& event) {
  Parts parts;
  parts.step = event.step;
  parts.data.add_raw("error", error_json(event.error));
  return parts;
}

Parts parts(const RunCancelled& event) {
  Parts parts;
  parts.data.add("reason", event.reason);
  return parts;
}

}  // namespace

std::string_view event_type(const Event& event) {
  return kTypes[event.index()];
}

JournalEntry encode(const Event& event, std::uint64_t seq, Timestamp at, const WorkflowDefinition& workflow) {
  Parts said = std::visit([](const auto& e) { return parts(e); }, event);
  JournalEntry entry{.seq = seq,
                     .at = at,
                     .type = std::string(event_type(event)),
                     .step = {},
                     .item = {},
                     .attempt = {},
                     .data = {}};
  if (said.step) {
    const StepDefinition& step = workflow.steps[said.step->value()];
    entry.step = step.name;
    if (step.for_each && said.item) entry.item = said.item->value();
  }
  if (said.attempt) entry.attempt = said.attempt->value();
  entry.data = said.data.finish();
  return entry;
}

}  // namespace ganglion
