// Getting hold of runs: reading them, taking up those that have not ended, letting go of them.

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/mutants.h"
#include "coordinator/cell.h"
#include "coordinator/placement.h"
#include "core/fold.h"

namespace ganglion {
namespace {

constexpr std::uint32_t kJournalPage = 1000;  // entries a read
constexpr std::uint32_t kRecoveryPage = 200;  // runs a read

}  // namespace

Coordinator::Cell& Coordinator::cell_of(const RunId& run) {
  auto& slot = cells_[run];
  if (!slot) slot = std::make_unique<Cell>(run);
  return *slot;
}

bool Coordinator::is_home(const Run& run) const {
  return !placement_ || placement_->is_home(run.id(), run.created().workflow);
}

// Whether what those who follow it wait for is written by another engine.
bool Coordinator::asks_elsewhere(const Cell& cell) const {
  return placement_ && !cell.followers->empty() && cell.run && !cell.run->ended() && !is_home(*cell.run);
}

bool Coordinator::looks_after(const RunId& run) const {
  const auto found = cells_.find(run);
  return found != cells_.end() && found->second->counted.has_value();
}

void Coordinator::load(const RunId& run) {
  Cell& cell = cell_of(run);
  cell.loading = true;
  cell.behind = false;  // what is read now is new enough
  auto with_project = [this, run](Result<std::shared_ptr<const Project>> project) {
    if (!project) return loaded(run, std::unexpected(project.error()));
    read_journal(run, {}, [this, run, project = *project](Result<std::vector<JournalEntry>> journal) {
      if (!journal) return loaded(run, std::unexpected(journal.error()));
      loaded(run, fold(run, project, *journal));
    });
  };
  store_.find_run(run, [this, run, with_project](Result<RunRecord> record) {
    if (!record) return loaded(run, std::unexpected(record.error()));
    definitions_.load(record->definition, with_project);
  });
}

void Coordinator::read_journal(const RunId& run, std::vector<JournalEntry> journal,
                               Completion<Result<std::vector<JournalEntry>>> done) {
  const std::uint64_t after = journal.empty() ? 0 : journal.back().seq;
  auto read = [this, run, journal = std::move(journal),
               done = std::move(done)](Result<std::vector<JournalEntry>> page) mutable {
    if (!page) return done(std::unexpected(page.error()));
    const bool last = page->size() < kJournalPage;
    std::ranges::move(*page, std::back_inserter(journal));
    if (last) return done(std::move(journal));
    read_journal(run, std::move(journal), std::move(done));
  };
  store_.read_journal(run, after, kJournalPage, std::move(read));
}

void Coordinator::loaded(const RunId& run, Result<std::unique_ptr<Run>> result) {
  Cell& cell = cell_of(run);
  cell.loading = false;
  if (!result) {
    if (result.error().code != "not_found") problem(run, result.error());
    std::list<Pending> refused = std::exchange(cell.waiting, {});
    if ((cell.counted || cell.heard) && result.error().code == "unavailable") {
      load_later(cell);
    } else if (cell.counted) {
      // Nothing will ever make it readable: a person has been told.
      count_ended(cell);
      event_waits_.clear(run);
    }
    refuse(std::move(refused), result.error());
    return let_go(run);
  }
  cell.run = *std::move(result);
  const UnderWay before = *std::exchange(cell.before, {});
  const bool heard = std::exchange(cell.heard, false);
  const bool home = is_home(*cell.run);
  if (home) call_off_since(*cell.run, before);
  if (home && !cell.run->ended()) {
    // Where recovery didn't see it, or a commit of it failed: whoever has its tasks already ignores these.
    take_up(cell);
  } else {
    // Another engine has ended it, or looks after it.
    leave(cell);
    if (home && heard) report_end(*cell.run);
  }
  if (asks_elsewhere(cell)) placement_->followed(run, cell.run->created().workflow);
  watch_deadline(cell);
  // What another engine has written meanwhile they read for themselves, if it is more than the end.
  cell.settling = true;
  tell_followers(cell, std::span<const JournalEntry>());
  cell.settling = false;
  settle(cell);
}

void Coordinator::refuse(std::list<Pending> inputs, const Error& error) {
  for (Pending& pending : inputs) {
    if (pending.input) {
      pending.done(std::unexpected(error));
    } else {
      pending.look(std::unexpected(error));
    }
  }
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

// Another engine has gone on with it. A commit that is under way will find out by itself.
void Coordinator::load_again(const RunId& run) {
  Cell& cell = cell_of(run);
  if (!cell.run || cell.committing || cell.settling || cell.catching_up) return;
  cell.run.reset();
  load(run);
}

// Whether nobody asks for more than the run in memory knows; otherwise it is on its way.
bool Coordinator::is_current(Cell& cell) {
  if (cell.catching_up) return false;
  if (!cell.behind) return true;
  cell.behind = false;
  cell.catching_up = true;
  store_.read_journal(
      cell.id, cell.run->version(), kJournalPage,
      [this, run = cell.id](Result<std::vector<JournalEntry>> newer) { catch_up(run, std::move(newer)); });
  return false;
}

// What is new has been carried out by whoever wrote it where no run has a home, else by the home.
void Coordinator::catch_up(const RunId& run, Result<std::vector<JournalEntry>> newer) {
  Cell& cell = cell_of(run);
  cell.catching_up = false;
  if (!newer) {
    refuse(std::exchange(cell.waiting, {}), newer.error());
    if (placement_ && cell.counted) written_elsewhere_later(run);
    return settle(cell);
  }
  const UnderWay before = placement_ && cell.counted ? under_way(*cell.run) : UnderWay();
  for (const JournalEntry& entry : *newer) {
    if (fold_next(*cell.run, entry)) continue;
    cell.before.edit() = before;
    cell.run.reset();
    return load(run);
  }
  if (newer->size() == kJournalPage) cell.behind = true;
  const bool home = is_home(*cell.run);
  const bool looked_after = home && !cell.run->ended();
  const bool came_home = looked_after && !cell.counted;
  if (!looked_after) count_ended(cell);
  if (came_home && placement_) {
    take_up(cell);
  } else if (came_home) {
    count_open(cell);
  }
  if (home && !newer->empty()) {
    event_waits_.update(*cell.run);
    if (placement_ && !came_home) carry_out_since(*cell.run, before);
  }
  if (!newer->empty()) tell_followers(cell, *newer);
  settle(cell);
}

// Tasks without a result stay where they are: the new home hands them out again.
void Coordinator::leave(Cell& cell) {
  count_ended(cell);
  event_waits_.clear(cell.id);
  watch_deadline(cell);
}

void Coordinator::written_elsewhere_later(const RunId& run) {
  clock_.at(clock_.now() + options_.reload_pause, [this, alive = std::weak_ptr(alive_), run] {
    if (!alive.expired()) written_elsewhere(run);
  });
}

void Coordinator::written_elsewhere(const RunId& run) {
  Cell& cell = cell_of(run);
  cell.heard = !cell.run;
  cell.behind = true;
  if (cell.run) {
    settle(cell);
  } else if (!cell.loading) {
    load(run);
  }
}

// Everything that an open run has asked for and that may not have been carried out.
void Coordinator::take_up(Cell& cell) {
  if (!cell.counted) count_open(cell);
  const Run& run = *cell.run;
  if (kOutbox) {
    for (const AttemptToken& token : run.open_attempts()) perform(run, token);
  }
  event_waits_.update(run);
  if (run.created().origin->parent) check_parent(run.id());
}

void Coordinator::count_open(Cell& cell) {
  const RunCreated& created = cell.run->created();
  ++open_runs_;
  const auto tenant = open_by_tenant_.try_emplace(tenant_of(created)).first;
  const auto definition =
      open_by_definition_.try_emplace({cell.run->project().digest, created.workflow}).first;
  ++tenant->second;
  ++definition->second;
  cell.counted = Cell::Counted{tenant, definition};
}

// Also of one that is not counted: it has got another home while it was on its way to the store.
void Coordinator::count_ended(Cell& cell) {
  if (!cell.counted) return;
  --open_runs_;
  if (--cell.counted->tenant->second == 0) open_by_tenant_.erase(cell.counted->tenant);
  if (--cell.counted->definition->second == 0) open_by_definition_.erase(cell.counted->definition);
  cell.counted.reset();
}

// --- recovery
// -----------------------------------------------------------------------------------------------------

void Coordinator::recover(Completion<Result<std::size_t>> done) {
  sweep(std::move(done));
}

void Coordinator::homes_changed(Engines engines, Completion<Result<std::size_t>> done) {
  std::vector<RunId> leaving;
  for (const auto& [id, cell] : cells_) {
    if (cell->counted && cell->run && !is_home(*cell->run)) leaving.push_back(id);
  }
  std::ranges::sort(leaving);
  for (const RunId& run : leaving) {
    Cell& cell = cell_of(run);
    // The new home may not know that it is one: it was away for a while and hasn't noticed.
    placement_->written(run, cell.run->created().workflow);
    leave(cell);
    if (asks_elsewhere(cell)) placement_->followed(run, cell.run->created().workflow);
    let_go(run);
  }
  if (engines == Engines::lost) return sweep_until_done(std::move(done));
  clock_.post([this, alive = std::weak_ptr(alive_), done = std::move(done)]() mutable {
    if (!alive.expired()) done(open_runs_);
  });
}

// However long the store is unavailable: nobody else may know of these runs.
void Coordinator::sweep_until_done(Completion<Result<std::size_t>> done) {
  sweep([this, alive = std::weak_ptr(alive_), done = std::move(done)](Result<std::size_t> open) mutable {
    if (open) return done(std::move(open));
    clock_.at(clock_.now() + options_.reload_pause, [this, alive, done = std::move(done)]() mutable {
      if (!alive.expired()) sweep_until_done(std::move(done));
    });
  });
}

// One at a time: what changes meanwhile is looked for by another one.
void Coordinator::sweep(Completion<Result<std::size_t>> done) {
  if (sweeping_) return next_sweep_.push_back(std::move(done));
  sweeping_ = true;
  for (const auto& [id, cell] : cells_) {
    if (cell->counted && cell->run && placement_) unseen_.insert(id);
  }
  auto swept = [this, done = std::move(done)](Result<std::size_t> open) mutable {
    sweeping_ = false;
    // Those are not open any more: somebody who took this engine for gone has ended them.
    for (const RunId& run : std::exchange(unseen_, {})) {
      if (open && looks_after(run)) written_elsewhere(run);
    }
    auto next = std::exchange(next_sweep_, {});
    done(std::move(open));
    for (auto& wanted : next) sweep(std::move(wanted));
  };
  recover_after(std::nullopt, 0, std::move(swept));
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
    if (adopt(page[next], std::move(project))) ++count;
    ++next;
  }
  RunId last = page.back().record.id;
  recover_after(std::move(last), count, std::move(done));
}

// Whether this engine looks after it.
bool Coordinator::adopt(const OpenRun& open, std::shared_ptr<const Project> project) {
  const RunId& id = open.record.id;
  unseen_.erase(id);
  if (placement_ && !placement_->is_home(id, open.record.workflow)) return false;
  Cell& cell = cell_of(id);
  // A sub-run whose parent was taken up first, or one that somebody has asked for, is here or on its way.
  if (cell.loading) return true;
  if (cell.run) {
    adopt_known(cell, open.journal.empty() ? 0 : open.journal.back().seq);
    return true;
  }
  auto run = fold(id, std::move(project), open.journal);
  if (!run) {
    problem(id, run.error());
    return false;
  }
  cell.run = *std::move(run);
  take_up(cell);
  watch_deadline(cell);
  if (!cell.waiting.empty()) settle(cell);
  return true;
}

// Those that have another home: it may have gone right after their end, before it told anybody.
void Coordinator::look_after_sub_runs(const Run& run) {
  for (const UnderWay::Attempt& attempt : under_way(run).attempts) {
    if (attempt.sub_run && !looks_after(*attempt.sub_run)) look_after(*attempt.sub_run, attempt.token);
  }
}

// It was here before: as another engine's run that somebody looked at, or with an older journal.
void Coordinator::adopt_known(Cell& cell, std::uint64_t version) {
  const bool busy = cell.committing || cell.settling || cell.catching_up;
  if (!cell.counted && !busy && !cell.run->ended()) {
    take_up(cell);
    watch_deadline(cell);
  }
  if (version > cell.run->version() || !cell.counted) cell.behind = true;
  if (cell.counted) look_after_sub_runs(*cell.run);
  settle(cell);
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
