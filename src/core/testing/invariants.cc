#include "core/testing/invariants.h"

#include "base/overloaded.h"

namespace ganglion::testing {

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
            TaskHistory& task = tasks_[{e.step.value(), e.item.value()}];
            require(!task.in_flight && !task.accepted, "a task was scheduled that was under way or done");
            require(e.attempt.value() == task.attempt + 1, "attempts grow one by one");
            require(!task.not_before || at >= *task.not_before, "a retry came before its pause was over");
            task.attempt = e.attempt.value();
            task.in_flight = true;
          },
          [&](const TaskSucceeded& e) {
            TaskHistory& task = tasks_[{e.step.value(), e.item.value()}];
            require(task.in_flight && e.attempt.value() == task.attempt,
                    "a result counted that was not current");
            require(!task.accepted, "a task has two accepted results");
            task.in_flight = false;
            task.accepted = true;
            if (!workflow_.steps[e.step.value()].for_each) ends(e.step);
          },
          [&](const TaskFailed& e) {
            TaskHistory& task = tasks_[{e.step.value(), e.item.value()}];
            require(task.in_flight && e.attempt.value() == task.attempt,
                    "a failure counted that was not current");
            task.in_flight = false;
            ++task.failures;
            const RetryPolicy& policy = workflow_.steps[e.step.value()].retry;
            require(task.failures <= policy.max_attempts, "more attempts than allowed");
            require(!e.retry_at || *e.retry_at >= at + std::min(policy.initial, policy.max),
                    "a pause shorter than its minimum");
            task.not_before = e.retry_at;
          },
          [&](const StepSleeping& e) {
            starts(e.step);
            asleep_[e.step.value()] = e.until;
          },
          [&](const StepCompleted& e) {
            ends(e.step);
            const auto sleep = asleep_.find(e.step.value());
            require(sleep == asleep_.end() || at >= sleep->second, "a sleep ended early");
          },
          [&](const StepFailed& e) {
            ends(e.step);
            broken_steps_.insert(e.step.value());
          },
          [&](const StepSkipped& e) {
            starts(e.step);
            ends(e.step);
          },
          [&](const RunPaused&) { paused_ = true; },
          [&](const RunResumed&) { paused_ = false; },
          [&](const RunRetried&) {
            require(final_, "a run was retried that had not ended");
            final_ = false;
            paused_ = false;
            asleep_.clear();
            for (const std::uint32_t step : broken_steps_) {
              if (workflow_.steps[step].on_failure == OnFailure::fail_run) ended_steps_.erase(step);
            }
            broken_steps_.clear();
            for (auto& [key, task] : tasks_) {
              task.in_flight = false;
              task.failures = 0;
              task.not_before.reset();
            }
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
