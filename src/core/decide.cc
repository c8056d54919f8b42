#include "core/decide.h"

#include <utility>

#include "base/assert.h"
#include "base/json_text.h"
#include "base/overloaded.h"
#include "core/decider.h"

namespace ganglion {

Result<Payload> bounded(Result<Payload> value) {
  if (value && value->size() > kMaxPayload) {
    return fail("too_large", "a value of " + std::to_string(value->size()) + " bytes; at most " +
                                 std::to_string(kMaxPayload) + " travel inline");
  }
  return value;
}

const AgentDefinition* Decider::find_agent(const std::string& name) const {
  const auto found = run_.project().agents.find(name);
  return found == run_.project().agents.end() ? nullptr : &found->second;
}

// --- inputs
// -------------------------------------------------------------------------------------------------------

void Decider::on(const Start& input) {
  GANGLION_ASSERT(run_.version() == 0);
  emit(input.created);
  advance();
}

void Decider::on(const Fork& input) {
  GANGLION_ASSERT(run_.version() == input.forked.seq);
  emit(input.forked);
  // A signal that is shared, and not that it was used.
  const auto waiting = run_.waiting_for_events();
  for (const auto& [step, item] : waiting) {
    if (run_.waiting_for_events().contains({step, item})) deliver_kept_signal({step, item});
  }
  go_on_from_interruption();
}

void Decider::on(const TaskReport& report) {
  if (const auto refusal = refusal_of(report)) {
    decision_.verdict = *refusal;
    return;
  }
  std::visit(Overloaded{[&](const TaskSuccess& success) { succeed(report, success); },
                        [&](const TaskFailure& failure) { fail_attempt(report, failure); }},
             report.outcome);
  advance();
}

void Decider::on(const Wake&) {
  while (active()) {
    const auto due = run_.take_wakeup(now_);
    if (!due) break;
    wake(*due);
  }
  advance();
}

void Decider::on(const Cancel& input) {
  if (std::holds_alternative<RunCalledOff>(run_.state())) return;
  if (run_.ended())
    return refuse("the run has ended as " + std::string(run_.status()) + " and can't be cancelled");
  withdraw(run_.open_attempts());
  emit(RunCancelled{input.reason});
}

void Decider::on(const Pause& input) {
  if (std::holds_alternative<RunOnHold>(run_.state())) return;
  if (run_.ended())
    return refuse("the run has ended as " + std::string(run_.status()) + " and can't be paused");
  emit(RunPaused{.by_parent = input.by_parent});
}

void Decider::on(const Resume& input) {
  if (active()) return;
  if (run_.ended())
    return refuse("the run has ended as " + std::string(run_.status()) + "; retry goes on from a failure");
  const auto& hold = std::get<RunOnHold>(run_.state());
  if (input.by_parent && !hold.by_parent) return;
  if (hold.step) decision_.revived = run_.given_up();
  emit(RunResumed{});
  go_on_from_interruption();
}

void Decider::on(const Retry&) {
  if (std::holds_alternative<RunDone>(run_.state()))
    return refuse("the run is completed; there is nothing to retry");
  if (!run_.ended()) return;
  decision_.revived = run_.given_up();
  emit(RunRetried{});
  go_on_from_interruption();
}

// --- going on
// -----------------------------------------------------------------------------------------------------

// Begins what may begin. What the budget has no room for stays where it is, until something has ended.
void Decider::advance() {
  std::uint64_t before = 0;
  do {
    before = run_.version();
    if (run_.budget()) make_up();
    const std::vector<StepIndex> startable = run_.startable();
    for (const StepIndex step : startable) {
      if (!active()) break;
      if (std::holds_alternative<StepPending>(run_.step(step).state)) begin(step);
    }
  } while (active() && run_.version() != before);
  if (active() && run_.all_steps_ended()) finish();
}

// Tries again what the budget had no room for, before anything new begins.
void Decider::make_up() {
  const auto postponed = run_.postponed();
  for (const auto& [step, item] : postponed) {
    if (active() && run_.postponed().contains({step, item})) retry({step, item});
  }
  for (const StepIndex step : run_.interrupted()) {
    if (active()) go_on(step);
  }
}

void Decider::retry(Place place) {
  auto scheduled = schedule(place);
  if (!scheduled) return cannot_schedule(place.step, scheduled.error());
  if (*scheduled == Begun::blocked) run_.postpone(place.step, place.item);
}

void Decider::go_on_from_interruption() {
  for (const StepIndex step : run_.interrupted()) {
    if (!active()) return;
    go_on(step);
  }
  advance();
}

void Decider::go_on(StepIndex step) {
  const auto* running = std::get_if<StepRunning>(&run_.step(step).state);
  if (running == nullptr) return;
  // A fork may share the failure of a task and not what came of it.
  if (running->given_up > 0 && !(is_mapped(step) && continues(step))) {
    return fail_step(step, first_failure(step));
  }
  if (running->ended == run_.step(step).tasks.size()) return item_ended(step);
  if (auto filled = fill(step); !filled) cannot_schedule(step, filled.error());
}

Error Decider::first_failure(StepIndex step) const {
  for (const TaskRecord& task : run_.step(step).tasks) {
    if (const auto* given_up = std::get_if<TaskGivenUp>(&task.state)) return *given_up->error;
  }
  return {"internal", "no task of the step has failed"};
}

void Decider::wake(const Wakeup& due) {
  const auto run_deadline = run_.run_deadline();
  if (due.reason == WakeupReason::run_timeout) {
    if (run_deadline && *run_deadline <= now_) {
      fail_run({"timeout", "the run took longer than its workflow's timeout"}, std::nullopt);
    }
    return;
  }
  const bool running = std::holds_alternative<StepRunning>(run_.step(due.step).state);
  if (!running) return;
  if (due.reason == WakeupReason::step_timeout) {
    const auto deadline = run_.step_deadline(due.step);
    if (deadline && *deadline <= now_) {
      fail_step(due.step, {"timeout", "the step took longer than its timeout"});
    }
    return;
  }
  const TaskRecord* task = run_.find_task(due.step, due.item);
  if (task == nullptr) return;
  if (due.reason == WakeupReason::sleep) {
    const auto* awaiting = std::get_if<TaskAwaiting>(&task->state);
    const auto* sleep = awaiting ? std::get_if<UntilTime>(&awaiting->wait()) : nullptr;
    if (sleep && sleep->until <= now_) succeed(report_of({due.step, due.item}, ""), TaskSuccess{Payload()});
    return;
  }
  const auto* pause = std::get_if<TaskBackingOff>(&task->state);
  if (pause == nullptr || pause->retry_at > now_) return;
  retry({due.step, due.item});
}

void Decider::finish() {
  auto value = bounded(output());
  if (!value) return fail_run(value.error(), std::nullopt);
  emit(RunCompleted{*std::move(value)});
}

Result<Payload> Decider::output() {
  if (run_.workflow().output) return run_.workflow().output->render(scope_);
  JsonObject outputs;
  for (std::size_t i = 0; i < run_.steps().size(); ++i) {
    const StepDefinition& definition = run_.workflow().steps[i];
    const auto* done = std::get_if<StepDone>(&run_.steps()[i].state);
    if (definition.dependents.empty())
      outputs.add_raw(definition.name, done ? done->output.payload().bytes() : "null");
  }
  return Payload(outputs.finish());
}

Decision decide(Run& run, const Input& input, Timestamp now, const Surroundings& around) {
  Decider decider(run, now, around);
  std::visit([&](const auto& what) { decider.on(what); }, input);
  return decider.take();
}

}  // namespace ganglion
