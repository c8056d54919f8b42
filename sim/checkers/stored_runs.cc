#include "sim/checkers/stored_runs.h"

#include <algorithm>

#include "core/fold.h"
#include "core/workflow.h"

namespace ganglion::sim {
namespace {

constexpr std::uint32_t kAll = 10'000'000;

}  // namespace

std::shared_ptr<const Project> Projects::of(StoreServer& store, const std::string& digest) {
  if (const auto known = known_.find(digest); known != known_.end()) return known->second;
  const auto source = store.ask<Result<std::string>>(
      [&](Store& backing, auto answer) { backing.get_definition(digest, std::move(answer)); });
  std::shared_ptr<const Project> project;
  if (source) project = compile_(*source).value_or(nullptr);
  known_.emplace(digest, project);
  return project;
}

std::vector<StoredRun> stored_runs(StoreServer& store, Projects& projects) {
  RunQuery everything;
  everything.limit = kAll;
  auto records = store.ask<Result<std::vector<RunRecord>>>(
      [&](Store& backing, auto answer) { backing.list_runs(everything, std::move(answer)); });
  std::vector<StoredRun> runs;
  for (RunRecord& record : *records) {
    auto journal = store.ask<Result<std::vector<JournalEntry>>>(
        [&](Store& backing, auto answer) { backing.read_journal(record.id, 0, kAll, std::move(answer)); });
    StoredRun run{std::move(record), *std::move(journal), nullptr, {}};
    const auto project = projects.of(store, run.record.definition);
    if (!project) {
      run.problem = "its project file is gone";
    } else if (auto folded = fold(run.record.id, project, run.journal)) {
      run.run = *std::move(folded);
    } else {
      run.problem = folded.error().message;
    }
    runs.push_back(std::move(run));
  }
  std::ranges::reverse(runs);
  return runs;
}

std::size_t count_open_runs(StoreServer& store) {
  return store
      .ask<Result<std::vector<OpenRun>>>(
          [&](Store& backing, auto answer) { backing.read_open_runs(std::nullopt, kAll, std::move(answer)); })
      ->size();
}

std::size_t count_uncopied_runs(StoreServer& store) {
  return *store.ask<Result<std::uint64_t>>(
      [](Store& backing, auto answer) { backing.count_outbox(std::move(answer)); });
}

}  // namespace ganglion::sim
