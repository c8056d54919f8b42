#include "core/decide.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/assert.h"
#include "base/json_text.h"
#include "base/overloaded.h"
#include "core/retry.h"
#include "core/run_scope.h"

namespace ganglion {
namespace {

constexpr double kMaxSleepSeconds = 3650.0 * 86400.0;

Result<Payload> bounded(Result<Payload> value) {
  if (value && value->size() > kMaxPayload) {
    return fail("too_large", "a value of " + std::to_string(value->size()) + " bytes; at most " +
                                 std::to_string(kMaxPayload) + " travel inline");
  }
  return value;
}

// What a `sleep` renders to: "30s", or a number of seconds.
Result<Duration> sleep_duration(const expr::Value& value) {
  double seconds = -1;
  switch (value.kind()) {
    case expr::Kind::string:
      return parse_duration(value.as_string());
    case expr::Kind::integer:
      seconds = static_cast<double>(value.as_integer());
      break;
    case expr::Kind::unsigned_integer:
      seconds = static_cast<double>(value.as_unsigned_integer());
      break;
    case expr::Kind::real:
      seconds = value.as_real();
      break;
    case expr::Kind::duration:
      seconds = static_cast<double>(value.as_duration().count()) / 1e9;
      break;
    case expr::Kind::null:
    case expr::Kind::boolean:
    case expr::Kind::bytes:
    case expr::Kind::list:
    case expr::Kind::map:
    case expr::Kind::timestamp:
    case expr::Kind::type:
      break;
  }
  if (!(seconds >= 0 && seconds <= kMaxSleepSeconds)) {
    return fail("invalid_duration",
                "sleep needs a duration such as \"30s\" or a number of seconds from 0 to 3650 days");
  }
  return Duration(static_cast<std::int64_t>(std::ceil(seconds * 1000)));
}

// One decision in the making. Every change goes through `emit`, which applies the event and keeps it.
class Decider {
 public:
  Decider(Run& run, Timestamp now) : run_(run), now_(now), scope_(run) {}

  Decision take() { return std::move(decision_); }

  void on(const Start& input);
  void on(const TaskReport& report);
  void on(const Wake&);
  void on(const Cancel& input);
  void on(const Pause&);
  void on(const Resume&);
  void on(const Retry&);

 private:
  void emit(Event event) {
    run_.apply(event, now_);
    decision_.events.push_back(std::move(event));
  }
  bool active() const { return std::holds_alternative<RunActive>(run_.state()); }
  void refuse(std::string message) { decision_.refusal = Error{"conflict", std::move(message)}; }

  // Going on.
  void advance();
  void go_on_from_interruption();
  void begin(StepIndex step);
  Result<void> take_up(StepIndex step);
  Result<void> begin_mapped(StepIndex step, const expr::Template& list);
  Result<void> begin_single(StepIndex step);
  Result<Payload> transform_items(const Transform& transform, const expr::Value& items);
  Result<void> fill(StepIndex step);
  Result<void> schedule_first(StepIndex step, ItemIndex item);
  void schedule_again(StepIndex step, ItemIndex item);
  void wake(const Wakeup& due);
  void finish();
  Result<Payload> output();

  // Ends.
  std::optional<Verdict> refusal_of(const AttemptToken& token) const;
  std::optional<TaskFailure> broken_promise(const AttemptToken& token, const TaskSuccess& success) const;
  void succeed(const TaskReport& report, const TaskSuccess& success);
  void fail_attempt(const TaskReport& report, const TaskFailure& failure);
  void item_ended(StepIndex step);
  void fail_step(StepIndex step, Error error);
  void fail_run(Error error, std::optional<StepIndex> step);
  void withdraw(const std::vector<AttemptToken>& tokens);

