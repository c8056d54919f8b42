#include "coordinator/coordinator.h"

#include <algorithm>
#include <iterator>
#include <list>
#include <ranges>
#include <utility>

#include "base/assert.h"
#include "base/overloaded.h"
#include "core/event_codec.h"
#include "core/fold.h"

namespace ganglion {
namespace {

constexpr std::uint32_t kJournalPage = 1000;  // entries a read
constexpr std::uint32_t kRecoveryPage = 200;  // runs a read

RunRecord record_of(const Run& run) {
  const RunCreated& created = run.created();
  return {.id = run.id(),
          .workflow = created.workflow,
          .definition = created.definition,
          .status = std::string(run.status()),
          .session_id = created.session_id,
          .labels = created.labels,
          .created_at = run.created_at(),
          .ended_at = run.ended_at()};
}

}  // namespace

// --- what waits and what is under way
// -------------------------------------------------------------------------------

// An input or a look, in the order in which they came.
struct Coordinator::Pending {
  // Nothing for a look.
  std::optional<Input> input;
  Completion<Result<Verdict>> done;
  Completion<Result<const Run*>> look;
};

// Decided and on its way to the store.
struct Coordinator::Batch {
  struct Answer {
    Pending pending;
    Result<Verdict> result;
  };

  std::uint64_t from_version = 0;
  Timestamp at;
  std::vector<Event> events;
  std::vector<AttemptToken> withdrawn;
  std::vector<Answer> answers;
  std::string status_before;
  std::optional<IdempotencyClaim> claim;
  Completion<Result<StartedRun>> started;  // of a new run
};

struct Coordinator::Cell {
  explicit Cell(RunId run_id) : id(std::move(run_id)) {}

  const RunId id;
  std::unique_ptr<Run> run;  // null while it is being read
  bool loading = false;
  bool committing = false;
  bool settling = false;  // its inputs are being decided or answered: what comes meanwhile waits its turn
  bool counted = false;   // among the open runs
  bool retired = false;   // among those that may be forgotten
  std::list<Pending> waiting;  // nearly always empty, and then it costs nothing
  std::map<FollowerId, Follower> followers;
  TimerId timer;
  std::optional<Timestamp> timer_at;

