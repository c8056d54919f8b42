// Carrying out what is durable: tasks go to agents, sub-runs start, the cache is asked, deadlines are
// watched.

#include <algorithm>
#include <utility>

#include "base/json_text.h"
#include "base/overloaded.h"
#include "coordinator/cell.h"
#include "coordinator/placement.h"
#include "coordinator/sessions.h"
#include "core/chain.h"

namespace ganglion {
namespace {

constexpr Duration kInsist{100};  // between two tries to tell a run something, while the store is unavailable

// What an agent is asked in this attempt.
Payload asked(const Run& run, const AttemptToken& token, const TaskRecord& task) {
  if (task.role != TaskRole::classify) return task.input;
  const auto& call = std::get<AgentCall>(run.definition(token.step).action);
  const std::string& called = call.agent.empty() && task.details ? task.details->called : call.agent;
  const auto router = run.project().agents.find(called);
  if (router == run.project().agents.end()) return task.input;
  return question_of(std::get<RouterAgent>(router->second.backend), task.input);
}

bool has_fallback(const Run& run, const AttemptToken& token, const TaskRecord& task) {
  if (task.role != TaskRole::work) return task.role == TaskRole::classify;
  return task.link + 1 < chain_of(run, token.step, token.item).size();
}

// Of failures of a sub-run that another one would repeat.
constexpr std::string_view kHopeless[] = {"budget_exceeded", "invalid_input", "too_deep"};

// How a sub-run has ended, as the report of the task that it performed.
TaskReport report_of_sub_run(const Run& child) {
  std::optional<Payload> usage;
  if (!child.usage().empty()) usage = Payload(usage_json(child.usage()));
  TaskReport report{.token = *child.created().origin->parent,
                    .outcome = {},
                    .worker = "run " + child.id().text(),
                    .started_at = child.created_at(),
                    .by_engine = true};
  const std::string name = "the run " + child.id().text() + " of " + child.workflow().name;
  report.outcome = std::visit(
      Overloaded{
          [&](const RunDone& done) -> decltype(report.outcome) { return TaskSuccess{done.output, usage}; },
          [&](const RunBroken& broken) -> decltype(report.outcome) {
            const bool retryable = std::ranges::find(kHopeless, broken.error->code) == std::end(kHopeless);
            return TaskFailure{broken.error->code, name + " failed: " + broken.error->message, retryable,
                               usage};
          },
          [&](const RunCalledOff& called_off) -> decltype(report.outcome) {
            return TaskFailure{"cancelled", name + " was cancelled: " + called_off.reason, false, usage};
          },
          [&](const RunActive&) -> decltype(report.outcome) { return TaskFailure{}; },
          [&](const RunOnHold&) -> decltype(report.outcome) { return TaskFailure{}; }},
      child.state());
  return report;
}

}  // namespace

void Coordinator::carry_out(const Run& run, const Batch& batch) {
  for (const AttemptToken& token : batch.withdrawn) tasks_.withdraw(token);
  for (const RunId& child : batch.called_off) {
    insist(child, Cancel{"the run " + run.id().text() + " that had started it doesn't need it any more"});
  }
  event_waits_.update(run);
  if (run.ended()) return report_end(run);
  bool all_again = false;
  for (const Event& event : batch.events) {
    if (std::holds_alternative<RunForked>(event)) all_again = true;
  }
  if (all_again) {
    for (const AttemptToken& token : run.open_attempts()) perform(run, token);
    return;
  }
  for (const Event& event : batch.events) {
    const auto* scheduled = std::get_if<TaskScheduled>(&event);
    if (scheduled != nullptr) perform(run, {run.id(), scheduled->step, scheduled->item, scheduled->attempt});
  }
  // Sub-runs that begin with this commit are there to be told.
  for (const Event& event : batch.events) {
    if (std::holds_alternative<RunPaused>(event)) tell_sub_runs(run, Pause{.by_parent = true});
    if (std::holds_alternative<RunResumed>(event)) tell_sub_runs(run, Resume{.by_parent = true});
  }
}

bool Coordinator::UnderWay::has(const AttemptToken& token) const {
  return std::ranges::find(attempts, token, &Attempt::token) != attempts.end();
}

Coordinator::UnderWay Coordinator::under_way(const Run& run) {
  UnderWay now;
  if (run.ended()) return now;
  now.on_hold = std::holds_alternative<RunOnHold>(run.state());
  for (const AttemptToken& token : run.open_attempts()) {
    const bool by_run = run.find_task(token.step, token.item)->role == TaskRole::sub_run;
    now.attempts.push_back(
        {token, by_run ? std::optional(run.sub_run_of(token.step, token.item)) : std::nullopt});
  }
  return now;
}

// What another engine has decided, from what the run was to what it is.
void Coordinator::carry_out_since(const Run& run, const UnderWay& before) {
  call_off_since(run, before);
  if (run.ended()) return report_end(run);
  const UnderWay now = under_way(run);
  for (const UnderWay::Attempt& attempt : now.attempts) {
    if (!before.has(attempt.token)) perform(run, attempt.token);
  }
  if (now.on_hold && !before.on_hold) tell_sub_runs(run, Pause{.by_parent = true});
  if (!now.on_hold && before.on_hold) tell_sub_runs(run, Resume{.by_parent = true});
}

void Coordinator::call_off_since(const Run& run, const UnderWay& before) {
  if (before.attempts.empty()) return;
  const UnderWay now = under_way(run);
  for (const UnderWay::Attempt& attempt : before.attempts) {
    if (now.has(attempt.token)) continue;
    if (attempt.sub_run) {
      insist(*attempt.sub_run,
             Cancel{"the run " + run.id().text() + " that had started it doesn't need it any more"});
    } else {
      tasks_.withdraw(attempt.token);
    }
  }
}

// If the attempt is still what the run wants: what came after it in the same commit may have ended it.
void Coordinator::perform(const Run& run, const AttemptToken& token) {
  const TaskRecord* task = run.find_task(token.step, token.item);
  const bool current = task != nullptr && task->attempt == token.attempt &&
                       std::holds_alternative<StepRunning>(run.step(token.step).state) &&
                       std::holds_alternative<TaskDispatched>(task->state);
  if (!current) return;
  switch (task->role) {
    case TaskRole::work:
    case TaskRole::classify:
      return dispatch(run, token);
    case TaskRole::cache:
    case TaskRole::recall:
      return recall(run, token);
    case TaskRole::sub_run:
      return start_sub_run(run, token);
  }
}

void Coordinator::dispatch(const Run& run, const AttemptToken& token) {
  const StepDefinition& step = run.definition(token.step);
  const TaskRecord& task = *run.find_task(token.step, token.item);
  const std::string& agent = run.agent_of(token.step, token.item);
  const auto definition = run.project().agents.find(agent);
  const RunCreated& created = run.created();
  tasks_.dispatch(
      {.token = token,
       .iteration = task.iteration,
       .agent = agent,
       .definition = run.project().digest,
       .workflow = run.workflow().name,
       .step = step.name,
       .mapped = step.for_each.has_value(),
       .input = asked(run, token, task),
       .timeout = definition == run.project().agents.end() ? Duration(30'000) : definition->second.timeout,
       .session_id = created.session_id,
       .traceparent = created.traceparent,
       .priority = step.priority.value_or(created.priority),
       .fairness_key = tenant_of(created),
       .fallback_follows = has_fallback(run, token, task),
       .state_version = task.state_version,
       .scheduled_at = task.scheduled_at});
}

// If the run still wants it.
void Coordinator::perform_again(const AttemptToken& token) {
  inspect(token.run, [this, token](Result<const Run*> run) {
    if (run) return perform(**run, token);
    if (run.error().code == "unavailable") perform_later(token);
  });
}

// After a store that was unavailable.
void Coordinator::perform_later(const AttemptToken& token) {
  clock_.at(clock_.now() + kInsist, [this, alive = std::weak_ptr(alive_), token] {
    if (!alive.expired()) perform_again(token);
  });
}

// --- the cache
// ------------------------------------------------------------------------------------------------------

void Coordinator::recall(const Run& run, const AttemptToken& token) {
  const TaskRecord& task = *run.find_task(token.step, token.item);
  const auto& policy = run.definition(token.step).cache;
  const std::optional<Duration> ttl =
      task.role == TaskRole::cache && policy ? std::optional(policy->ttl) : std::nullopt;
  auto found = [this, token, ttl, scheduled_at = task.scheduled_at](Result<CachedOutput> cached) {
    if (!cached && cached.error().code == "unavailable") {
      return perform_later(token);
    }
    const bool fresh = cached && (!ttl || cached->at + *ttl > clock_.now());
    TaskReport report{
        .token = token, .outcome = {}, .worker = "cache", .started_at = scheduled_at, .by_engine = true};
    if (fresh) {
      report.outcome = TaskSuccess{cached->output};
    } else {
      report.outcome = TaskFailure{"cache_miss", "the cache has no answer to this input", false, {}};
    }
    insist(token.run, std::move(report));
  };
  store_.find_cached(task.details ? task.details->cache_key : std::string(), std::move(found));
}

// --- sub-runs
// -----------------------------------------------------------------------------------------------------

void Coordinator::start_sub_run(const Run& parent, const AttemptToken& token) {
  const RunId id = parent.sub_run_of(token.step, token.item);
  const auto known = cells_.find(id);
  if (known != cells_.end() && (known->second->run || known->second->loading)) return look_after(id, token);
  const std::string& name = parent.agent_of(token.step, token.item);
  const auto workflow = parent.project().workflows.find(name);
  const RunCreated& above = parent.created();
  if (workflow->second.reads_state && above.session_id && !sessions_.find(*above.session_id)) {
    // The parent may want something else by then.
    sessions_.load(*above.session_id, [this, token](const Result<Sessions::Snapshot>& state) {
      if (state) return perform_again(token);
      perform_later(token);
    });
    return;
  }
  const TaskRecord& task = *parent.find_task(token.step, token.item);
  RunCreated created{
      .workflow = name,
      .definition = parent.project().digest,
      .input = task.input,
      .session_id = above.session_id,
      .priority = parent.definition(token.step).priority.value_or(above.priority),
      .labels = above.labels,
      .traceparent = above.traceparent,
      .origin = Rare(RunOrigin{.parent = token,
                               .parent_step = parent.definition(token.step).name,
                               .parent_mapped = parent.definition(token.step).for_each.has_value(),
                               .depth = above.origin->depth + 1,
                               .cause = above.origin->cause,
                               .budget = task.details ? task.details->reserved : std::nullopt})};
  Cell& child =
      new_cell(id, std::make_unique<Run>(id, definitions_.find(parent.project().digest), workflow->second));
  Batch batch;
  batch.creates = true;
  batch.at = clock_.now();
  child.run->apply(created, batch.at);
  batch.events.emplace_back(std::move(created));
  count_open(child);
  if (std::holds_alternative<RunOnHold>(parent.state())) {
    decide_first(child, Pause{.by_parent = true}, batch);
  }
  decide_first(child, Wake{}, batch);
  batch.started = [this, id, token](Result<StartedRun> started) {
    if (!started) return perform_later(token);
    // A run that exists is the one that was started before a restart.
    if (started->existed) look_after(id, token);
  };
  commit(child, std::move(batch));
}

// The run is here or on its way; if it has ended, its parent may not know.
void Coordinator::look_after(const RunId& child, const AttemptToken& task) {
  inspect(child, [this, task](Result<const Run*> run) {
    if (!run && (run.error().code == "unavailable" || run.error().code == "not_found")) {
      return perform_later(task);
    }
    if (run && (*run)->ended()) report_to_parent(**run);
  });
}

void Coordinator::tell_sub_runs(const Run& run, const Input& input) {
  for (const AttemptToken& token : run.open_attempts()) {
    const TaskRecord& task = *run.find_task(token.step, token.item);
    const bool performing =
        task.role == TaskRole::sub_run && std::holds_alternative<TaskDispatched>(task.state);
    if (performing) insist(run.sub_run_of(token.step, token.item), input);
  }
}

void Coordinator::insist(const RunId& run, Input input) {
  Input again = input;
  enqueue(run,
          {.input = std::move(input),
           .done =
               [this, alive = std::weak_ptr(alive_), run, again = std::move(again)](Result<Verdict> verdict) {
                 if (alive.expired() || verdict || verdict.error().code != "unavailable") return;
                 clock_.at(clock_.now() + kInsist, [this, alive, run, again] {
                   if (!alive.expired()) insist(run, again);
                 });
               },
           .look = {}});
}

void Coordinator::report_end(const Run& run) {
  if (run.created().origin->parent) report_to_parent(run);
}

void Coordinator::report_to_parent(const Run& child) {
  clock_.post([this, alive = std::weak_ptr(alive_), report = report_of_sub_run(child)]() mutable {
    if (alive.expired()) return;
    if (placement_ && !looks_after(report.token.run)) return report_elsewhere(std::move(report));
    insist(report.token.run, std::move(report));
  });
}

// To whoever looks after the parent, which may be in another domain.
void Coordinator::report_elsewhere(TaskReport report) {
  const RunId parent = report.token.run;
  auto found = [this, alive = std::weak_ptr(alive_),
                report = std::move(report)](Result<RunRecord> record) mutable {
    if (alive.expired()) return;
    if (record) {
      if (placement_->is_home(record->id, record->workflow)) return insist(record->id, std::move(report));
      return placement_->report(std::move(report), record->workflow);
    }
    if (record.error().code != "unavailable") return;
    clock_.at(clock_.now() + kInsist, [this, alive, report = std::move(report)]() mutable {
      if (!alive.expired()) report_elsewhere(std::move(report));
    });
  };
  store_.find_run(parent, std::move(found));
}

// Whether the parent of an open sub-run still waits for it, and whether it is on hold: what it should have
// been told before a restart.
void Coordinator::check_parent(const RunId& child) {
  clock_.post([this, alive = std::weak_ptr(alive_), child] {
    if (alive.expired()) return;
    const auto found = cells_.find(child);
    if (found == cells_.end() || !found->second->run || found->second->run->ended()) return;
    const AttemptToken task = *found->second->run->created().origin->parent;
    inspect(task.run,
            [this, child, task](const Result<const Run*>& parent) { judge_by_parent(child, task, parent); });
  });
}

// What is known here of the parent may be older than the child, which another engine has started for it.
void Coordinator::call_off_unless_newer(const RunId& child, const RunId& parent, std::uint64_t version) {
  auto read = [this, child, parent](Result<std::vector<JournalEntry>> newer) {
    const bool gone = !newer && newer.error().code == "not_found";
    if (gone || (newer && newer->empty())) {
      return insist(child,
                    Cancel{"the run " + parent.text() + " that had started it doesn't need it any more"});
    }
    if (newer) load_again(parent);
    clock_.at(clock_.now() + (newer ? Duration(0) : kInsist), [this, alive = std::weak_ptr(alive_), child] {
      if (!alive.expired()) check_parent(child);
    });
  };
  store_.read_journal(parent, version, 1, std::move(read));
}

void Coordinator::judge_by_parent(const RunId& child, const AttemptToken& task, Result<const Run*> parent) {
  if (!parent && parent.error().code == "unavailable") {
    clock_.at(clock_.now() + kInsist, [this, alive = std::weak_ptr(alive_), child] {
      if (!alive.expired()) check_parent(child);
    });
    return;
  }
  const TaskRecord* record = parent ? (*parent)->find_task(task.step, task.item) : nullptr;
  const bool wanted = record != nullptr && record->attempt == task.attempt && !(*parent)->ended() &&
                      std::holds_alternative<StepRunning>((*parent)->step(task.step).state) &&
                      std::holds_alternative<TaskDispatched>(record->state);
  if (!wanted) {
    call_off_unless_newer(child, task.run, parent ? (*parent)->version() : 0);
  } else if (std::holds_alternative<RunOnHold>((*parent)->state())) {
    insist(child, Pause{.by_parent = true});
  } else {
    insist(child, Resume{.by_parent = true});
  }
}

// --- deadlines
// ------------------------------------------------------------------------------------------------------

// A deadline that has come is watched again when it has been decided, or refused.
void Coordinator::watch_deadline(Cell& cell, Timestamp not_before) {
  auto when = cell.run && cell.counted && !cell.wake_waiting ? cell.run->next_wakeup() : std::nullopt;
  if (when) when = std::max(*when, not_before);
  if (when == cell.timer_at) return;
  if (cell.timer_at) clock_.cancel(cell.timer);
  cell.timer_at = when;
  if (!when) return;
  cell.timer = clock_.at(*when, [this, run = cell.id] {
    Cell& due = cell_of(run);
    due.timer_at.reset();
    due.wake_waiting = true;
    auto done = [this, run](Result<Verdict>) { cell_of(run).wake_waiting = false; };
    enqueue(run, {.input = Wake{}, .done = std::move(done), .look = {}});
  });
}

}  // namespace ganglion
