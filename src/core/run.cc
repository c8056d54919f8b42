#include "core/run.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include <boost/json.hpp>

#include "base/assert.h"
#include "base/overloaded.h"

namespace ganglion {
namespace {

// A total order, so that a run that was folded from its journal wakes exactly like the one that wrote it.
bool later(const Wakeup& a, const Wakeup& b) {
  return std::tie(a.when, a.reason, a.step, a.item) > std::tie(b.when, b.reason, b.step, b.item);
}

bool has_ended(const StepState& state) {
  return std::holds_alternative<StepDone>(state) || std::holds_alternative<StepBroken>(state) ||
         std::holds_alternative<StepNotTaken>(state);
}

// The list of the tasks' outputs, in order; null for one that was given up.
Payload collect_outputs(const std::vector<TaskRecord>& tasks) {
  std::string list = "[";
  for (const TaskRecord& task : tasks) {
    if (list.size() > 1) list += ',';
    const auto* done = std::get_if<TaskDone>(&task.state);
    list += done ? done->output.bytes() : std::string_view("null");
  }
  list += ']';
  return Payload(std::move(list));
}

}  // namespace

Run::Run(RunId id, std::shared_ptr<const Project> project, const WorkflowDefinition& workflow)
    : id_(std::move(id)), project_(std::move(project)), workflow_(&workflow), steps_(workflow.steps.size()) {}

void Run::apply(const Event& event, Timestamp at) {
  GANGLION_ASSERT((version_ == 0) == std::holds_alternative<RunCreated>(event));
  std::visit([&](const auto& e) { on(e, at); }, event);
  ++version_;
}

// --- the run
// ------------------------------------------------------------------------------------------------------

void Run::on(const RunCreated& event, Timestamp at) {
  created_ = event;
  created_at_ = at;
  watch_run_deadline(at);
  count_needs();
}

void Run::on(const RunPaused&, Timestamp) {
  state_ = RunOnHold{};
}

void Run::on(const RunResumed&, Timestamp) {
  state_ = RunActive{};
}

void Run::on(const RunRetried&, Timestamp at) {
  GANGLION_ASSERT(ended());
  state_ = RunActive{};
  ended_at_.reset();
  wakeups_.clear();
  watch_run_deadline(at);
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const StepIndex index(static_cast<std::uint32_t>(i));
    const bool stopped_the_run = std::holds_alternative<StepBroken>(steps_[i].state) &&
                                 definition(index).on_failure == OnFailure::fail_run;
    if (stopped_the_run || std::holds_alternative<StepCalledOff>(steps_[i].state)) reopen_step(index);
  }
  count_needs();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (std::holds_alternative<StepRunning>(steps_[i].state))
      begin_step(StepIndex(static_cast<std::uint32_t>(i)), at);
  }
}

void Run::on(const RunCompleted& event, Timestamp at) {
  end_run(RunDone{event.output}, at);
}

void Run::on(const RunFailed& event, Timestamp at) {
  end_run(RunBroken{event.error, event.step}, at);
}

void Run::on(const RunCancelled& event, Timestamp at) {
  end_run(RunCalledOff{event.reason}, at);
}

void Run::end_run(RunState state, Timestamp at) {
  GANGLION_ASSERT(!ended());
  state_ = std::move(state);
  ended_at_ = at;
  for (StepRecord& step : steps_) {
    if (has_ended(step.state)) continue;
    step.state = StepCalledOff{};
    step.ended_at = at;
  }
  running_steps_ = 0;
  sleeping_steps_ = 0;
  startable_.clear();
  wakeups_.clear();
}

bool Run::ended() const {
  return std::visit(Overloaded{[](const RunActive&) { return false; }, [](const RunOnHold&) { return false; },
                               [](const RunDone&) { return true; }, [](const RunBroken&) { return true; },
                               [](const RunCalledOff&) { return true; }},
                    state_);
}

std::string_view Run::status() const {
  const bool waiting = running_steps_ == 0 && sleeping_steps_ > 0;
  return std::visit(
      Overloaded{[&](const RunActive&) -> std::string_view { return waiting ? "waiting" : "running"; },
                 [](const RunOnHold&) -> std::string_view { return "paused"; },
                 [](const RunDone&) -> std::string_view { return "completed"; },
                 [](const RunBroken&) -> std::string_view { return "failed"; },
                 [](const RunCalledOff&) -> std::string_view { return "cancelled"; }},
      state_);
}

// --- steps
// --------------------------------------------------------------------------------------------------------

void Run::on(const StepStarted& event, Timestamp at) {
  StepRecord& step = record(event.step);
  step.items = expr::Value::json(event.items);
  step.tasks.resize(step.items.size());
  step.state = StepRunning{};
  begin_step(event.step, at);
}