  bool needed() const {
    return loading || committing || settling || !waiting.empty() || !followers.empty() ||
           (run && !run->ended());
  }
};

Coordinator::Coordinator(Store& store, Clock& clock, Random& random, TaskQueue& tasks,
                         Definitions& definitions, CoordinatorOptions options)
    : store_(store),
      clock_(clock),
      random_(random),
      tasks_(tasks),
      definitions_(definitions),
      options_(std::move(options)) {}

Coordinator::~Coordinator() {
  for (auto& [id, cell] : cells_) clock_.cancel(cell->timer);
}

void Coordinator::problem(const RunId& run, const Error& error) const {
  if (options_.on_problem) options_.on_problem(run, error);
}

// --- inputs
// ---------------------------------------------------------------------------------------------------------

void Coordinator::start_run(StartRequest request, Completion<Result<StartedRun>> done) {
  const auto project = definitions_.active();
  const auto workflow =
      project ? project->workflows.find(request.workflow) : decltype(project->workflows.end()){};
  if (!project || workflow == project->workflows.end()) {
    return done(fail("not_found", "the active project has no workflow \"" + request.workflow + "\""));
  }
  if (open_runs_ >= options_.max_open_runs) {
    return done(fail("overloaded", "there are " + std::to_string(open_runs_) +
                                       " open runs; try again when some have ended"));
  }
  const RunId id = RunId::make(clock_.now(), static_cast<std::uint16_t>(random_.next()), random_.next());
  Cell& cell = cell_of(id);
  cell.run = std::make_unique<Run>(id, project, workflow->second);
  cell.counted = true;
  ++open_runs_;

  Batch batch;
  batch.at = clock_.now();
  batch.claim = std::move(request.claim);
  batch.started = std::move(done);
  RunCreated created{.workflow = std::move(request.workflow),
                     .definition = project->digest,
                     .input = std::move(request.input),
                     .session_id = std::move(request.session_id),
                     .priority = request.priority,
                     .labels = std::move(request.labels),
                     .traceparent = std::move(request.traceparent)};
  batch.events = decide(*cell.run, Start{std::move(created)}, batch.at).events;
  commit(cell, std::move(batch));
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
  cell_of(run).followers.emplace(id, std::move(follower));
  return id;
}

void Coordinator::unfollow(const RunId& run, FollowerId follower) {
  const auto found = cells_.find(run);
  if (found == cells_.end()) return;
  found->second->followers.erase(follower);
  let_go(run);
}

void Coordinator::enqueue(const RunId& run, Pending pending) {
  Cell& cell = cell_of(run);
  cell.waiting.push_back(std::move(pending));
  if (cell.run) {
    settle(cell);
  } else if (!cell.loading) {
    load(run);
  }
}

// --- getting hold of a run
// --------------------------------------------------------------------------------------------

Coordinator::Cell& Coordinator::cell_of(const RunId& run) {
  auto& slot = cells_[run];
  if (!slot) slot = std::make_unique<Cell>(run);
  return *slot;
}

void Coordinator::load(const RunId& run) {
  cell_of(run).loading = true;
  auto with_project = [this, run](Result<std::shared_ptr<const Project>> project) {
    if (!project) return loaded(run, std::unexpected(project.error()));
    read_journal(run, *std::move(project), {});
  };
  store_.find_run(run, [this, run, with_project](Result<RunRecord> record) {
    if (!record) return loaded(run, std::unexpected(record.error()));
    definitions_.load(record->definition, with_project);
  });
}

void Coordinator::read_journal(const RunId& run, std::shared_ptr<const Project> project,
                               std::vector<JournalEntry> journal) {
  const std::uint64_t after = journal.empty() ? 0 : journal.back().seq;
  auto read = [this, run, project,
               journal = std::move(journal)](Result<std::vector<JournalEntry>> page) mutable {
    if (!page) return loaded(run, std::unexpected(page.error()));
    const bool last = page->size() < kJournalPage;
    std::ranges::move(*page, std::back_inserter(journal));
    if (last) return loaded(run, fold(run, std::move(project), journal));
    read_journal(run, std::move(project), std::move(journal));
  };
  store_.read_journal(run, after, kJournalPage, std::move(read));
}

void Coordinator::loaded(const RunId& run, Result<std::unique_ptr<Run>> result) {
  Cell& cell = cell_of(run);
  cell.loading = false;
  if (!result) {
    if (result.error().code != "not_found") problem(run, result.error());
    std::list<Pending> refused = std::exchange(cell.waiting, {});
    if (cell.counted && result.error().code == "unavailable") {
      load_later(cell);
    } else if (cell.counted) {
      // Nothing will ever make it readable: a person has been told.
      cell.counted = false;
      --open_runs_;
    }
    for (Pending& pending : refused) {
      if (pending.input) {
        pending.done(std::unexpected(result.error()));
      } else {
        pending.look(std::unexpected(result.error()));
      }
    }
    return let_go(run);
  }
  cell.run = *std::move(result);
  if (!cell.run->ended() && !cell.counted) {
    cell.counted = true;
    ++open_runs_;
    // Recovery didn't see it; whoever has its tasks already ignores these.
    for (const AttemptToken& token : cell.run->dispatched()) dispatch(*cell.run, token, clock_.now());
  }
  watch_deadline(cell);
  settle(cell);
}

void Coordinator::recover(Completion<Result<std::size_t>> done) {
  recover_after(std::nullopt, 0, std::move(done));
}

void Coordinator::recover_after(std::optional<RunId> last, std::size_t count,
                                Completion<Result<std::size_t>> done) {
  auto read = [this, count, done = std::move(done)](Result<std::vector<OpenRun>> page) mutable {
    if (!page) return done(std::unexpected(page.error()));
    if (page->empty()) return done(count);
    adopt(*std::move(page), 0, count, std::move(done));
  };
  store_.read_open_runs(std::move(last), kRecoveryPage, std::move(read));
}

void Coordinator::adopt(std::vector<OpenRun> page, std::size_t next, std::size_t count,
                        Completion<Result<std::size_t>> done) {
  while (next < page.size()) {
    const std::string& digest = page[next].record.definition;
    auto project = definitions_.find(digest);
    if (!project) {
      std::string wanted = digest;
      auto go_on = [this, page = std::move(page), next, count,
                    done = std::move(done)](Result<std::shared_ptr<const Project>> loaded) mutable {
        if (!loaded && loaded.error().code == "unavailable") return done(std::unexpected(loaded.error()));
        if (!loaded) problem(page[next].record.id, loaded.error());
        adopt(std::move(page), loaded ? next : next + 1, count, std::move(done));
      };
      return definitions_.load(std::move(wanted), std::move(go_on));
    }
    adopt(page[next], std::move(project));
    ++next;
    ++count;
  }
  RunId last = page.back().record.id;
  recover_after(std::move(last), count, std::move(done));
}

void Coordinator::adopt(const OpenRun& open, std::shared_ptr<const Project> project) {
  auto run = fold(open.record.id, std::move(project), open.journal);
  if (!run) return problem(open.record.id, run.error());
  Cell& cell = cell_of(open.record.id);
  cell.run = *std::move(run);
  cell.counted = true;
  ++open_runs_;
  for (const AttemptToken& token : cell.run->dispatched()) dispatch(*cell.run, token, clock_.now());
  watch_deadline(cell);
}

// --- deciding
// ---------------------------------------------------------------------------------------------------------

void Coordinator::settle(Cell& cell) {
  while (cell.run && !cell.committing && !cell.settling) {
    cell.settling = true;
    Batch batch = decide_waiting(cell);
    if (!batch.events.empty()) return commit(cell, std::move(batch));
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
  batch.at = clock_.now();
  batch.status_before = cell.run->status();
  while (!cell.waiting.empty() && batch.answers.size() < options_.max_inputs_per_commit) {
    // A look sees durable state only: it waits until what was decided here is.
    if (!cell.waiting.front().input && !batch.events.empty()) break;
    Pending pending = std::move(cell.waiting.front());
    cell.waiting.pop_front();
    if (pending.input) {
      decide_one(cell, batch, std::move(pending));
    } else {
      pending.look(cell.run.get());
    }
  }
  return batch;
}

void Coordinator::decide_one(Cell& cell, Batch& batch, Pending pending) {
  Decision decision = decide(*cell.run, *pending.input, batch.at);
  std::ranges::move(decision.events, std::back_inserter(batch.events));
  std::ranges::move(decision.withdrawn, std::back_inserter(batch.withdrawn));
  Result<Verdict> result = decision.verdict;
  if (decision.refusal) result = std::unexpected(*std::move(decision.refusal));
  batch.answers.push_back({std::move(pending), std::move(result)});
}

void Coordinator::commit(Cell& cell, Batch batch) {
  const Run& run = *cell.run;
  Commit commit{.run = cell.id,
                .expected_version = batch.from_version,
                .events = {},
                .create = {},
                .status = {},
                .claim = batch.claim};
  commit.events.reserve(batch.events.size());
  std::uint64_t seq = batch.from_version;
  for (const Event& event : batch.events)
    commit.events.push_back(encode(event, ++seq, batch.at, run.workflow()));
  GANGLION_ASSERT(seq == run.version());
  if (batch.from_version == 0) {
    commit.create = record_of(run);
  } else if (run.status() != batch.status_before) {
    commit.status = StatusChange{std::string(run.status()), run.ended_at()};
  }
  cell.committing = true;
  cell.settling = false;
  auto finished = [this, id = cell.id, batch = std::move(batch)](CommitOutcome outcome) mutable {
    std::visit(Overloaded{[&](const Committed&) { committed(id, std::move(batch)); },
                          [&](const VersionConflict&) { try_again(id, std::move(batch)); },
                          [&](const KeyTaken& taken) { key_taken(id, std::move(batch), taken); },
                          [&](const StoreUnavailable& why) {
                            give_up(id, std::move(batch), {"unavailable", why.reason});
                          }},
               outcome);
  };
  store_.commit(std::move(commit), std::move(finished));
}

// --- what became of a commit
// --------------------------------------------------------------------------------------------

void Coordinator::committed(const RunId& run, Batch batch) {
  Cell& cell = cell_of(run);
  cell.committing = false;
  cell.settling = true;
  carry_out(*cell.run, batch);
  if (cell.run->ended() == cell.counted) {
    cell.counted = !cell.counted;
    open_runs_ = cell.counted ? open_runs_ + 1 : open_runs_ - 1;
  }
  tell_followers(cell, batch);
  if (batch.started) batch.started(StartedRun{run, false});
  for (auto& answer : batch.answers) answer.pending.done(std::move(answer.result));
  cell.settling = false;
  settle(cell);
}

void Coordinator::tell_followers(const Cell& cell, const Batch& batch) const {
  if (cell.followers.empty() && !options_.on_transition) return;
  std::vector<JournalEntry> entries;
  std::uint64_t seq = batch.from_version;
  for (const Event& event : batch.events)
    entries.push_back(encode(event, ++seq, batch.at, cell.run->workflow()));
  for (const JournalEntry& entry : entries) {
    if (options_.on_transition) options_.on_transition(cell.id, entry);
  }
  const auto followers = cell.followers;  // one may leave while another is called
  for (const auto& [id, follower] : followers) {
    if (cell.followers.contains(id)) follower(entries, *cell.run);
  }
}

// The journal has moved: somebody else decided. Read it, and decide the same inputs again.
void Coordinator::try_again(const RunId& run, Batch batch) {
  Cell& cell = cell_of(run);
  GANGLION_ASSERT(!batch.started);  // a new id is nobody else's
  cell.committing = false;
  cell.run.reset();
  for (auto& answer : batch.answers | std::views::reverse) cell.waiting.push_front(std::move(answer.pending));
  load(run);
}

void Coordinator::give_up(const RunId& run, Batch batch, const Error& error) {
  Cell& cell = cell_of(run);
  cell.committing = false;
  cell.run.reset();
  problem(run, error);
  if (batch.started) {
    cell.counted = false;
    --open_runs_;
    batch.started(std::unexpected(error));
    return let_go(run);
  }
  load_later(cell);
  for (auto& answer : batch.answers) answer.pending.done(std::unexpected(error));
}

// An open run is never left alone: its deadlines must be watched and its tasks handed out.
void Coordinator::load_later(Cell& cell) {
  cell.loading = true;
  watch_deadline(cell);
  cell.timer_at = clock_.now() + options_.reload_pause;
  cell.timer = clock_.at(*cell.timer_at, [this, run = cell.id] {
    cell_of(run).timer_at.reset();
    load(run);
  });
}

void Coordinator::key_taken(const RunId& run, Batch batch, const KeyTaken& taken) {
  Cell& cell = cell_of(run);
  cell.committing = false;
  cell.run.reset();
  cell.counted = false;
  --open_runs_;
  if (taken.body_digest == batch.claim->body_digest) {
    batch.started(StartedRun{taken.run, true});
  } else {
    batch.started(fail("idempotency_mismatch", "this Idempotency-Key started run " + taken.run.text() +
                                                   " with another request; use a new key for a new request"));
  }
  let_go(run);
}

void Coordinator::carry_out(const Run& run, const Batch& batch) {
  for (const AttemptToken& token : batch.withdrawn) tasks_.withdraw(token);
  if (run.ended()) return;
  for (const Event& event : batch.events) {
    const auto* scheduled = std::get_if<TaskScheduled>(&event);
    if (scheduled == nullptr) continue;
    // What came after it in the same batch may have ended it already.
    const StepRecord& step = run.step(scheduled->step);
    if (!std::holds_alternative<StepRunning>(step.state)) continue;
    const TaskRecord& task = step.tasks[scheduled->item.value()];
    if (task.attempt != scheduled->attempt || !std::holds_alternative<TaskDispatched>(task.state)) continue;
    dispatch(run, {run.id(), scheduled->step, scheduled->item, scheduled->attempt}, batch.at);
  }
}

void Coordinator::dispatch(const Run& run, const AttemptToken& token, Timestamp scheduled_at) {
  const StepDefinition& step = run.definition(token.step);
  const auto& agent = run.project().agents.at(std::get<AgentCall>(step.action).agent);
  tasks_.dispatch({.token = token,
                   .agent = agent.name,
                   .definition = run.created().definition,
                   .workflow = run.workflow().name,
                   .step = step.name,
                   .mapped = step.for_each.has_value(),
                   .input = run.step(token.step).tasks[token.item.value()].input,
                   .timeout = agent.timeout,
                   .session_id = run.created().session_id,
                   .traceparent = run.created().traceparent,
                   .priority = run.created().priority,
                   .scheduled_at = scheduled_at});
}

void Coordinator::watch_deadline(Cell& cell) {
  const auto when = cell.run ? cell.run->next_wakeup() : std::nullopt;
  if (when == cell.timer_at) return;
  if (cell.timer_at) clock_.cancel(cell.timer);
  cell.timer_at = when;
  if (!when) return;
  cell.timer = clock_.at(*when, [this, run = cell.id] {
    cell_of(run).timer_at.reset();
    enqueue(run, {.input = Wake{}, .done = [](Result<Verdict>) {}, .look = {}});
  });
}

// Frees the memory of a run that nobody needs: at once where nothing was read, after a while where it has
// ended.
void Coordinator::let_go(const RunId& run) {
  const auto found = cells_.find(run);
  if (found == cells_.end() || found->second->needed()) return;
  if (!found->second->run) {
    cells_.erase(found);
    return;
  }
  if (found->second->retired) return;
  found->second->retired = true;
  retired_.push_back(run);
  while (retired_.size() > options_.ended_runs_kept) {
    const auto oldest = cells_.find(retired_.front());
    retired_.pop_front();
    if (oldest == cells_.end()) continue;
    oldest->second->retired = false;
    if (!oldest->second->needed()) cells_.erase(oldest);
  }
}

}  // namespace ganglion
