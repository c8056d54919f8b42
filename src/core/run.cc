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

constexpr std::size_t kLarge = 4096;  // bytes; parsing less again costs less than keeping what was parsed

// Amounts beyond it, and less than nothing, are a mistake of the agent's that no sum survives.
constexpr double kMostUsed = 1e15;

Usage read_usage(const Payload& payload) {
  Usage usage;
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(payload.bytes(), error);
  const auto* fields = value.if_object();
  if (error || fields == nullptr) return usage;
  for (const auto& [name, amount] : *fields) {
    if (!amount.is_number()) continue;
    const double number = amount.to_number<double>();
    if (number >= 0 && number <= kMostUsed) usage[std::string(name)] += number;
  }
  return usage;
}

void add(Usage& to, const Usage& amounts) {
  for (const auto& [name, amount] : amounts) to[name] += amount;
}

void add(Budget& to, const Budget& amount, double sign) {
  to.tokens = to.tokens.value_or(0) + sign * amount.tokens.value_or(0);
  to.usd = to.usd.value_or(0) + sign * amount.usd.value_or(0);
}

std::optional<double> smaller(std::optional<double> a, std::optional<double> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

}  // namespace

expr::Value ReadableValue::value() const {
  if (parsed_) return *parsed_;
  expr::Value value = expr::Value::json(payload_);
  if (payload_.size() >= kLarge) parsed_ = value;
  return value;
}

Budget as_budget(const Usage& usage) {
  const auto amount = [&](const char* name) {
    const auto found = usage.find(name);
    return found == usage.end() ? 0.0 : found->second;
  };
  const bool total = usage.contains("tokens");
  return {.tokens = total ? amount("tokens") : amount("input_tokens") + amount("output_tokens"),
          .usd = amount("usd")};
}

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
  input_ = ReadableValue(event.input);
  created_at_ = at;
  if (workflow_->budget || event.budget) {
    const Budget own = workflow_->budget.value_or(Budget());
    const Budget given = event.budget.value_or(Budget());
    budget_ = Budget{smaller(own.tokens, given.tokens), smaller(own.usd, given.usd)};
  }
  watch_run_deadline(at);
  count_needs();
}

