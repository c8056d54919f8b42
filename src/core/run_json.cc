#include "core/run_json.h"

#include "base/json_text.h"
#include "base/overloaded.h"

namespace ganglion {
namespace {

std::string error_json(const Error& error) {
  return JsonObject().add("code", error.code).add("message", error.message).finish();
}

void add_time(JsonObject& object, std::string_view name, const std::optional<Timestamp>& time) {
  if (time) {
    object.add(name, format_rfc3339(*time));
  } else {
    object.add_raw(name, "null");
  }
}

// `output` and `error`, null where there is none.
struct Outcome {
  std::string_view output = "null";
  std::string error = "null";
};

Outcome outcome_of(const StepState& state) {
  return std::visit(
      Overloaded{[](const StepDone& done) -> Outcome {
                   return {done.output.payload().bytes(),
                           done.error.is_present() ? error_json(*done.error) : "null"};
                 },
                 [](const StepBroken& broken) -> Outcome { return {"null", error_json(*broken.error)}; },
                 [](const StepPending&) -> Outcome { return {}; },
                 [](const StepRunning&) -> Outcome { return {}; },
                 [](const StepNotTaken&) -> Outcome { return {}; },
                 [](const StepCalledOff&) -> Outcome { return {}; }},
      state);
}

Outcome outcome_of(const Run& run) {
  return std::visit(Overloaded{[](const RunDone& done) -> Outcome { return {done.output.bytes(), "null"}; },
                               [&](const RunBroken& broken) -> Outcome {
                                 JsonObject error;
                                 error.add("code", broken.error->code).add("message", broken.error->message);
                                 if (broken.step) error.add("step", run.definition(*broken.step).name);
                                 return {"null", error.finish()};
                               },
                               [](const RunCalledOff& cancelled) -> Outcome {
                                 return {"null", error_json({"cancelled", cancelled.reason})};
                               },
                               [](const RunActive&) -> Outcome { return {}; },
                               [](const RunOnHold&) -> Outcome { return {}; }},
                    run.state());
}

std::string needs_json(const Run& run, StepIndex index) {
  std::string list = "[";
  for (const StepIndex need : run.definition(index).needs) {
    if (list.size() > 1) list += ',';
    append_json_string(list, run.definition(need).name);
  }
  return list + "]";
}

std::string names_json(const std::vector<std::string>& names) {
  std::string list = "[";
  for (const std::string& name : names) {
    if (list.size() > 1) list += ',';
    append_json_string(list, name);
  }
  return list + "]";
}

void add_text(JsonObject& object, std::string_view name, const std::string& text) {
  if (text.empty()) {
    object.add_raw(name, "null");
  } else {
    object.add(name, text);
  }
}

std::string waiting_json(const AttemptToken& token, const Wait& wait) {
  JsonObject object;
  std::visit(
      Overloaded{[&](const UntilTime& timer) {
                   object.add("kind", "timer").add("until", format_rfc3339(timer.until));
                 },
                 [&](const ForPerson& person) {
                   object.add("kind", "approval").add("id", token.path_text());
                   object.add_raw("by", names_json(person.by));
                 },
                 [&](const ForEvent& event) { object.add("kind", "event").add("event", event.pattern); }},
      wait);
  return object.finish();
}

// Who performs or performed a step that is not mapped: an agent; of a sub-run also the run.
void add_performer(JsonObject& object, const Run& run, StepIndex index) {
  const StepRecord& step = run.step(index);
  const StepDefinition& definition = run.definition(index);
  const TaskRecord* task = definition.for_each ? nullptr : run.find_task(index, ItemIndex(0));
  const auto* call = std::get_if<AgentCall>(&definition.action);
  std::string agent = step.details->agent;
  if (agent.empty() && call && step.started_at) agent = call->agent;
  add_text(object, "agent", agent);
  add_text(object, "run_id", step.details->sub_run ? step.details->sub_run->text() : "");
  const auto* awaiting = task ? std::get_if<TaskAwaiting>(&task->state) : nullptr;
  const bool waits = awaiting && std::holds_alternative<StepRunning>(step.state);
  const AttemptToken token{run.id(), index, ItemIndex(0), task ? task->attempt : Attempt(0)};
  object.add_raw("waiting_for", waits ? waiting_json(token, awaiting->wait()) : "null");
  if (definition.until) {
    object.add("iteration", std::int64_t{step.iterations});
  } else {
    object.add_raw("iteration", "null");
  }
}

std::string step_json(const Run& run, StepIndex index) {
  const StepRecord& step = run.step(index);
  const Outcome outcome = outcome_of(step.state);
  JsonObject object;
  object.add("status", run.step_status(index)).add("attempts", std::int64_t{step.attempts});
  object.add_raw("output", outcome.output).add_raw("error", outcome.error);
  add_time(object, "started_at", step.started_at);
  add_time(object, "ended_at", step.ended_at);
  object.add_raw("needs", needs_json(run, index)).add_raw("usage", usage_json(step.details->usage));
  add_performer(object, run, index);
  const auto* running = std::get_if<StepRunning>(&step.state);
  if (running != nullptr && run.definition(index).for_each) {
    JsonObject items;
    items.add("total", static_cast<std::int64_t>(step.tasks.size()));
    items.add("done", static_cast<std::int64_t>(running->ended - running->given_up));
    items.add("failed", static_cast<std::int64_t>(running->given_up));
    object.add_raw("items", items.finish());
  }
  return object.finish();
}

// Where the run comes from, and what it may use.
void add_origin(JsonObject& object, const Run& run) {
  const RunCreated& created = run.created();
  if (created.origin->parent) {
    JsonObject parent;
    parent.add("run_id", created.origin->parent->run.text()).add("step", created.origin->parent_step);
    if (created.origin->parent_mapped) {
      parent.add("item", std::int64_t{created.origin->parent->item.value()});
    } else {
      parent.add_raw("item", "null");
    }
    object.add_raw("parent", parent.finish());
  } else {
    object.add_raw("parent", "null");
  }
  if (created.origin->cause) {
    JsonObject cause;
    cause.add("event", static_cast<std::int64_t>(created.origin->cause->seq));
    object.add_raw("cause", cause.finish());
  } else {
    object.add_raw("cause", "null");
  }
  if (const auto& forked = run.forked()) {
    JsonObject origin;
    origin.add("run_id", forked->from.text()).add("seq", static_cast<std::int64_t>(forked->seq));
    origin.add("step", forked->step);
    object.add_raw("forked_from", origin.finish());
  } else {
    object.add_raw("forked_from", "null");
  }
  JsonObject budget;
  if (run.budget() && run.budget()->tokens) budget.add_number("tokens", *run.budget()->tokens);
  if (run.budget() && run.budget()->usd) budget.add_number("usd", *run.budget()->usd);
  object.add_raw("budget", run.budget() ? budget.finish() : "null");
}

}  // namespace

std::string run_json(const Run& run) {
  const RunCreated& created = run.created();
  const Outcome outcome = outcome_of(run);
  JsonObject object;
  object.add("id", run.id().text()).add("workflow", created.workflow).add("definition", run.project().digest);
  object.add("status", run.status());
  object.add_raw("input", run.input().payload().bytes())
      .add_raw("output", outcome.output)
      .add_raw("error", outcome.error);
  if (created.session_id) {
    object.add("session_id", *created.session_id);
  } else {
    object.add_raw("session_id", "null");
  }
  JsonObject labels;
  for (const auto& [name, value] : created.labels) labels.add(name, value);
  object.add_raw("labels", labels.finish()).add("priority", std::int64_t{created.priority});
  object.add("version", static_cast<std::int64_t>(run.version()));
  add_time(object, "created_at", run.created_at());
  add_time(object, "ended_at", run.ended_at());
  object.add_raw("usage", usage_json(run.usage()));
  add_origin(object, run);
  JsonObject steps;
  for (std::size_t i = 0; i < run.steps().size(); ++i) {
    const StepIndex index(static_cast<std::uint32_t>(i));
    steps.add_raw(run.definition(index).name, step_json(run, index));
  }
  object.add_raw("steps", steps.finish());
  return object.finish();
}

std::string entry_json(const JournalEntry& entry) {
  JsonObject object;
  object.add("seq", static_cast<std::int64_t>(entry.seq))
      .add("at", format_rfc3339(entry.at))
      .add("type", entry.type);
  if (entry.step) object.add("step", *entry.step);
  if (entry.item) object.add("item", std::int64_t{*entry.item});
  if (entry.attempt) object.add("attempt", std::int64_t{*entry.attempt});
  object.add_raw("data", entry.data);
  return object.finish();
}

}  // namespace ganglion
