// The tasks of a run: attempts begin and end, and everything that is counted by their states.

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "base/overloaded.h"
#include "core/run.h"

namespace ganglion {
namespace {

// Empty: whoever the step names.
void perform_by(StepRecord& step, const std::string& agent) {
  if (agent != step.details->agent) step.details.edit().agent = agent;
}

}  // namespace

void Run::count(StepIndex step, ItemIndex item, const TaskState& state, std::ptrdiff_t by) {
  StepRunning& running = this->running(step);
  const auto change = [by](auto& counter) {
    counter =
        static_cast<std::remove_reference_t<decltype(counter)>>(static_cast<std::ptrdiff_t>(counter) + by);
  };
  const auto in_flight = [&] {
    change(running.in_flight);
    change(in_flight_);
  };
  std::visit(
      Overloaded{[&](const TaskUnscheduled&) {
                   if (by > 0) running.next_item = std::min(running.next_item, item.value());
                 },
                 [&](const TaskDispatched&) { in_flight(); }, [&](const TaskBackingOff&) { in_flight(); },
                 [&](const TaskAwaiting& awaiting) {
                   in_flight();
                   change(running.waiting);
                   change(waiting_);
                   if (!std::holds_alternative<ForEvent>(awaiting.wait())) return;
                   if (by > 0) {
                     details_.edit().event_waits.emplace(step, item);
                   } else {
                     details_.edit().event_waits.erase({step, item});
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
  if (RunDetails* details = details_.if_present()) details->postponed.erase({step, item});
}

void Run::reserve(TaskRecord& task, const Budget& amount) {
  task.detail().reserved = amount;
  RunDetails& details = details_.edit();
  add(details.reserved, amount, 1);
  ++details.reservations;
}

void Run::release(TaskRecord& task) {
  if (!task.details || !task.details->reserved) return;
  RunDetails& details = details_.edit();
  add(details.reserved, *task.details->reserved, -1);
  task.details->reserved.reset();
  // What sums of fractions leave behind would block the last task for ever.
  if (--details.reservations == 0) details.reserved = {};
}

void Run::end_attempt(StepIndex step, ItemIndex item, const std::optional<Payload>& reported) {
  TaskRecord& task = this->task(step, item);
  release(task);
  if (!reported) return;
  const Usage usage = read_usage(*reported);
  add(usage_.edit(), usage);
  add(record(step).details.edit().usage, usage);
  if (!budget() || task.role == TaskRole::sub_run) return;
  const Budget used = as_budget(usage);
  Budget& largest = details_.edit().largest[agent_of(step, item)];
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
    if (call && !lookup) perform_by(step, event.agent == call->agent ? "" : event.agent);
    if (event.role == TaskRole::sub_run) step.details.edit().sub_run = sub_run_of(event.step, event.item);
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
    if (!definition(event.step).for_each) perform_by(step, person->agent == call.agent ? "" : person->agent);
  }
  move_task(event.step, event.item, TaskAwaiting{event.wait});
  if (const auto* sleep = std::get_if<UntilTime>(&event.wait)) {
    wake_at({sleep->until, WakeupReason::sleep, event.step, event.item});
  }
}

void Run::on(const TaskRouted& event, Timestamp at) {
  TaskRecord& task = begin_task(event.step, event.item, at);
  if (budget() && event.attempt != Attempt(0))
    details_.edit().largest.try_emplace(agent_of(event.step, event.item));
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
  if (budget()) details_.edit().largest.try_emplace(agent_of(event.step, event.item));
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
    return end_step(event.step, StepDone{.output = ReadableValue(event.output), .error = {}}, at);
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
  if (!event.fall_back) return move_task(event.step, event.item, TaskGivenUp{Rare(event.error)});
  TaskRecord& task = this->task(event.step, event.item);
  ++task.link;
  task.earlier_attempts = task.attempt.value();
  if (task.role != TaskRole::cache) task.detail().last_error = event.error;
  move_task(event.step, event.item, TaskUnscheduled{});
}

void Run::on(const SignalReceived& event, Timestamp) {
  RunDetails& details = details_.edit();
  details.signals.push_back(event);
  details.seen_signals.push_back(event.id);
  if (details.seen_signals.size() > kMaxSignals) details.seen_signals.erase(details.seen_signals.begin());
}

void Run::on(const EventDelivered& event, Timestamp) {
  if (event.seq) return;
  std::erase_if(details_.edit().signals, [&](const SignalReceived& signal) { return signal.id == event.id; });
}

bool Run::has_seen_signal(const std::string& id) const {
  return std::ranges::find(details_->seen_signals, id) != details_->seen_signals.end() ||
         std::ranges::find(signals(), id, &SignalReceived::id) != signals().end();
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
  const auto found = details_->largest.find(agent);
  return found == details_->largest.end() ? Budget() : found->second;
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

}  // namespace ganglion