  Run& run_;
  const Timestamp now_;
  RunScope scope_;
  Decision decision_;
};

// --- inputs
// -------------------------------------------------------------------------------------------------------

void Decider::on(const Start& input) {
  GANGLION_ASSERT(run_.version() == 0);
  emit(input.created);
  advance();
}

void Decider::on(const TaskReport& report) {
  if (const auto refusal = refusal_of(report.token)) {
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
  withdraw(run_.dispatched());
  emit(RunCancelled{input.reason});
}

void Decider::on(const Pause&) {
  if (std::holds_alternative<RunOnHold>(run_.state())) return;
  if (run_.ended())
    return refuse("the run has ended as " + std::string(run_.status()) + " and can't be paused");
  emit(RunPaused{});
}

void Decider::on(const Resume&) {
  if (active()) return;
  if (run_.ended())
    return refuse("the run has ended as " + std::string(run_.status()) + "; retry goes on from a failure");
  emit(RunResumed{});
  go_on_from_interruption();
}

void Decider::on(const Retry&) {
  if (std::holds_alternative<RunDone>(run_.state()))
    return refuse("the run is completed; there is nothing to retry");
  if (!run_.ended()) return;
  emit(RunRetried{});
  go_on_from_interruption();
}

// --- going on
// -----------------------------------------------------------------------------------------------------

void Decider::advance() {
  while (active() && !run_.startable().empty()) begin(run_.startable().front());
  if (active() && run_.all_steps_ended()) finish();
}

void Decider::go_on_from_interruption() {
  for (const StepIndex step : run_.interrupted()) {
    if (!active()) return;
    if (auto filled = fill(step); !filled) fail_step(step, filled.error());
  }
  advance();
}

void Decider::begin(StepIndex step) {
  if (auto begun = take_up(step); !begun) fail_step(step, begun.error());
}

Result<void> Decider::take_up(StepIndex step) {
  const StepDefinition& definition = run_.definition(step);
  if (definition.condition) {
    const auto wanted = definition.condition->evaluate(scope_);
    if (!wanted) return std::unexpected(wanted.error());
    if (!wanted->is(expr::Kind::boolean)) return fail("invalid_condition", "`if` gave no true or false");
    if (!wanted->as_boolean()) {
      emit(StepSkipped{step});
      return {};
    }
  }
  return definition.for_each ? begin_mapped(step, *definition.for_each) : begin_single(step);
}

Result<void> Decider::begin_mapped(StepIndex step, const expr::Template& list) {
  const auto items = list.evaluate(scope_);
  if (!items) return std::unexpected(items.error());
  if (!items->is(expr::Kind::list)) return fail("invalid_list", "`for_each` gave no list");
  if (items->size() > kMaxMapItems) {
    return fail("too_many_items", "`for_each` gave " + std::to_string(items->size()) + " items; at most " +
                                      std::to_string(kMaxMapItems) + " are allowed");
  }
  if (items->size() == 0) {
    emit(StepCompleted{step, Payload("[]"), std::nullopt});
    return {};
  }
  return std::visit(Overloaded{[&](const AgentCall&) -> Result<void> {
                                 auto written = items->to_json();
                                 if (!written) return std::unexpected(written.error());
                                 emit(StepStarted{step, *std::move(written)});
                                 return fill(step);
                               },
                               [&](const Transform& transform) -> Result<void> {
                                 auto outputs = transform_items(transform, *items);
                                 if (!outputs) return std::unexpected(outputs.error());
                                 emit(StepCompleted{step, *std::move(outputs), std::nullopt});
                                 return {};
                               },
                               [&](const Sleep&) -> Result<void> {
                                 return fail("not_available_yet", "a sleep can't be mapped over a list yet");
                               }},
                    run_.definition(step).action);
}

Result<Payload> Decider::transform_items(const Transform& transform, const expr::Value& items) {
  std::string list = "[";
  for (std::size_t i = 0; i < items.size(); ++i) {
    scope_.set_item(items.at(i), i);
    const auto output = bounded(transform.value.render(scope_));
    scope_.clear_item();
    if (!output) return std::unexpected(output.error());
    if (i > 0) list += ',';
    list += output->bytes();
  }
  list += ']';
  return bounded(Payload(std::move(list)));
}

Result<void> Decider::begin_single(StepIndex step) {
  return std::visit(Overloaded{[&](const AgentCall&) { return schedule_first(step, ItemIndex(0)); },
                               [&](const Transform& transform) -> Result<void> {
                                 auto output = bounded(transform.value.render(scope_));
                                 if (!output) return std::unexpected(output.error());
                                 emit(StepCompleted{step, *std::move(output), std::nullopt});
                                 return {};
                               },
                               [&](const Sleep& sleep) -> Result<void> {
                                 const auto value = sleep.duration.evaluate(scope_);
                                 if (!value) return std::unexpected(value.error());
                                 const auto duration = sleep_duration(*value);
                                 if (!duration) return std::unexpected(duration.error());
                                 emit(StepSleeping{step, now_ + *duration});
                                 return {};
                               }},
                    run_.definition(step).action);
}

// Schedules tasks of a running step until its share of parallel ones is used up.
Result<void> Decider::fill(StepIndex step) {
  const std::uint32_t wanted = run_.definition(step).max_parallel;
  const std::uint32_t bound = wanted == 0 ? kMaxTasksInFlight : std::min(wanted, kMaxTasksInFlight);
  const auto* running = std::get_if<StepRunning>(&run_.step(step).state);
  while (active() && running != nullptr && running->next_item < run_.step(step).tasks.size()) {
    if (running->in_flight >= bound) break;
    const ItemIndex item(static_cast<std::uint32_t>(running->next_item));
    if (auto scheduled = schedule_first(step, item); !scheduled) return scheduled;
    running = std::get_if<StepRunning>(&run_.step(step).state);
  }
  return {};
}

Result<void> Decider::schedule_first(StepIndex step, ItemIndex item) {
  const StepRecord& record = run_.step(step);
  const TaskRecord* task = record.tasks.empty() ? nullptr : &record.tasks[item.value()];
  if (task != nullptr && task->attempt != Attempt(0)) {
    schedule_again(step, item);
    return {};
  }
  const auto& call = std::get<AgentCall>(run_.definition(step).action);
  const bool mapped = run_.definition(step).for_each.has_value();
  if (mapped) scope_.set_item(record.items.at(item.value()), item.value());
  auto input = bounded(call.input.render(scope_));
  scope_.clear_item();
  if (!input) return std::unexpected(input.error());
  emit(TaskScheduled{step, item, Attempt(1), call.agent, *std::move(input)});
  return {};
}

void Decider::schedule_again(StepIndex step, ItemIndex item) {
  const auto& call = std::get<AgentCall>(run_.definition(step).action);
  const Attempt next = run_.step(step).tasks[item.value()].attempt.next();
  emit(TaskScheduled{step, item, next, call.agent, std::nullopt});
}

void Decider::wake(const Wakeup& due) {
  const auto run_deadline = run_.run_deadline();
  if (due.reason == WakeupReason::run_timeout) {
    if (run_deadline && *run_deadline <= now_) {
      fail_run({"timeout", "the run took longer than its workflow's timeout"}, std::nullopt);
    }
    return;
  }
  const StepRecord& record = run_.step(due.step);
  const bool running = std::holds_alternative<StepRunning>(record.state);
  const auto* asleep = std::get_if<StepAsleep>(&record.state);
  if (due.reason == WakeupReason::step_timeout) {
    const auto deadline = run_.step_deadline(due.step);
    if ((running || asleep) && deadline && *deadline <= now_) {
      fail_step(due.step, {"timeout", "the step took longer than its timeout"});
    }
  } else if (due.reason == WakeupReason::sleep) {
    if (asleep && asleep->until <= now_) emit(StepCompleted{due.step, Payload(), std::nullopt});
  } else if (running) {
    const auto* pause = std::get_if<TaskBackingOff>(&record.tasks[due.item.value()].state);
    if (pause != nullptr && pause->retry_at <= now_) schedule_again(due.step, due.item);
  }
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
    if (definition.dependents.empty()) outputs.add_raw(definition.name, done ? done->output.bytes() : "null");
  }
  return Payload(outputs.finish());
}

// --- ends
// ---------------------------------------------------------------------------------------------------------

std::optional<Verdict> Decider::refusal_of(const AttemptToken& token) const {
  if (token.step.value() >= run_.steps().size() || token.attempt == Attempt(0)) return Verdict::unknown;
  const StepRecord& step = run_.step(token.step);
  if (std::holds_alternative<StepDone>(step.state)) return Verdict::stale_attempt;
  if (token.item.value() >= step.tasks.size()) return Verdict::unknown;
  const TaskRecord& task = step.tasks[token.item.value()];
  if (token.attempt > task.attempt) return Verdict::unknown;
  const bool current = !run_.ended() && std::holds_alternative<StepRunning>(step.state) &&
                       std::holds_alternative<TaskDispatched>(task.state) && token.attempt == task.attempt;
  return current ? std::nullopt : std::optional(Verdict::stale_attempt);
}

// Why this output can't be accepted.
std::optional<TaskFailure> Decider::broken_promise(const AttemptToken& token,
                                                   const TaskSuccess& success) const {
  const Payload& output = success.output;
  if (success.usage && success.usage->size() > kMaxUsage) {
    return TaskFailure{"invalid_output", "the usage has " + std::to_string(success.usage->size()) +
                                             " bytes; at most " + std::to_string(kMaxUsage) + " are kept"};
  }
  if (output.size() > kMaxPayload) {
    return TaskFailure{"output_too_large", "the output has " + std::to_string(output.size()) +
                                               " bytes; at most " + std::to_string(kMaxPayload) +
                                               " travel inline"};
  }
  const auto& call = std::get<AgentCall>(run_.definition(token.step).action);
  const auto& schema = run_.project().agents.at(call.agent).output;
  if (!schema) return std::nullopt;
  const auto violations = schema->validate_json(output.bytes());
  if (!violations) return TaskFailure{"invalid_output", violations.error().message};
  if (violations->empty()) return std::nullopt;
  const schema::Violation& first = violations->front();
  return TaskFailure{"invalid_output",
                     (first.path.empty() ? "the output" : first.path) + ": " + first.message};
}

void Decider::succeed(const TaskReport& report, const TaskSuccess& success) {
  const AttemptToken& token = report.token;
  if (const auto broken = broken_promise(token, success)) {
    decision_.verdict = Verdict::invalid;
    return fail_attempt(report, *broken);
  }
  emit(TaskSucceeded{token.step, token.item, token.attempt, success.output, success.usage, report.worker,
                     report.started_at});
  item_ended(token.step);
}

void Decider::fail_attempt(const TaskReport& report, const TaskFailure& failure) {
  const AttemptToken& token = report.token;
  const RetryPolicy& policy = run_.definition(token.step).retry;
  const TaskRecord& task = run_.step(token.step).tasks[token.item.value()];
  const std::uint32_t failures = token.attempt.value() - task.earlier_attempts;
  const Error error{failure.code, failure.message};
  TaskFailed failed{token.step,   token.item,    token.attempt,    error,
                    std::nullopt, report.worker, report.started_at};
  if (failure.retryable && failures < policy.max_attempts) {
    failed.retry_at = now_ + retry_pause(policy, failures, token);
    emit(std::move(failed));
    return;
  }
  emit(std::move(failed));
  const StepDefinition& definition = run_.definition(token.step);
  if (definition.for_each && definition.on_failure == OnFailure::continue_run) return item_ended(token.step);
  fail_step(token.step, error);
}

void Decider::item_ended(StepIndex step) {
  const auto* running = std::get_if<StepRunning>(&run_.step(step).state);
  if (running == nullptr) return;
  const std::size_t items = run_.step(step).tasks.size();
  if (running->ended < items) {
    if (auto filled = fill(step); !filled) fail_step(step, filled.error());
    return;
  }
  if (const std::size_t size = run_.collected_size(step); size > kMaxPayload) {
    return fail_step(step,
                     {"too_large", "the list of results has " + std::to_string(size) + " bytes; at most " +
                                       std::to_string(kMaxPayload) + " travel inline"});
  }
  std::optional<Error> error;
  if (running->given_up > 0) {
    error = Error{"items_failed",
                  std::to_string(running->given_up) + " of " + std::to_string(items) + " items failed"};
  }
  emit(StepCompleted{step, std::nullopt, std::move(error)});
}

void Decider::fail_step(StepIndex step, Error error) {
  withdraw(run_.dispatched(step));
  emit(StepFailed{step, error});
  if (run_.definition(step).on_failure == OnFailure::fail_run) fail_run(std::move(error), step);
}

void Decider::fail_run(Error error, std::optional<StepIndex> step) {
  withdraw(run_.dispatched());
  emit(RunFailed{std::move(error), step});
}

void Decider::withdraw(const std::vector<AttemptToken>& tokens) {
  decision_.withdrawn.insert(decision_.withdrawn.end(), tokens.begin(), tokens.end());
}

}  // namespace

Decision decide(Run& run, const Input& input, Timestamp now) {
  Decider decider(run, now);
  std::visit([&](const auto& what) { decider.on(what); }, input);
  return decider.take();
}

}  // namespace ganglion
