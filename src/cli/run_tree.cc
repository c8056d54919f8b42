#include "cli/run_tree.h"

#include <algorithm>
#include <charconv>
#include <set>
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

RunTree::RunTree(std::string run_id, std::string workflow, std::vector<std::string> steps, Needs needs)
    : run_id_(std::move(run_id)), workflow_(std::move(workflow)), needs_(std::move(needs)) {
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
    pause(entry);
  } else if (entry.type == "run_resumed") {
    resume();
  } else if (entry.type == "run_forked") {
    fork(entry);
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

bool RunTree::has_sub_run() const {
  const auto is_one = [](const auto& entry) {
    return entry.second.mood == TaskMood::under_way && entry.second.sub_run;
  };
  return !ended() && std::ranges::any_of(
                         steps_, [&](const Step& step) { return std::ranges::any_of(step.tasks, is_one); });
}

// A failure that pauses the run leaves its step unfinished.
void RunTree::pause(const JournalEntry& entry) {
  status_ = "paused";
  if (!entry.step) return;
  paused_at_ = entry.seq;
  step_named(*entry.step).status = "paused";
}

void RunTree::resume() {
  status_ = "running";
  paused_at_ = 0;
  for (Step& step : steps_) {
    if (step.status != "paused") continue;
    step.status = step.tasks.empty() ? "pending" : "running";
    for (auto& [item, task] : step.tasks) {
      if (task.mood == TaskMood::failed) set_mood(step, task, TaskMood::unseen);
    }
  }
}

// What stands before is another run's, shared; its clock is not this run's.
void RunTree::fork(const JournalEntry& entry) {
  reopen();
  paused_at_ = 0;
  started_at_ = entry.at;
  const std::string step = text_of(entry, "from_step").value_or("");
  if (positions_.contains(step)) start_over(step);
}

// A step, and everything that needs it.
void RunTree::start_over(const std::string& name) {
  std::vector<std::string> open = {name};
  std::set<std::string> seen = {name};
  while (!open.empty()) {
    const std::string current = std::move(open.back());
    open.pop_back();
    Step& step = step_named(current);
    step = Step{};
    step.name = current;
    for (const auto& [other, needs] : needs_) {
      if (std::ranges::find(needs, current) == needs.end() || !positions_.contains(other)) continue;
      if (seen.insert(other).second) open.push_back(other);
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
  } else if (entry.type == "approval_decided" || entry.type == "event_delivered") {
    step.status = "running";
    set_mood(step, step.tasks[entry.item.value_or(0)], TaskMood::under_way);
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
    schedule(step, task, entry);
  } else if (entry.type == "task_waiting") {
    wait(step, task, entry);
  } else if (entry.type == "task_routed") {
    task.routed_to = text_of(entry, "to").value_or("");
  } else if (entry.type == "task_failed") {
    fail(step, task, entry);
  } else if (entry.type == "task_succeeded") {
    task.error.clear();
    add_tokens(entry);
    if (is_set(entry, "again")) return set_mood(step, task, TaskMood::under_way);
    set_mood(step, task, TaskMood::done);
    if (!step.items) end_step(step, entry, "completed");
  }
}

void RunTree::schedule(Step& step, Task& task, const JournalEntry& entry) {
  step.status = "running";
  task.iteration = iteration_of(entry);
  const std::string role = text_of(entry, "role").value_or("");
  const std::string agent = text_of(entry, "agent").value_or("");
  task.sub_run = role == "sub_run";
  const auto performer = [&]() -> std::string {
    if (role == "sub_run") return "workflow " + agent;
    if (role == "cache" || role == "recall") return "cache";
    if (role == "classify") return "classifier " + agent;
    if (!task.routed_to.empty() && task.routed_to == agent) return "routed to " + agent;
    return task.fell_back ? "fallback " + agent : "";
  };
  task.performer = performer();
  set_mood(step, task, TaskMood::under_way);
}

void RunTree::wait(Step& step, Task& task, const JournalEntry& entry) {
  const auto waited = wait_of(entry);
  step.status = step.items ? "running" : "waiting";
  task.iteration = iteration_of(entry);
  task.wait = waited->what;
  task.needs_person = waited->kind == WaitText::Kind::person;
  task.names_people = task.needs_person && waited->names_people;
  set_mood(step, task, TaskMood::waiting);
}

void RunTree::fail(Step& step, Task& task, const JournalEntry& entry) {
  const bool falls_back = is_set(entry, "fall_back");
  task.error = error_of(entry);
  // Nothing in the cache is nothing that has gone wrong.
  if (falls_back && task.performer == "cache") {
    task.error.clear();
  } else if (falls_back) {
    task.fell_back = true;
  }
  const bool goes_on = falls_back || text_of(entry, "retry_at").has_value();
  set_mood(step, task, goes_on ? TaskMood::backing_off : TaskMood::failed);
  add_tokens(entry);
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
      case TaskMood::waiting:
        return &step.waiting;
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