void Run::on(const RunForked& event, Timestamp at) {
  forked_ = event;
  if (event.input) input_ = ReadableValue(*event.input);
  created_.parent.reset();
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
  wakeups_.clear();
  event_waits_.clear();
  in_flight_ = 0;
  waiting_ = 0;
  reserved_ = {};
  reservations_ = 0;
  postponed_.clear();
  if (run_deadline_) wake_at({*run_deadline_, WakeupReason::run_timeout, StepIndex(0), ItemIndex(0)});
  count_needs();
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (!std::holds_alternative<StepRunning>(steps_[i].state)) continue;
    const StepIndex step(static_cast<std::uint32_t>(i));
    StepRunning& running = this->running(step);
    running = StepRunning{.next_item = steps_[i].tasks.size()};
    for (std::size_t j = steps_[i].tasks.size(); j-- > 0;) {
      const ItemIndex item(static_cast<std::uint32_t>(j));
      const TaskRecord& task = steps_[i].tasks[j];
      count(step, item, task.state, 1);
      if (task.details && task.details->reserved) {
        add(reserved_, *task.details->reserved, 1);
        ++reservations_;
      }
      if (const auto* pause = std::get_if<TaskBackingOff>(&task.state)) {
        wake_at({pause->retry_at, WakeupReason::retry, step, item});
      }
      const auto* awaiting = std::get_if<TaskAwaiting>(&task.state);
      const auto* sleep = awaiting ? std::get_if<UntilTime>(&awaiting->wait) : nullptr;
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
  in_flight_ = 0;
  waiting_ = 0;
  reserved_ = {};
  reservations_ = 0;
  postponed_.clear();
  startable_.clear();
  wakeups_.clear();
  event_waits_.clear();
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
  step.items = expr::Value::json(event.items);
  step.tasks.resize(step.items.size());
  step.state = StepRunning{};
  begin_step(event.step, at);
}

void Run::on(const StepCompleted& event, Timestamp at) {
  StepRecord& step = record(event.step);
  if (!step.started_at) begin_step(event.step, at);
  Payload output = event.output ? *event.output : collect_outputs(step.tasks);
  end_step(event.step, StepDone{ReadableValue(std::move(output)), event.error}, at);
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
    const auto first = event_waits_.lower_bound({index, ItemIndex(0)});
    event_waits_.erase(first, event_waits_.lower_bound({index.next(), ItemIndex(0)}));
    postponed_.erase(postponed_.lower_bound({index, ItemIndex(0)}),
                     postponed_.lower_bound({index.next(), ItemIndex(0)}));
    for (TaskRecord& task : step.tasks) release(task);
  }
  leave_startable(index);
  step.state = std::move(state);
  step.ended_at = at;
  if (std::holds_alternative<StepDone>(step.state)) {
    step.tasks = std::vector<TaskRecord>();
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

// --- tasks
// --------------------------------------------------------------------------------------------------------

void Run::count(StepIndex step, ItemIndex item, const TaskState& state, std::ptrdiff_t by) {
  StepRunning& running = this->running(step);
  const auto change = [by](std::size_t& counter) {
    counter = static_cast<std::size_t>(static_cast<std::ptrdiff_t>(counter) + by);
  };
  const auto in_flight = [&] {
    change(running.in_flight);
    change(in_flight_);
  };
  std::visit(
      Overloaded{[&](const TaskUnscheduled&) {
                   if (by > 0) running.next_item = std::min<std::size_t>(running.next_item, item.value());
                 },
                 [&](const TaskDispatched&) { in_flight(); }, [&](const TaskBackingOff&) { in_flight(); },
                 [&](const TaskAwaiting& awaiting) {
                   in_flight();
                   change(running.waiting);
                   change(waiting_);
                   if (!std::holds_alternative<ForEvent>(awaiting.wait)) return;
                   if (by > 0) {
                     event_waits_.emplace(step, item);
                   } else {
                     event_waits_.erase({step, item});
                   }
                 },
                 [&](const TaskDone&) { change(running.ended); },
                 [&](const TaskGivenUp&) {
                   change(running.ended);
                   change(running.given_up);
                 }},
      state);
}

void Run::move_task(StepIndex step, ItemIndex item, TaskState state) {
  TaskRecord& task = this->task(step, item);
  count(step, item, task.state, -1);
  task.state = std::move(state);
  count(step, item, task.state, 1);
  StepRunning& running = this->running(step);
  const auto& tasks = record(step).tasks;
  while (running.next_item < tasks.size() &&
         !std::holds_alternative<TaskUnscheduled>(tasks[running.next_item].state)) {
    ++running.next_item;
  }
}

TaskRecord& Run::begin_task(StepIndex step, ItemIndex item, Timestamp at) {
  StepRecord& record = this->record(step);
  if (record.tasks.empty()) {
    record.tasks.resize(1);
    record.state = StepRunning{};
    begin_step(step, at);
  }
  return task(step, item);
}

void Run::begin_attempt(StepIndex step, ItemIndex item, Attempt attempt, std::uint32_t link,
                        std::uint32_t iteration, TaskRole role, Timestamp at) {
  TaskRecord& task = begin_task(step, item, at);
  const bool counts_anew = link != task.link || iteration != task.iteration || role != task.role;
  if (counts_anew) task.earlier_attempts = attempt.value() - 1;
  task.attempt = attempt;
  task.link = link;
  task.iteration = iteration;
  task.role = role;
  task.scheduled_at = at;
  postponed_.erase({step, item});
}

void Run::reserve(TaskRecord& task, const Budget& amount) {
  task.detail().reserved = amount;
  add(reserved_, amount, 1);
  ++reservations_;
}

void Run::release(TaskRecord& task) {
  if (!task.details || !task.details->reserved) return;
  add(reserved_, *task.details->reserved, -1);
  task.details->reserved.reset();
  // What sums of fractions leave behind would block the last task for ever.
  if (--reservations_ == 0) reserved_ = {};
}

void Run::end_attempt(StepIndex step, ItemIndex item, const std::optional<Payload>& reported) {
  TaskRecord& task = this->task(step, item);
  release(task);
  if (!reported) return;
  const Usage usage = read_usage(*reported);
  add(usage_, usage);
  add(record(step).usage, usage);
  if (!budget_ || task.role == TaskRole::sub_run) return;
  const Budget used = as_budget(usage);
  Budget& largest = largest_[agent_of(step, item)];
  largest.tokens = std::max(largest.tokens.value_or(0), used.tokens.value_or(0));
  largest.usd = std::max(largest.usd.value_or(0), used.usd.value_or(0));
}

void Run::on(const TaskScheduled& event, Timestamp at) {
  begin_attempt(event.step, event.item, event.attempt, event.link, event.iteration, event.role, at);
  StepRecord& step = record(event.step);
  TaskRecord& task = this->task(event.step, event.item);
  if (event.input) {
    task.input = *event.input;
    task.has_input = true;
    task.state_version = event.state_version;
  }
  const auto* call = std::get_if<AgentCall>(&definition(event.step).action);
  if (call && event.agent == call->agent) {
    if (task.details) task.details->agent.clear();
  } else if (call) {
    task.detail().agent = event.agent;
  }
  const bool chosen = call && call->agent.empty() && event.role != TaskRole::classify;
  if (chosen && task.detail().called.empty()) task.detail().called = event.agent;
  if (!event.router.empty()) task.detail().called = event.router;
  if (!event.cache_key.empty()) task.detail().cache_key = event.cache_key;
  if (event.reserved) reserve(task, *event.reserved);
  const bool lookup = event.role == TaskRole::cache || event.role == TaskRole::recall;
  if (!lookup) ++step.attempts;
  if (!definition(event.step).for_each) {
    step.iterations = event.iteration;
    if (call && !lookup) step.agent = event.agent == call->agent ? "" : event.agent;
    if (event.role == TaskRole::sub_run) step.sub_run = sub_run_of(event.step, event.item);
  }
  move_task(event.step, event.item, TaskDispatched{});
}

void Run::on(const TaskWaiting& event, Timestamp at) {
  begin_attempt(event.step, event.item, event.attempt, event.link, event.iteration, TaskRole::work, at);
  StepRecord& step = record(event.step);
  ++step.attempts;
  if (!definition(event.step).for_each) step.iterations = event.iteration;
  if (const auto* person = std::get_if<ForPerson>(&event.wait); person && !person->agent.empty()) {
    TaskRecord& task = this->task(event.step, event.item);
    task.input = person->show;
    task.has_input = true;
    const auto& call = std::get<AgentCall>(definition(event.step).action);
    if (person->agent != call.agent) task.detail().agent = person->agent;
    if (call.agent.empty() && task.detail().called.empty()) task.detail().called = person->agent;
    if (!definition(event.step).for_each) step.agent = person->agent == call.agent ? "" : person->agent;
  }
  move_task(event.step, event.item, TaskAwaiting{event.wait});
  if (const auto* sleep = std::get_if<UntilTime>(&event.wait)) {
    wake_at({sleep->until, WakeupReason::sleep, event.step, event.item});
  }
}

void Run::on(const TaskRouted& event, Timestamp at) {
  TaskRecord& task = begin_task(event.step, event.item, at);
  end_attempt(event.step, event.item, event.usage);
  if (event.input) {
    task.input = *event.input;
    task.has_input = true;
  }
  task.detail().routed = event.to;
  task.detail().called = event.router;
  move_task(event.step, event.item, TaskUnscheduled{});
}

void Run::on(const TaskSucceeded& event, Timestamp at) {
  end_attempt(event.step, event.item, event.usage);
  TaskRecord& task = this->task(event.step, event.item);
  if (event.again) {
    ++task.iteration;
    task.link = 0;
    task.role = TaskRole::work;
    task.earlier_attempts = task.attempt.value();
    task.input = {};
    task.has_input = false;
    TaskDetails& details = task.detail();
    details.last_output = event.output;
    details.called.clear();
    details.routed.clear();
    details.agent.clear();
    details.cache_key.clear();
    details.last_error.reset();
    return move_task(event.step, event.item, TaskUnscheduled{});
  }
  if (!definition(event.step).for_each) {
    return end_step(event.step, StepDone{ReadableValue(event.output), std::nullopt}, at);
  }
  task.input = {};
  task.details.reset();
  move_task(event.step, event.item, TaskDone{event.output});
}

void Run::on(const TaskFailed& event, Timestamp) {
  end_attempt(event.step, event.item, event.usage);
  if (event.retry_at) {
    move_task(event.step, event.item, TaskBackingOff{*event.retry_at});
    return wake_at({*event.retry_at, WakeupReason::retry, event.step, event.item});
  }
  if (!event.fall_back) return move_task(event.step, event.item, TaskGivenUp{event.error});
  TaskRecord& task = this->task(event.step, event.item);
  ++task.link;
  task.earlier_attempts = task.attempt.value();
  if (task.role != TaskRole::cache) task.detail().last_error = event.error;
  move_task(event.step, event.item, TaskUnscheduled{});
}

void Run::on(const SignalReceived& event, Timestamp) {
  signals_.push_back(event);
  seen_signals_.push_back(event.id);
  if (seen_signals_.size() > kMaxSignals) seen_signals_.erase(seen_signals_.begin());
}

void Run::on(const EventDelivered& event, Timestamp) {
  if (event.seq) return;
  std::erase_if(signals_, [&](const SignalReceived& signal) { return signal.id == event.id; });
}

bool Run::has_seen_signal(const std::string& id) const {
  return std::ranges::find(seen_signals_, id) != seen_signals_.end() ||
         std::ranges::find(signals_, id, &SignalReceived::id) != signals_.end();
}

TaskRecord& Run::task(StepIndex step, ItemIndex item) {
  StepRecord& owner = record(step);
  GANGLION_ASSERT(item.value() < owner.tasks.size());
  return owner.tasks[item.value()];
}

const TaskRecord* Run::find_task(StepIndex step, ItemIndex item) const {
  const auto& tasks = this->step(step).tasks;
  return item.value() < tasks.size() ? &tasks[item.value()] : nullptr;
}

const std::string& Run::agent_of(StepIndex step, ItemIndex item) const {
  static const std::string kNobody;
  const TaskRecord* task = find_task(step, item);
  if (task && task->details && !task->details->agent.empty()) return task->details->agent;
  const StepAction& action = definition(step).action;
  if (const auto* call = std::get_if<AgentCall>(&action)) return call->agent;
  if (const auto* sub = std::get_if<SubWorkflow>(&action)) return sub->workflow;
  return kNobody;
}

RunId Run::sub_run_of(StepIndex step, ItemIndex item) const {
  const TaskRecord* task = find_task(step, item);
  GANGLION_ASSERT(task != nullptr);
  return RunId::of_sub_run({id_, step, item, task->attempt}, task->scheduled_at);
}

Budget Run::largest_use(const std::string& agent) const {
  const auto found = largest_.find(agent);
  return found == largest_.end() ? Budget() : found->second;
}

std::vector<AttemptToken> Run::open_attempts(StepIndex index) const {
  std::vector<AttemptToken> tokens;
  const auto& tasks = step(index).tasks;
  if (!std::holds_alternative<StepRunning>(step(index).state)) return tokens;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const bool open = std::holds_alternative<TaskDispatched>(tasks[i].state) ||
                      std::holds_alternative<TaskAwaiting>(tasks[i].state);
    if (open) tokens.push_back({id_, index, ItemIndex(static_cast<std::uint32_t>(i)), tasks[i].attempt});
  }
  return tokens;
}

std::vector<AttemptToken> Run::open_attempts() const {
  std::vector<AttemptToken> tokens;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    std::ranges::move(open_attempts(StepIndex(static_cast<std::uint32_t>(i))), std::back_inserter(tokens));
  }
  return tokens;
}

std::vector<AttemptToken> Run::given_up() const {
  std::vector<AttemptToken> tokens;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const StepIndex step(static_cast<std::uint32_t>(i));
    if (!stops_the_run(step)) continue;
    for (std::size_t j = 0; j < steps_[i].tasks.size(); ++j) {
      const TaskRecord& task = steps_[i].tasks[j];
      if (std::holds_alternative<TaskGivenUp>(task.state))
        tokens.push_back({id_, step, ItemIndex(static_cast<std::uint32_t>(j)), task.attempt});
    }
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
