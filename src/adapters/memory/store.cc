#include "adapters/memory/store.h"

#include <algorithm>
#include <utility>

#include "ports/commit_check.h"
#include "ports/run_query.h"

namespace ganglion::memory {
namespace {

Error run_not_found(const RunId& run) {
  return {"not_found", "there is no run " + run.text()};
}

Result<std::string> look_up(const std::map<std::string, std::string>& values, const std::string& key,
                            std::string_view what) {
  const auto found = values.find(key);
  if (found == values.end()) return fail("not_found", "there is no " + std::string(what) + " " + key);
  return found->second;
}

}  // namespace

template <typename T>
void Store::complete(Completion<T> done, T value) {
  clock_.post([alive = std::weak_ptr(alive_), done = std::move(done), value = std::move(value)]() mutable {
    if (!alive.expired()) done(std::move(value));
  });
}

void Store::commit(Commit commit, Completion<CommitOutcome> done) {
  complete<CommitOutcome>(std::move(done), apply(std::move(commit)));
}

CommitOutcome Store::apply(Commit commit) {
  assert_well_formed(commit);
  if (commit.claim) {
    const auto taken = claims_.find(commit.claim->key);
    if (taken != claims_.end()) return taken->second;
  }
  auto found = runs_.find(commit.run);
  const std::uint64_t version = found == runs_.end() ? 0 : found->second.journal.size();
  if (version != commit.expected_version) return VersionConflict{version};

  if (commit.claim) claims_.emplace(commit.claim->key, KeyTaken{commit.run, commit.claim->body_digest});
  if (commit.create) found = runs_.emplace(commit.run, OpenRun{std::move(*commit.create), {}}).first;
  RunRecord& record = found->second.record;
  if (commit.status) {
    record.status = std::move(commit.status->status);
    record.ended_at = commit.status->ended_at;
  }
  if (record.ended_at)
    open_.erase(commit.run);
  else
    open_.insert(commit.run);
  for (JournalEntry& event : commit.events) {
    last_time_ = std::max(last_time_, event.at);
    found->second.journal.push_back(std::move(event));
  }
  return Committed{};
}

void Store::read_journal(RunId run, std::uint64_t after, std::uint32_t limit,
                         Completion<Result<std::vector<JournalEntry>>> done) {
  Result<std::vector<JournalEntry>> answer;
  const auto found = runs_.find(run);
  if (found == runs_.end()) {
    answer = std::unexpected(run_not_found(run));
  } else {
    const std::vector<JournalEntry>& journal = found->second.journal;
    const std::size_t from = std::min<std::uint64_t>(after, journal.size());
    const std::size_t count = std::min<std::size_t>(limit, journal.size() - from);
    const auto first = journal.begin() + static_cast<std::ptrdiff_t>(from);
    answer = std::vector<JournalEntry>(first, first + static_cast<std::ptrdiff_t>(count));
  }
  complete(std::move(done), std::move(answer));
}

void Store::find_run(RunId run, Completion<Result<RunRecord>> done) {
  const auto found = runs_.find(run);
  Result<RunRecord> answer = std::unexpected(run_not_found(run));
  if (found != runs_.end()) answer = found->second.record;
  complete(std::move(done), std::move(answer));
}

void Store::list_runs(RunQuery query, Completion<Result<std::vector<RunRecord>>> done) {
  std::vector<RunRecord> listed;
  auto at = query.before ? runs_.lower_bound(*query.before) : runs_.end();
  while (at != runs_.begin() && listed.size() < query.limit) {
    --at;
    if (matches(at->second.record, query)) listed.push_back(at->second.record);
  }
  complete<Result<std::vector<RunRecord>>>(std::move(done), std::move(listed));
}

void Store::read_open_runs(std::optional<RunId> after, std::uint32_t limit,
                           Completion<Result<std::vector<OpenRun>>> done) {
  std::vector<OpenRun> open;
  for (auto at = after ? open_.upper_bound(*after) : open_.begin(); at != open_.end() && open.size() < limit;
       ++at) {
    open.push_back(runs_.at(*at));
  }
  complete<Result<std::vector<OpenRun>>>(std::move(done), std::move(open));
}

void Store::put_definition(std::string digest, std::string source, Completion<Result<void>> done) {
  definitions_.emplace(std::move(digest), std::move(source));
  complete(std::move(done), Result<void>());
}

void Store::get_definition(std::string digest, Completion<Result<std::string>> done) {
  complete(std::move(done), look_up(definitions_, digest, "definition"));
}

void Store::put_setting(std::string name, std::string value, Completion<Result<void>> done) {
  settings_.insert_or_assign(std::move(name), std::move(value));
  complete(std::move(done), Result<void>());
}

void Store::get_setting(std::string name, Completion<Result<std::string>> done) {
  complete(std::move(done), look_up(settings_, name, "setting"));
}

void Store::last_time(Completion<Result<Timestamp>> done) {
  complete(std::move(done), Result<Timestamp>(last_time_));
}

std::vector<std::string> Store::weaker_promises() const {
  return {"the store is in memory: nothing survives the end of the process"};
}

}  // namespace ganglion::memory
