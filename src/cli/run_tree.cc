#include "cli/run_tree.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "base/json_text.h"
#include "cli/journal_text.h"

namespace ganglion::cli {
namespace {

bool is_final(std::string_view status) {
  return status == "completed" || status == "failed" || status == "skipped" || status == "cancelled";
}

}  // namespace

RunTree::RunTree(std::string run_id, std::string workflow, std::vector<std::string> steps)
    : run_id_(std::move(run_id)), workflow_(std::move(workflow)) {
  for (const std::string& name : steps) step_named(name);
}

RunTree::Step& RunTree::step_named(const std::string& name) {
  const auto [position, added] = positions_.try_emplace(name, steps_.size());
  if (added) steps_.emplace_back().name = name;
  return steps_[position->second];
}

void RunTree::apply(const JournalEntry& entry) {
  if (entry.seq <= last_seq_) return;
  last_seq_ = entry.seq;
  if (!started_at_) started_at_ = entry.at;
  if (entry.type.starts_with("run_")) {
    apply_to_run(entry);
  } else if (entry.step) {
    apply_to_step(step_named(*entry.step), entry);
  }
}

void RunTree::apply_to_run(const JournalEntry& entry) {
  if (entry.type == "run_paused") {
    status_ = "paused";
  } else if (entry.type == "run_resumed") {
    status_ = "running";
  } else if (entry.type == "run_retried") {
    reopen();
  } else if (entry.type != "run_created") {
    status_ = entry.type.substr(4);
    error_ = error_of(entry);
    if (entry.type == "run_cancelled") error_ = text_of(entry, "reason").value_or("");
    ended_at_ = entry.at;
    for (Step& step : steps_) {
      if (!is_final(step.status)) end_step(step, entry, "cancelled");
    }
  }
}

// What failed or was called off is tried again; what is done stays.
void RunTree::reopen() {
  status_ = "running";
  error_.clear();
  ended_at_.reset();
  for (Step& step : steps_) {
    if (step.status != "failed" && step.status != "cancelled") continue;
    step.status = step.tasks.empty() ? "pending" : "running";
    step.error.clear();
    step.ended_at.reset();
    for (auto& [item, task] : step.tasks) {
      if (task.mood != TaskMood::done) set_mood(step, task, TaskMood::unseen);
    }
  }
}

void RunTree::apply_to_step(Step& step, const JournalEntry& entry) {
  if (!step.started_at) step.started_at = entry.at;
  if (entry.type.starts_with("task_")) {
    apply_to_task(step, entry);
  } else if (entry.type == "step_started") {
    step.items = item_count(entry);
    step.status = "running";
  } else if (entry.type == "step_sleeping") {
    step.status = "waiting";
  } else if (entry.type == "step_completed") {
    end_step(step, entry, "completed");
  } else if (entry.type == "step_failed") {
    end_step(step, entry, "failed");
  } else if (entry.type == "step_skipped") {
    end_step(step, entry, "skipped");
  }
}

void RunTree::apply_to_task(Step& step, const JournalEntry& entry) {
  Task& task = step.tasks[entry.item.value_or(0)];
  task.attempt = entry.attempt.value_or(task.attempt);
  if (entry.type == "task_scheduled") {
    step.status = "running";
    set_mood(step, task, TaskMood::under_way);
  } else if (entry.type == "task_succeeded") {
    task.error.clear();
    set_mood(step, task, TaskMood::done);
    add_tokens(entry);
    if (!step.items) end_step(step, entry, "completed");
  } else if (entry.type == "task_failed") {
    task.error = error_of(entry);
    set_mood(step, task, text_of(entry, "retry_at") ? TaskMood::backing_off : TaskMood::failed);
  }
}

void RunTree::set_mood(Step& step, Task& task, TaskMood mood) {
  const auto counter = [&](TaskMood which) -> std::size_t* {
    switch (which) {
      case TaskMood::unseen:
        return nullptr;
      case TaskMood::under_way:
        return &step.under_way;
      case TaskMood::backing_off:
        return &step.backing_off;
      case TaskMood::done:
        return &step.done;
      case TaskMood::failed:
        return &step.failed;
    }
    return nullptr;
  };
  if (auto* before = counter(task.mood)) --*before;
  if (auto* after = counter(mood)) ++*after;
  task.mood = mood;
}

void RunTree::end_step(Step& step, const JournalEntry& entry, std::string status) {
  step.status = std::move(status);
  if (entry.type.starts_with("step_")) step.error = error_of(entry);
  if (step.started_at) step.ended_at = entry.at;
}

// Agents report usage under names of their own; what counts tokens says so in its name.
void RunTree::add_tokens(const JournalEntry& entry) {
  JsonMembers data(entry.data);
  while (const auto member = data.next()) {
    if (member->name != "usage") continue;
    JsonMembers usage(member->value);
    while (const auto amount = usage.next()) {
      double value = 0;
      const std::string_view text = amount->value;
      const bool is_number = std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
      if (is_number && value > 0 && amount->name.contains("token") && !amount->name.contains("total"))
        tokens_ += value;
    }
  }
}

}  // namespace ganglion::cli
