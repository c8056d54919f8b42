#include "core/run.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

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

void erase_step(std::set<std::pair<StepIndex, ItemIndex>>& tasks, StepIndex step) {
  tasks.erase(tasks.lower_bound({step, ItemIndex(0)}), tasks.lower_bound({step.next(), ItemIndex(0)}));
}

constexpr std::size_t kLarge = 4096;  // bytes; parsing less again costs less than keeping what was parsed

std::optional<double> smaller(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

expr::Value ReadableValue::value() const {
  if (parsed_) return *parsed_;
  expr::Value value = expr::Value::json(payload_);
  if (payload_.size() >= kLarge) parsed_ = std::make_shared<const expr::Value>(value);
  return value;
}

Run::Run(RunId id, std::shared_ptr<const Project> project, const WorkflowDefinition& workflow)
    : id_(std::move(id)), project_(std::move(project)), workflow_(&workflow), steps_(workflow.steps.size()) {}

void Run::apply(const Event& event, Timestamp at) {
  GANGLION_ASSERT((version_ == 0) == std::holds_alternative<RunCreated>(event));
  std::visit([&](const auto& e) { on(e, at); }, event);
  ++version_;
  last_at_ = std::max(last_at_, at);
}

// --- the run
// ------------------------------------------------------------------------------------------------------

void Run::on(const RunCreated& event, Timestamp at) {
  created_ = event;
  std::string().swap(created_.definition);
  input_ = ReadableValue(event.input);
  created_at_ = at;
  if (workflow_->budget || event.origin->budget) {
    const Budget own = workflow_->budget.value_or(Budget());
    const Budget given = event.origin->budget.value_or(Budget());
    details_.edit().budget = Budget{smaller(own.tokens, given.tokens), smaller(own.usd, given.usd)};
  }
  watch_run_deadline(at);
  count_needs();
}

void Run::on(const RunForked& event, Timestamp at) {
  details_.edit().forked = event;
  if (event.input) input_ = ReadableValue(*event.input);
  if (RunOrigin* origin = created_.origin.if_present()) origin->parent.reset();
  created_at_ = at;
  state_ = RunActive{};
  for (StepRecord& step : steps_) {
    if (std::holds_alternative<StepRunning>(step.state)) step.started_at.reset();
  }
  // What is shared may end after a failure.
  reopen_failed_steps();
  watch_run_deadline(at);
  reopen(at);
}

void Run::on(const RunPaused& event, Timestamp) {
  state_ = RunOnHold{event.step, event.by_parent};
}

void Run::on(const RunResumed&, Timestamp at) {
  state_ = RunActive{};
  if (reopen_failed_steps()) reopen(at);
}

void Run::on(const RunRetried&, Timestamp at) {
  GANGLION_ASSERT(ended());
  state_ = RunActive{};
  reopen_failed_steps();
  watch_run_deadline(at);
  reopen(at);
}

bool Run::stops_the_run(StepIndex index) const {
  const StepState& state = step(index).state;
  return std::holds_alternative<StepCalledOff>(state) ||
         (std::holds_alternative<StepBroken>(state) &&
          definition(index).on_failure != OnFailure::continue_run);
}

bool Run::reopen_failed_steps() {
  bool reopened = false;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const StepIndex index(static_cast<std::uint32_t>(i));
    if (!stops_the_run(index)) continue;
    reopen_step(index);
    reopened = true;
  }
  return reopened;
}

void Run::reopen(Timestamp at) {
  ended_at_.reset();
  forget_what_is_open();
  if (run_deadline_) wake_at({*run_deadline_, WakeupReason::run_timeout, StepIndex(0), ItemIndex(0)});
  count_needs();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (!std::holds_alternative<StepRunning>(steps_[i].state)) continue;
    const StepIndex step(static_cast<std::uint32_t>(i));
    StepRunning& running = this->running(step);
    running = StepRunning{.next_item = static_cast<std::uint32_t>(steps_[i].tasks.size())};
    for (std::size_t j = steps_[i].tasks.size(); j-- > 0;) {
      const ItemIndex item(static_cast<std::uint32_t>(j));
      const TaskRecord& task = steps_[i].tasks[j];
      count(step, item, task.state, 1);
      if (task.details && task.details->reserved) {
        RunDetails& details = details_.edit();
        add(details.reserved, *task.details->reserved, 1);
        ++details.reservations;
      }
      if (const auto* pause = std::get_if<TaskBackingOff>(&task.state)) {
        wake_at({pause->retry_at, WakeupReason::retry, step, item});
      }
      const auto* awaiting = std::get_if<TaskAwaiting>(&task.state);
      const auto* sleep = awaiting ? std::get_if<UntilTime>(&awaiting->wait()) : nullptr;
      if (sleep) wake_at({sleep->until, WakeupReason::sleep, step, item});
    }
    if (!steps_[i].started_at) {
      begin_step(step, at);
    } else if (const auto deadline = step_deadline(step)) {
      wake_at({*deadline, WakeupReason::step_timeout, step, ItemIndex(0)});
    }
  }
}

