// What comes from outside for tasks that wait: a person's answer, signals, events.

#include <algorithm>
#include <utility>

#include "base/json_text.h"
#include "core/decider.h"
#include "core/topic.h"

namespace ganglion {
namespace {

Payload signal_payload(const SignalReceived& signal, Timestamp now) {
  return event_payload(
      {.id = signal.id, .source = "signal", .topic = signal.name, .time = now, .data = signal.data});
}

Payload decision_payload(const Answer& answer) {
  JsonObject object;
  object.add("decision", answer.approved ? "approve" : "reject");
  object.add("by", answer.by).add("comment", answer.comment);
  return Payload(object.finish());
}

}  // namespace

TaskReport Decider::report_of(Place place, std::string worker) const {
  const TaskRecord& task = *run_.find_task(place.step, place.item);
  return {.token = {run_.id(), place.step, place.item, task.attempt},
          .outcome = {},
          .worker = std::move(worker),
          .started_at = task.scheduled_at};
}

// --- people
// -------------------------------------------------------------------------------------------------------

void Decider::on(const Answer& answer) {
  const AttemptToken& token = answer.token;
  const bool exists = token.step.value() < run_.steps().size();
  const TaskRecord* task = exists ? run_.find_task(token.step, token.item) : nullptr;
  const bool current = task != nullptr && task->attempt == token.attempt && !run_.ended() &&
                       std::holds_alternative<StepRunning>(run_.step(token.step).state);
  const auto* awaiting = current ? std::get_if<TaskAwaiting>(&task->state) : nullptr;
  const auto* person = awaiting ? std::get_if<ForPerson>(&awaiting->wait()) : nullptr;
  if (person == nullptr) return refuse("it has been decided, or nobody waits for it any more");
  if (answer.digest != person->digest) {
    return refuse("digest_mismatch",
                  "the decision is about something else than what is shown now; look again");
  }
  if (!person->by.empty() && std::ranges::find(person->by, answer.by) == person->by.end()) {
    std::string names;
    for (const std::string& name : person->by) names += (names.empty() ? "" : ", ") + name;
    return refuse("not_permitted", "this is for " + names + " to decide");
  }
  TaskReport report = report_of({token.step, token.item}, answer.by);
  TaskSuccess success{person->agent.empty() || !answer.output ? decision_payload(answer) : *answer.output};
  if (answer.approved) {
    if (const auto broken = broken_promise(report, success)) return refuse("invalid", broken->message);
  }
  emit(ApprovalDecided{token.step, token.item, token.attempt, answer.approved, answer.by, answer.comment,
                       answer.digest});
  if (answer.approved) {
    accept(report, success);
  } else {
    std::string why = answer.comment.empty() ? "rejected" : answer.comment;
    if (!answer.by.empty()) why += " (" + answer.by + ")";
    fail_attempt(report, TaskFailure{"rejected", std::move(why), false, {}});
  }
  advance();
}

// --- signals and events
// -------------------------------------------------------------------------------------------

// A candidate in which `where` can't find what it looks at is not the one that is waited for.
bool Decider::wants(Place place, const std::string& name, const Payload& event) {
  const auto* wait = std::get_if<WaitFor>(&run_.definition(place.step).action);
  if (wait == nullptr) return false;
  const bool named = wait->event == name || (is_topic(name) && topic_matches(wait->event, name));
  if (!named) return false;
  if (!wait->where) return true;
  enter(place);
  scope_.set_event(expr::Value::json(event));
  const auto matched = wait->where->evaluate(scope_);
  scope_.leave();
  return matched && matched->is(expr::Kind::boolean) && matched->as_boolean();
}

void Decider::deliver(Place place, const std::string& id, std::optional<std::uint64_t> seq,
                      const Payload& event) {
  const TaskReport report = report_of(place, "");
  emit(EventDelivered{place.step, place.item, report.token.attempt, id, seq});
  accept(report, TaskSuccess{event});
}

void Decider::on(const Signal& input) {
  // Whoever repeats it has not heard that it counted, perhaps as the run's last.
  if (run_.has_seen_signal(input.id)) return;
  if (run_.ended()) {
    return refuse("the run has ended as " + std::string(run_.status()) + " and takes no signals");
  }
  if (run_.signals().size() >= kMaxSignals) {
    return refuse("too_many_signals",
                  "the run has " + std::to_string(kMaxSignals) + " signals that nothing has waited for yet");
  }
  const SignalReceived signal{input.id, input.name, input.data};
  emit(signal);
  const Payload event = signal_payload(signal, now_);
  const auto waiting = run_.waiting_for_events();
  for (const auto& [step, item] : waiting) {
    if (!wants({step, item}, input.name, event)) continue;
    deliver({step, item}, input.id, std::nullopt, event);
    break;
  }
  advance();
}

void Decider::deliver_kept_signal(Place place) {
  for (const SignalReceived& kept : std::vector(run_.signals())) {
    const Payload event = signal_payload(kept, now_);
    if (wants(place, kept.name, event)) return deliver(place, kept.id, std::nullopt, event);
  }
}

void Decider::on(const Deliver& input) {
  const Payload event = event_payload(input.event);
  // Whatever begins to wait because of this event gets those that follow it, also where the log has gone on.
  since_ = input.event.seq;
  const auto waiting = run_.waiting_for_events();
  for (const auto& [step, item] : waiting) {
    if (run_.ended()) break;
    // The same event may have ended this wait's step through another item.
    if (!run_.waiting_for_events().contains({step, item})) continue;
    const TaskRecord& task = *run_.find_task(step, item);
    const auto& wait = std::get<ForEvent>(std::get<TaskAwaiting>(task.state).wait());
    if (wait.since >= input.event.seq || !wants({step, item}, input.event.topic, event)) continue;
    deliver({step, item}, input.event.id, input.event.seq, event);
  }
  advance();
}

}  // namespace ganglion