void Run::on(const StepSleeping& event, Timestamp at) {
  record(event.step).state = StepAsleep{event.until};
  begin_step(event.step, at);
  wake_at({event.until, WakeupReason::sleep, event.step, ItemIndex(0)});
}

void Run::on(const StepCompleted& event, Timestamp at) {
  StepRecord& step = record(event.step);
  if (!step.started_at) begin_step(event.step, at);
  Payload output = event.output ? *event.output : collect_outputs(step.tasks);
  end_step(event.step, StepDone{std::move(output), event.error}, at);
}

void Run::on(const StepFailed& event, Timestamp at) {
  end_step(event.step, StepBroken{event.error}, at);
}

void Run::on(const StepSkipped& event, Timestamp at) {
  end_step(event.step, StepNotTaken{}, at);
}

void Run::begin_step(StepIndex index, Timestamp at) {
  StepRecord& step = record(index);
  leave_startable(index);
  step.started_at = at;
  if (std::holds_alternative<StepRunning>(step.state)) ++running_steps_;
  if (std::holds_alternative<StepAsleep>(step.state)) ++sleeping_steps_;
  if (const auto deadline = step_deadline(index)) {
    wake_at({*deadline, WakeupReason::step_timeout, index, ItemIndex(0)});
  }
}

// Steps start in the order in which they became startable, so the one that leaves is nearly always the first.
void Run::leave_startable(StepIndex index) {
  const auto found = std::ranges::find(startable_, index);
  if (found != startable_.end()) startable_.erase(found);
}

void Run::end_step(StepIndex index, StepState state, Timestamp at) {
  StepRecord& step = record(index);
  GANGLION_ASSERT(!has_ended(step.state));
  if (std::holds_alternative<StepRunning>(step.state)) --running_steps_;
  if (std::holds_alternative<StepAsleep>(step.state)) --sleeping_steps_;
  leave_startable(index);
  step.state = std::move(state);
  step.ended_at = at;
  if (std::holds_alternative<StepDone>(step.state)) {
    step.tasks = {};
    step.items = {};
  }
  ++ended_steps_;
  for (const StepIndex dependent : definition(index).dependents) {
    StepRecord& next = record(dependent);
    if (--next.open_needs == 0 && std::holds_alternative<StepPending>(next.state))
      startable_.push_back(dependent);
  }
}

// Back to where it can go on: what is done stays done, everything else is tried again with a fresh count of
// attempts.
void Run::reopen_step(StepIndex index) {
  StepRecord& step = record(index);
  step.started_at.reset();
  step.ended_at.reset();
  if (step.tasks.empty()) {
    step.state = StepPending{};
    return;
  }
  StepRunning running;
  running.next_item = step.tasks.size();
  for (std::size_t i = step.tasks.size(); i-- > 0;) {
    TaskRecord& task = step.tasks[i];
    if (std::holds_alternative<TaskDone>(task.state)) {
      ++running.ended;
      continue;
    }
    task.state = TaskUnscheduled{};
    task.earlier_attempts = task.attempt.value();
    running.next_item = i;
  }
  step.state = running;
}

void Run::count_needs() {
  ended_steps_ = 0;
  startable_.clear();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    StepRecord& step = steps_[i];
    if (has_ended(step.state)) ++ended_steps_;
    const auto& needs = workflow_->steps[i].needs;
    step.open_needs = static_cast<std::size_t>(
        std::ranges::count_if(needs, [&](StepIndex need) { return !has_ended(this->step(need).state); }));
    if (step.open_needs == 0 && std::holds_alternative<StepPending>(step.state)) {
      startable_.push_back(StepIndex(static_cast<std::uint32_t>(i)));
    }
  }
}

std::string_view Run::step_status(StepIndex index) const {
  const bool ready = state_.index() == 0 && step(index).open_needs == 0;
  return std::visit(
      Overloaded{[&](const StepPending&) -> std::string_view { return ready ? "ready" : "pending"; },
                 [](const StepRunning&) -> std::string_view { return "running"; },
                 [](const StepAsleep&) -> std::string_view { return "waiting"; },
                 [](const StepDone&) -> std::string_view { return "completed"; },
                 [](const StepBroken&) -> std::string_view { return "failed"; },
                 [](const StepNotTaken&) -> std::string_view { return "skipped"; },
                 [](const StepCalledOff&) -> std::string_view { return "cancelled"; }},
      step(index).state);
}

std::vector<StepIndex> Run::interrupted() const {
  std::vector<StepIndex> found;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const auto* running = std::get_if<StepRunning>(&steps_[i].state);
    if (running && running->next_item < steps_[i].tasks.size())
      found.push_back(StepIndex(static_cast<std::uint32_t>(i)));
  }
  return found;
}

