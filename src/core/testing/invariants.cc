#include "core/testing/invariants.h"

#include <algorithm>
#include <cmath>

#include "base/overloaded.h"

namespace ganglion::testing {
namespace {

template <typename TaskEvent>
std::pair<std::uint32_t, std::uint32_t> key_of(const TaskEvent& event) {
  return {event.step.value(), event.item.value()};
}

}  // namespace

bool is_performed_by_engine(const Run& run, const AttemptToken& token) {
  const bool has_step = token.step.value() < run.steps().size();
  const TaskRecord* task = has_step ? run.find_task(token.step, token.item) : nullptr;
  return task != nullptr && task->role != TaskRole::work && task->role != TaskRole::classify;
}

void InvariantChecker::starts(StepIndex step) {
  require(!paused_, "a step started in a paused run");
  require(!ended_steps_.contains(step.value()), "a step started that had ended");
  for (const StepIndex need : workflow_.steps[step.value()].needs) {
    require(ended_steps_.contains(need.value()), "a step started before what it needs had ended");
  }
}

void InvariantChecker::ends(StepIndex step) {
  require(ended_steps_.insert(step.value()).second, "a step ended twice");
}

void InvariantChecker::final_state() {
  require(!final_, "a run reached two final states");
  final_ = true;
}

void InvariantChecker::forget(TaskHistory& task) {
  task.in_flight = false;
  task.failures = 0;
  task.not_before.reset();
}

template <typename Wanted>
void InvariantChecker::reopen(Wanted wanted) {
  for (auto at = broken_steps_.begin(); at != broken_steps_.end();) {
    if (!wanted(workflow_.steps[*at])) {
      ++at;
      continue;
    }
    ended_steps_.erase(*at);
    for (auto& [key, task] : tasks_) {
      if (key.first == *at) forget(task);
    }
    at = broken_steps_.erase(at);
  }
}

// A task has ended; if it waited for somebody, then by what came from there.
void InvariantChecker::answered(const TaskKey& task) {
  const bool waited = asked_.erase(task) + event_waits_.erase(task) > 0;
  const bool came = answered_.erase(task) > 0;
  require(!waited || came, "a wait ended without an answer");
}

void InvariantChecker::go_on_after_end() {
  final_ = false;
  for (auto& [key, task] : tasks_) forget(task);
  timers_.clear();
  asked_.clear();
  event_waits_.clear();
  answered_.clear();
}

void InvariantChecker::recount_step(const Run& run, StepIndex step) {
  const StepRecord& record = run.step(step);
  StepRunning counted{.next_item = static_cast<std::uint32_t>(record.tasks.size())};
  for (std::size_t i = record.tasks.size(); i-- > 0;) {
    std::visit(Overloaded{[&](const TaskUnscheduled&) { counted.next_item = static_cast<std::uint32_t>(i); },
                          [&](const TaskDispatched&) { ++counted.in_flight; },
                          [&](const TaskBackingOff&) { ++counted.in_flight; },
                          [&](const TaskAwaiting&) {
                            ++counted.in_flight;
                            ++counted.waiting;
                          },
                          [&](const TaskDone&) { ++counted.ended; },
                          [&](const TaskGivenUp&) {
                            ++counted.ended;
                            ++counted.given_up;
                          }},
               record.tasks[i].state);
  }
  const auto* running = std::get_if<StepRunning>(&record.state);
  if (running == nullptr) {
    require(run.open_attempts(step).empty(), "an ended step has tasks under way");
    return;
  }
  require(counted.next_item == running->next_item, "a step has lost a task that nobody has scheduled");
  require(counted.in_flight == running->in_flight, "a step has miscounted its tasks in flight");
  require(counted.waiting == running->waiting, "a step has miscounted its tasks that wait");
  require(counted.ended == running->ended, "a step has miscounted its tasks that ended");
  require(counted.given_up == running->given_up, "a step has miscounted its tasks that failed");
}

void InvariantChecker::recount(const Run& run) {
  std::size_t in_flight = 0;
  Budget reserved{.tokens = 0, .usd = 0};
  for (std::size_t i = 0; i < run.steps().size(); ++i) {
    recount_step(run, StepIndex(static_cast<std::uint32_t>(i)));
    const auto* running = std::get_if<StepRunning>(&run.steps()[i].state);
    if (running == nullptr) continue;
    in_flight += running->in_flight;
    for (const TaskRecord& task : run.steps()[i].tasks) {
      if (!task.details || !task.details->reserved) continue;
      reserved.tokens = *reserved.tokens + task.details->reserved->tokens.value_or(0);
      reserved.usd = *reserved.usd + task.details->reserved->usd.value_or(0);
    }
  }
  constexpr double kRounding = 1e-9;
  const auto same = [](double a, double b) { return std::abs(a - b) < kRounding; };
  require(in_flight == run.tasks_in_flight(), "the run has miscounted its tasks in flight");
  require(same(*reserved.tokens, run.reserved().tokens.value_or(0)), "tokens are reserved for nobody");
  require(same(*reserved.usd, run.reserved().usd.value_or(0)), "US dollars are reserved for nobody");
}

void InvariantChecker::observe(const Event& event, Timestamp at) {
  require(created_ != std::holds_alternative<RunCreated>(event),
          "run_created is the first event and only that");
  require(!final_ || may_follow_final(event), "something happened after the final state");
  created_ = true;
  std::visit(
      Overloaded{
          [](const RunCreated&) {},
          [&](const StepStarted& e) { starts(e.step); },
          [&](const TaskScheduled& e) {
            starts(e.step);
            TaskHistory& task = tasks_[key_of(e)];
            require(!task.in_flight && !task.accepted, "a task was scheduled that was under way or done");
            require(e.attempt.value() == task.attempt + 1, "attempts grow one by one");
            require(!task.not_before || at >= *task.not_before, "a retry came before its pause was over");
            if (e.role != task.role) task.failures = 0;
            task.role = e.role;
            task.attempt = e.attempt.value();
            task.in_flight = true;
          },
          [&](const TaskWaiting& e) {
            starts(e.step);
            TaskHistory& task = tasks_[key_of(e)];
            require(!task.in_flight && !task.accepted, "a task waits that was under way or done");
            require(e.attempt.value() == task.attempt + 1, "attempts grow one by one");
            task.attempt = e.attempt.value();
            task.in_flight = true;
            if (const auto* timer = std::get_if<UntilTime>(&e.wait)) timers_[key_of(e)] = timer->until;
            if (const auto* person = std::get_if<ForPerson>(&e.wait)) asked_[key_of(e)] = *person;
            if (const auto* event = std::get_if<ForEvent>(&e.wait)) event_waits_[key_of(e)] = event->since;
          },
          [&](const TaskRouted& e) {
            TaskHistory& task = tasks_[key_of(e)];
            require(task.in_flight == (e.attempt != Attempt(0)), "a route that ends no classifier's attempt");
            task.in_flight = false;
            task.failures = 0;
          },
          [&](const ApprovalDecided& e) {
            const auto asked = asked_.find(key_of(e));
            require(asked != asked_.end(), "a decision that nobody had asked for");
            if (asked == asked_.end()) return;
            require(asked->second.digest == e.digest, "a decision about something else than was shown");
            require(asked->second.by.empty() ||
                        std::ranges::find(asked->second.by, e.by) != asked->second.by.end(),
                    "a decision by somebody who was not asked");
            require(answered_.insert(key_of(e)).second, "two decisions about one thing");
          },
          [&](const SignalReceived& e) { require(signals_.insert(e.id).second, "a signal counted twice"); },
          [&](const EventDelivered& e) {
            const auto wait = event_waits_.find(key_of(e));
            require(wait != event_waits_.end(), "an event came to what did not wait for one");
            if (wait == event_waits_.end()) return;
            require(!e.seq || *e.seq > wait->second, "an event came to a wait that began after it");
            require(e.seq || signals_.contains(e.id), "a signal was used that had not come");
            require(e.seq || used_signals_.insert(e.id).second, "a signal was used twice");
            require(answered_.insert(key_of(e)).second, "two events came to one wait");
          },
          [](const EventPublished&) {},
          [](const StateChanged&) {},
          [&](const RunForked&) {
            if (final_) go_on_after_end();
            paused_ = false;
            // What is shared may end between an answer and what came of it.
            answered_.clear();
            reopen([](const StepDefinition& step) { return step.on_failure != OnFailure::continue_run; });
          },
          [&](const TaskSucceeded& e) {
            TaskHistory& task = tasks_[key_of(e)];
            require(task.in_flight && e.attempt.value() == task.attempt,
                    "a result counted that was not current");
            require(!task.accepted, "a task has two accepted results");
            answered(key_of(e));
            task.in_flight = false;
            if (const auto due = timers_.find(key_of(e)); due != timers_.end()) {
              require(at >= due->second, "a sleep ended early");
              timers_.erase(due);
            }
            if (!e.again) {
              task.accepted = true;
              if (!workflow_.steps[e.step.value()].for_each) ends(e.step);
            } else {
              ++task.iteration;
              require(task.iteration <= workflow_.steps[e.step.value()].max_iterations,
                      "more iterations than allowed");
            }
            task.failures = 0;
          },
          [&](const TaskFailed& e) {
            TaskHistory& task = tasks_[key_of(e)];
            require(task.in_flight && e.attempt.value() == task.attempt,
                    "a failure counted that was not current");
            task.in_flight = false;
            ++task.failures;
            const auto& policy = workflow_.steps[e.step.value()].retry;
            require(!policy || task.failures <= policy->max_attempts, "more attempts than allowed");
            require(!policy || !e.retry_at || *e.retry_at >= at + std::min(policy->initial, policy->max),
                    "a pause shorter than its minimum");
            task.not_before = e.retry_at;
            if (e.fall_back) task.failures = 0;
            timers_.erase(key_of(e));
            if (asked_.contains(key_of(e)) || event_waits_.contains(key_of(e))) answered(key_of(e));
          },
          [&](const StepCompleted& e) { ends(e.step); },
          [&](const StepFailed& e) {
            ends(e.step);
            const auto of_step = [&](const auto& entry) { return entry.first.first == e.step.value(); };
            std::erase_if(timers_, of_step);
            std::erase_if(asked_, of_step);
            std::erase_if(event_waits_, of_step);
            std::erase_if(answered_, [&](const TaskKey& key) { return key.first == e.step.value(); });
            broken_steps_.insert(e.step.value());
          },
          [&](const StepSkipped& e) {
            starts(e.step);
            ends(e.step);
          },
          [&](const RunPaused&) { paused_ = true; },
          [&](const RunResumed&) {
            paused_ = false;
            reopen([](const StepDefinition& step) { return step.on_failure == OnFailure::pause_run; });
          },
          [&](const RunRetried&) {
            require(final_, "a run was retried that had not ended");
            go_on_after_end();
            paused_ = false;
            reopen([](const StepDefinition& step) { return step.on_failure != OnFailure::continue_run; });
          },
          [&](const RunCompleted&) {
            require(ended_steps_.size() == workflow_.steps.size(),
                    "a run completed before its steps had ended");
            final_state();
          },
          [&](const RunFailed&) { final_state(); },
          [&](const RunCancelled&) { final_state(); },
      },
      event);
}

}  // namespace ganglion::testing
