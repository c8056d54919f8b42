#include "core/testing/invariants.h"

#include <algorithm>

#include "base/overloaded.h"

namespace ganglion::testing {
namespace {

template <typename TaskEvent>
std::pair<std::uint32_t, std::uint32_t> key_of(const TaskEvent& event) {
  return {event.step.value(), event.item.value()};
}

}  // namespace

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
            asked_.erase(asked);
          },
          [&](const SignalReceived& e) { require(signals_.insert(e.id).second, "a signal counted twice"); },
          [&](const EventDelivered& e) {
            require(e.seq.has_value() || signals_.contains(e.id), "a signal was used that had not come");
          },
          [](const EventPublished&) {},
          [](const StateChanged&) {},
          [](const RunForked&) {},
          [&](const TaskSucceeded& e) {
            TaskHistory& task = tasks_[key_of(e)];
            require(task.in_flight && e.attempt.value() == task.attempt,
                    "a result counted that was not current");
            require(!task.accepted, "a task has two accepted results");
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
          },
          [&](const StepCompleted& e) { ends(e.step); },
          [&](const StepFailed& e) {
            ends(e.step);
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
            final_ = false;
            paused_ = false;
            for (auto& [key, task] : tasks_) forget(task);
            timers_.clear();
            asked_.clear();
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