StepRunning& Run::running(StepIndex index) {
  auto* running = std::get_if<StepRunning>(&record(index).state);
  GANGLION_ASSERT(running != nullptr);
  return *running;
}

// --- tasks
// --------------------------------------------------------------------------------------------------------

void Run::on(const TaskScheduled& event, Timestamp at) {
  StepRecord& step = record(event.step);
  if (step.tasks.empty()) {
    step.tasks.resize(1);
    step.state = StepRunning{};
    begin_step(event.step, at);
  }
  TaskRecord& task = this->task(event.step, event.item);
  StepRunning& running = this->running(event.step);
  if (std::holds_alternative<TaskUnscheduled>(task.state)) {
    ++running.in_flight;
  }
  if (event.input) task.input = *event.input;
  task.state = TaskDispatched{};
  task.attempt = event.attempt;
  ++step.attempts;
  const auto& tasks = step.tasks;
  while (running.next_item < tasks.size() &&
         !std::holds_alternative<TaskUnscheduled>(tasks[running.next_item].state)) {
    ++running.next_item;
  }
}

void Run::on(const TaskSucceeded& event, Timestamp at) {
  if (event.usage) add_usage(*event.usage);
  if (!definition(event.step).for_each) {
    end_step(event.step, StepDone{event.output, std::nullopt}, at);
    return;
  }
  TaskRecord& task = this->task(event.step, event.item);
  task.state = TaskDone{event.output};
  task.input = {};
  StepRunning& running = this->running(event.step);
  --running.in_flight;
  ++running.ended;
}

void Run::on(const TaskFailed& event, Timestamp) {
  TaskRecord& task = this->task(event.step, event.item);
  if (event.retry_at) {
    task.state = TaskBackingOff{*event.retry_at};
    wake_at({*event.retry_at, WakeupReason::retry, event.step, event.item});
    return;
  }
  task.state = TaskGivenUp{event.error};
  StepRunning& running = this->running(event.step);
  --running.in_flight;
  ++running.ended;
  ++running.given_up;
}

TaskRecord& Run::task(StepIndex step, ItemIndex item) {
  StepRecord& owner = record(step);
  GANGLION_ASSERT(item.value() < owner.tasks.size());
  return owner.tasks[item.value()];
}

std::vector<AttemptToken> Run::dispatched(StepIndex index) const {
  std::vector<AttemptToken> tokens;
  const auto& tasks = step(index).tasks;
  if (!std::holds_alternative<StepRunning>(step(index).state)) return tokens;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (!std::holds_alternative<TaskDispatched>(tasks[i].state)) continue;
    tokens.push_back({id_, index, ItemIndex(static_cast<std::uint32_t>(i)), tasks[i].attempt});
  }
  return tokens;
}

std::vector<AttemptToken> Run::dispatched() const {
  std::vector<AttemptToken> tokens;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    std::ranges::move(dispatched(StepIndex(static_cast<std::uint32_t>(i))), std::back_inserter(tokens));
  }
  return tokens;
}

std::size_t Run::collected_size(StepIndex index) const {
  std::size_t size = 2;
  for (const TaskRecord& task : step(index).tasks) {
    const auto* done = std::get_if<TaskDone>(&task.state);
    size += 1 + (done ? done->output.size() : 4);
  }
  return size;
}

void Run::add_usage(const Payload& usage) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(usage.bytes(), error);
  const auto* fields = value.if_object();
  if (error || fields == nullptr) return;
  for (const auto& [name, amount] : *fields) {
    if (amount.is_number()) usage_[std::string(name)] += amount.to_number<double>();
  }
}

// --- deadlines
// ----------------------------------------------------------------------------------------------------

void Run::watch_run_deadline(Timestamp from) {
  if (!workflow_->timeout) return;
  run_deadline_ = from + *workflow_->timeout;
  wake_at({*run_deadline_, WakeupReason::run_timeout, StepIndex(0), ItemIndex(0)});
}

std::optional<Timestamp> Run::step_deadline(StepIndex index) const {
  const auto& timeout = definition(index).timeout;
  if (!timeout || !step(index).started_at) return std::nullopt;
  return *step(index).started_at + *timeout;
}

void Run::wake_at(Wakeup wakeup) {
  wakeups_.push_back(wakeup);
  std::ranges::push_heap(wakeups_, later);
}

std::optional<Timestamp> Run::next_wakeup() const {
  if (wakeups_.empty() || !std::holds_alternative<RunActive>(state_)) return std::nullopt;
  return wakeups_.front().when;
}

std::optional<Wakeup> Run::take_wakeup(Timestamp now) {
  if (wakeups_.empty() || wakeups_.front().when > now) return std::nullopt;
  std::ranges::pop_heap(wakeups_, later);
  const Wakeup due = wakeups_.back();
  wakeups_.pop_back();
  return due;
}

}  // namespace ganglion