void Run::on(const RunCompleted& event, Timestamp at) {
  end_run(RunDone{event.output}, at);
}

void Run::on(const RunFailed& event, Timestamp at) {
  end_run(RunBroken{Rare(event.error), event.step}, at);
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
  forget_what_is_open();
  startable_.clear();
}

void Run::forget_what_is_open() {
  in_flight_ = 0;
  waiting_ = 0;
  wakeups_.clear();
  RunDetails* details = details_.if_present();
  if (!details) return;
  details->event_waits.clear();
  details->reserved = {};
  details->reservations = 0;
  details->postponed.clear();
}

bool Run::ended() const {
  return std::visit(Overloaded{[](const RunActive&) { return false; }, [](const RunOnHold&) { return false; },
                               [](const RunDone&) { return true; }, [](const RunBroken&) { return true; },
                               [](const RunCalledOff&) { return true; }},
                    state_);
}

std::string_view Run::status() const {
  const bool waiting = in_flight_ > 0 && waiting_ == in_flight_;
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
  expr::Value& items = step.details.edit().items;
  items = expr::Value::json(event.items);
  step.tasks.resize(items.size());
  step.state = StepRunning{};
  begin_step(event.step, at);
}

void Run::on(const StepCompleted& event, Timestamp at) {
  StepRecord& step = record(event.step);
  if (!step.started_at) begin_step(event.step, at);
  Payload output = event.output ? *event.output : collect_outputs(step.tasks);
  StepDone done{.output = ReadableValue(std::move(output)), .error = {}};
  if (event.error) done.error.edit() = *event.error;
  end_step(event.step, std::move(done), at);
}

void Run::on(const StepFailed& event, Timestamp at) {
  end_step(event.step, StepBroken{Rare(event.error)}, at);
}

void Run::on(const StepSkipped& event, Timestamp at) {
  end_step(event.step, StepNotTaken{}, at);
}

void Run::begin_step(StepIndex index, Timestamp at) {
  StepRecord& step = record(index);
  leave_startable(index);
  step.started_at = at;
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
  if (const auto* running = std::get_if<StepRunning>(&step.state)) {
    in_flight_ -= running->in_flight;
    waiting_ -= running->waiting;
    if (RunDetails* details = details_.if_present()) {
      erase_step(details->event_waits, index);
      erase_step(details->postponed, index);
    }
    for (TaskRecord& task : step.tasks) release(task);
  }
  leave_startable(index);
  step.state = std::move(state);
  step.ended_at = at;
  if (std::holds_alternative<StepDone>(step.state)) {
    step.tasks = std::vector<TaskRecord>();
    if (StepDetails* details = step.details.if_present()) details->items = {};
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
  step.state = StepRunning{};
  for (TaskRecord& task : step.tasks) {
    if (std::holds_alternative<TaskDone>(task.state)) continue;
    task.state = TaskUnscheduled{};
    task.earlier_attempts = task.attempt.value();
    task.link = 0;
    task.role = TaskRole::work;
    if (!task.details) continue;
    task.details->routed.clear();
    task.details->agent.clear();
    task.details->last_error.reset();
    task.details->reserved.reset();
  }
}

void Run::count_needs() {
  ended_steps_ = 0;
  startable_.clear();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    StepRecord& step = steps_[i];
    if (has_ended(step.state)) ++ended_steps_;
    const auto& needs = workflow_->steps[i].needs;
    step.open_needs = static_cast<std::uint32_t>(
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
                 [](const StepRunning& running) -> std::string_view {
                   return running.in_flight > 0 && running.waiting == running.in_flight ? "waiting"
                                                                                        : "running";
                 },
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
    const std::size_t tasks = steps_[i].tasks.size();
    if (running && (running->next_item < tasks || running->ended == tasks))
      found.push_back(StepIndex(static_cast<std::uint32_t>(i)));
  }
  return found;
}

StepRunning& Run::running(StepIndex index) {
  auto* running = std::get_if<StepRunning>(&record(index).state);
  GANGLION_ASSERT(running != nullptr);
  return *running;
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
