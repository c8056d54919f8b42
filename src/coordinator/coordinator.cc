#include "coordinator/coordinator.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "coordinator/cell.h"
#include "coordinator/event_log.h"
#include "coordinator/placement.h"
#include "coordinator/sessions.h"
#include "core/fold.h"

namespace ganglion {

std::string tenant_of(const RunCreated& created) {
  const auto tenant = created.labels.find("tenant");
  return tenant == created.labels.end() ? created.workflow : "tenant " + tenant->second;
}

Coordinator::Coordinator(const Dependencies& dependencies, CoordinatorOptions options)
    : store_(dependencies.store),
      clock_(dependencies.clock),
      random_(dependencies.random),
      tasks_(dependencies.tasks),
      definitions_(dependencies.definitions),
      sessions_(dependencies.sessions),
      events_(dependencies.events),
      options_(std::move(options)) {}

Coordinator::~Coordinator() {
  for (auto& [id, cell] : cells_) clock_.cancel(cell->timer);
}

void Coordinator::problem(const RunId& run, const Error& error) const {
  if (options_.on_problem) options_.on_problem(run, error);
}

std::vector<OpenRuns> Coordinator::open_runs_by_definition() const {
  std::vector<OpenRuns> open;
  for (const auto& [key, runs] : open_by_definition_) open.push_back({key.first, key.second, runs});
  return open;
}

// --- inputs
// ---------------------------------------------------------------------------------------------------------

// A run that a client starts here is at home here, where it can be. What events start, one engine starts for
// all: that is spread.
RunId Coordinator::new_id(const std::string& workflow, StartedBy by) {
  constexpr int kDraws = 64;  // enough for a few dozen engines; beyond that some runs begin elsewhere
  RunId id;
  for (int i = 0; i < kDraws; ++i) {
    id = RunId::make(clock_.now(), static_cast<std::uint16_t>(random_.next()), random_.next());
    if (!placement_ || by == StartedBy::event || placement_->is_home(id, workflow)) break;
  }
  return id;
}

Coordinator::Cell& Coordinator::new_cell(const RunId& run, std::unique_ptr<Run> state) {
  Cell& cell = cell_of(run);
  cell.run = std::move(state);
  return cell;
}

Result<void> Coordinator::admit(const std::string& tenant) const {
  if (open_runs_ >= options_.max_open_runs) {
    return fail("overloaded",
                "there are " + std::to_string(open_runs_) + " open runs; try again when some have ended");
  }
  const auto found = open_by_tenant_.find(tenant);
  const std::size_t own = found == open_by_tenant_.end() ? 0 : found->second;
  const auto share =
      static_cast<std::size_t>(static_cast<double>(options_.max_open_runs) * options_.max_share);
  if (own < std::max<std::size_t>(share, 1)) return {};
  return fail("too_many_runs", tenant + " has " + std::to_string(own) +
                                   " open runs, its share; try again when some have ended");
}

void Coordinator::start_run(StartRequest request, Completion<Result<StartedRun>> done) {
  auto project = definitions_.active();
  const auto workflow =
      project ? project->workflows.find(request.workflow) : decltype(project->workflows.end()){};
  if (!project || workflow == project->workflows.end()) {
    return done(fail("not_found", "the active project has no workflow \"" + request.workflow + "\""));
  }
  const WorkflowDefinition& definition = workflow->second;
  if (!definition.reads_state || !request.session_id) {
    return start(std::move(request), std::move(project), definition, std::move(done));
  }
  const std::string session = *request.session_id;
  sessions_.load(session, [this, request = std::move(request), project = std::move(project), &definition,
                           done = std::move(done)](const Result<Sessions::Snapshot>& state) mutable {
    if (!state) return done(std::unexpected(state.error()));
    start(std::move(request), std::move(project), definition, std::move(done));
  });
}

void Coordinator::start(StartRequest request, std::shared_ptr<const Project> project,
                        const WorkflowDefinition& workflow, Completion<Result<StartedRun>> done) {
  RunCreated created{.workflow = std::move(request.workflow),
                     .definition = project->digest,
                     .input = std::move(request.input),
                     .session_id = std::move(request.session_id),
                     .priority = request.priority,
                     .labels = std::move(request.labels),
                     .traceparent = std::move(request.traceparent)};
  if (request.cause) created.origin.edit().cause = request.cause;
  if (auto admitted = admit(tenant_of(created)); !admitted) return done(std::unexpected(admitted.error()));
  const RunId id = new_id(created.workflow, created.origin->cause ? StartedBy::event : StartedBy::client);
  Cell& cell = new_cell(id, std::make_unique<Run>(id, std::move(project), workflow));
  Batch batch;
  batch.creates = true;
  batch.at = clock_.now();
  batch.claim = std::move(request.claim);
  batch.started = std::move(done);
  // What the run is counted by is known before it is decided.
  cell.run->apply(created, batch.at);
  batch.events.emplace_back(std::move(created));
  count_open(cell);
  decide_first(cell, Wake{}, batch);
  commit(cell, std::move(batch));
}

void Coordinator::decide_first(Cell& cell, const Input& input, Batch& batch) {
  const auto state = state_of(*cell.run);
  if (state) batch.state_version = state->version;
  Decision decision =
      decide(*cell.run, input, batch.at, {.state = state.get(), .last_event = events_.last()});
  batch.add(*cell.run, decision);
}

void Coordinator::fork_run(const RunId& from, std::string step, std::optional<Payload> input,
                           Completion<Result<RunId>> done) {
  auto finish = [done = std::move(done)](Result<StartedRun> started) mutable {
    done(started ? Result<RunId>(started->id) : std::unexpected(started.error()));
  };
  auto have_journal = [this, from, step = std::move(step), input = std::move(input)](
                          std::shared_ptr<const Project> project, const WorkflowDefinition* workflow,
                          Completion<Result<StartedRun>> finished,
                          Result<std::vector<JournalEntry>> journal) mutable {
    if (!journal) return finished(std::unexpected(journal.error()));
    if (!workflow->positions.contains(step)) {
      return finished(
          fail("unknown_step", "the workflow " + workflow->name + " has no step \"" + step + "\""));
    }
    const auto first =
        std::ranges::find_if(*journal, [&](const JournalEntry& entry) { return entry.step == step; });
    if (first == journal->end()) {
      return finished(
          fail("conflict", "the step " + step + " has not begun yet; there is nothing to fork from"));
    }
    journal->erase(first, journal->end());
    // What a person has decided was about what was shown then.
    const bool decided = std::ranges::any_of(
        *journal, [](const JournalEntry& entry) { return entry.type == "approval_decided"; });
    if (input && decided) {
      return finished(fail("conflict",
                           "a person has decided in the part that would be shared; fork from a step "
                           "before that, or without another input"));
    }
    RunForked forked{from, journal->size(), std::move(step), std::move(input)};
    const RunId id = new_id(workflow->name, StartedBy::client);
    fork(id, std::move(project), *std::move(journal), std::move(forked), std::move(finished));
  };
  auto look = [this, from, have_journal = std::move(have_journal),
               finish = std::move(finish)](Result<const Run*> run) mutable {
    if (!run) return finish(std::unexpected(run.error()));
    auto definitions = definitions_.find((*run)->project().digest);
    const WorkflowDefinition* workflow = &(*run)->workflow();
    read_journal(from, {},
                 [have_journal = std::move(have_journal), definitions, workflow,
                  finish = std::move(finish)](Result<std::vector<JournalEntry>> journal) mutable {
                   have_journal(std::move(definitions), workflow, std::move(finish), std::move(journal));
                 });
  };
  inspect(from, std::move(look));
}

void Coordinator::fork(const RunId& id, std::shared_ptr<const Project> project,
                       std::vector<JournalEntry> shared, RunForked forked,
                       Completion<Result<StartedRun>> done) {
  auto folded = fold(id, std::move(project), shared);
  if (!folded) return done(std::unexpected(folded.error()));
  if (auto admitted = admit(tenant_of((*folded)->created())); !admitted) {
    return done(std::unexpected(admitted.error()));
  }
  const auto session = (*folded)->created().session_id;
  auto go_on = [this, id, forked = std::move(forked),
                run = *std::move(folded)](Completion<Result<StartedRun>> done) mutable {
    Cell& cell = new_cell(id, std::move(run));
    count_open(cell);
    Batch batch;
    batch.creates = true;
    batch.from_version = forked.seq;
    batch.fork = ForkPoint{forked.from, forked.seq};
    batch.at = time_of_decision(*cell.run);
    batch.started = std::move(done);
    decide_first(cell, Fork{std::move(forked)}, batch);
    commit(cell, std::move(batch));
  };
  if (!session) return go_on(std::move(done));
  sessions_.load(*session, [go_on = std::move(go_on),
                            done = std::move(done)](const Result<Sessions::Snapshot>& state) mutable {
    if (!state) return done(std::unexpected(state.error()));
    go_on(std::move(done));
  });
}

void Coordinator::submit(const RunId& run, Input input, Completion<Result<void>> done) {
  auto answer = [done = std::move(done)](Result<Verdict> verdict) mutable {
    done(verdict ? Result<void>() : std::unexpected(verdict.error()));
  };
  enqueue(run, {.input = std::move(input), .done = std::move(answer), .look = {}});
}

void Coordinator::report(TaskReport report, TaskReports::Completion done) {
  auto answer = [done = std::move(done)](Result<Verdict> verdict) mutable {
    if (!verdict && verdict.error().code == "not_found") return done(Verdict::unknown);
    done(std::move(verdict));
  };
  const RunId run = report.token.run;
  enqueue(run, {.input = std::move(report), .done = std::move(answer), .look = {}});
}

void Coordinator::inspect(const RunId& run, Completion<Result<const Run*>> look) {
  enqueue(run, {.input = {}, .done = {}, .look = std::move(look)});
}

FollowerId Coordinator::follow(const RunId& run, Follower follower) {
  const FollowerId id(++last_follower_);
  Cell& cell = cell_of(run);
  cell.followers.edit().emplace(id, std::move(follower));
  if (asks_elsewhere(cell)) placement_->followed(run, cell.run->created().workflow);
  return id;
}

void Coordinator::unfollow(const RunId& run, FollowerId follower) {
  const auto found = cells_.find(run);
  if (found == cells_.end()) return;
  found->second->followers.edit().erase(follower);
  if (placement_ && found->second->followers->empty()) placement_->unfollowed(run);
  let_go(run);
}

void Coordinator::enqueue(const RunId& run, Pending pending) {
  Cell& cell = cell_of(run);
  const bool visiting = placement_ && !cell.counted;
  if (options_.sharing == StoreSharing::shared && (visiting || !pending.input)) cell.behind = true;
  cell.waiting.push_back(std::move(pending));
  if (cell.run) {
    settle(cell);
  } else if (!cell.loading) {
    load(run);
  }
}

// --- deciding
// ---------------------------------------------------------------------------------------------------------

void Coordinator::Batch::add(const Run& run, Decision& decision) {
  std::ranges::move(decision.events, std::back_inserter(events));
  // What comes later in the same batch may begin these tasks again: who performed them is known now.
  for (const AttemptToken& token : decision.withdrawn) {
    const TaskRecord* task = run.find_task(token.step, token.item);
    const bool known = task != nullptr && task->attempt == token.attempt;
    if (known && task->role == TaskRole::sub_run) {
      called_off.push_back(run.sub_run_of(token.step, token.item));
      continue;
    }
    withdrawn.push_back(token);
    const auto* awaiting = known ? std::get_if<TaskAwaiting>(&task->state) : nullptr;
    if (awaiting && std::holds_alternative<ForPerson>(awaiting->wait())) unasked.push_back(token);
  }
  std::ranges::move(decision.dead_letters, std::back_inserter(dead_letters));
  std::ranges::move(decision.revived, std::back_inserter(revived));
  std::ranges::move(decision.cached, std::back_inserter(cached));
}

// Another engine, whose clock is ahead, may have decided before.
Timestamp Coordinator::time_of_decision(const Run& run) const {
  return std::max(clock_.now(), run.last_at());
}

// Whether the session's state is at hand where expressions look at it; if not, it is being read.
bool Coordinator::has_state(Cell& cell) {
  if (cell.loading_state) return false;
  const Run& run = *cell.run;
  if (!run.workflow().reads_state || !run.created().session_id) return true;
  // One that has ended decides nothing, unless somebody opens it again.
  const auto reopens = [](const Pending& pending) {
    return pending.input && std::holds_alternative<Retry>(*pending.input);
  };
  if (run.ended() && std::ranges::none_of(cell.waiting, reopens)) return true;
  const std::string session = *run.created().session_id;
  if (sessions_.find(session)) return true;
  cell.loading_state = true;
  sessions_.load(session, [this, id = cell.id](const Result<Sessions::Snapshot>& state) {
    Cell& loaded = cell_of(id);
    loaded.loading_state = false;
    if (state) {
      if (loaded.run) settle(loaded);
      return;
    }
    refuse(std::exchange(loaded.waiting, {}), state.error());
    watch_deadline(loaded, clock_.now() + options_.reload_pause);
    let_go(id);
  });
  return !cell.loading_state;
}

std::shared_ptr<const StateSnapshot> Coordinator::state_of(const Run& run) {
  if (!run.workflow().reads_state || !run.created().session_id) return nullptr;
  return sessions_.find(*run.created().session_id);
}

void Coordinator::settle(Cell& cell) {
  while (cell.run && !cell.committing && !cell.settling && is_current(cell) && has_state(cell)) {
    cell.settling = true;
    Batch batch = decide_waiting(cell);
    if (!batch.events.empty()) return commit(cell, std::move(batch));
    const bool unwritten = options_.sharing == StoreSharing::shared && !batch.answers.empty();
    if (unwritten || batch.refuses()) return confirm(cell, std::move(batch));
    for (auto& answer : batch.answers) answer.pending.done(std::move(answer.result));
    cell.settling = false;
    if (cell.waiting.empty()) break;
  }
  watch_deadline(cell);
  let_go(cell.id);
}

Coordinator::Batch Coordinator::decide_waiting(Cell& cell) {
  Batch batch;
  batch.from_version = cell.run->version();
  batch.at = time_of_decision(*cell.run);
  batch.status_before = cell.run->status();
  batch.ended_before = cell.run->ended_at();
  const bool writes_state = cell.run->workflow().reads_state;
  const auto state = state_of(*cell.run);
  if (state) batch.state_version = state->version;
  const Surroundings around{.state = state.get(), .last_event = events_.last()};
  while (!cell.waiting.empty() && batch.answers.size() < options_.max_inputs_per_commit) {
    // A look sees durable state only: it waits until what was decided here is.
    if (!cell.waiting.front().input && !batch.events.empty()) break;
    // What the session's state is after a write is known when it is durable.
    const bool wrote_state = writes_state && std::ranges::any_of(batch.events, [](const Event& event) {
                               return std::holds_alternative<StateChanged>(event);
                             });
    if (wrote_state) break;
    Pending pending = std::move(cell.waiting.front());
    cell.waiting.pop_front();
    if (!pending.input) {
      pending.look(cell.run.get());
      continue;
    }
    Decision decision = decide(*cell.run, *pending.input, batch.at, around);
    Result<Verdict> result = decision.verdict;
    if (decision.refusal) result = std::unexpected(*std::move(decision.refusal));
    batch.add(*cell.run, decision);
    batch.answers.push_back({std::move(pending), std::move(result)});
  }
  return batch;
}

}  // namespace ganglion
