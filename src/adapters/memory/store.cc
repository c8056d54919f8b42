#include "adapters/memory/store.h"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

#include "base/mutants.h"
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
  if (std::optional<CommitOutcome> refusal = refusal_of(commit)) return std::move(*refusal);
  if (commit.claim) claims_.emplace(commit.claim->key, KeyTaken{commit.run, commit.claim->body_digest});
  if (commit.create) runs_.emplace(commit.run, Run{std::move(*commit.create), commit.fork, {}});
  Run& run = runs_.at(commit.run);
  if (commit.status) {
    run.record.status = std::move(commit.status->status);
    run.record.ended_at = commit.status->ended_at;
    run.record.usage = std::move(commit.status->usage);
  }
  if (run.record.ended_at)
    open_.erase(commit.run);
  else
    open_.insert(commit.run);
  for (JournalEntry& event : commit.events) {
    last_time_ = std::max(last_time_, event.at);
    run.own.push_back(std::move(event));
  }
  outbox_.note(commit.run, clock_.now());
  return apply_rest(commit);
}

std::optional<CommitOutcome> Store::refusal_of(const Commit& commit) const {
  if (commit.state && commit.state->expected_version) {
    const std::uint64_t actual = states_.version(commit.state->session);
    if (actual != *commit.state->expected_version) return StateMoved{actual};
  }
  if (commit.claim && kDeduplication) {
    const auto taken = claims_.find(commit.claim->key);
    if (taken != claims_.end()) return taken->second;
  }
  const std::uint64_t version = version_of(commit.run);
  const bool at_version = version == commit.expected_version || !kVersionCheck;
  const bool may_go_on = commit.create ? !runs_.contains(commit.run) : at_version;
  if (!may_go_on) return VersionConflict{version};
  if (commit.fork && version_of(commit.fork->run) < commit.fork->seq)
    return VersionConflict{version_of(commit.fork->run)};
  return std::nullopt;
}

std::uint64_t Store::version_of(const RunId& run) const {
  const auto found = runs_.find(run);
  return found == runs_.end() ? 0 : found->second.version();
}

Committed Store::apply_rest(Commit& commit) {
  Committed committed;
  blobs_.refer(commit.blobs);
  for (const RecordKey& key : commit.removed_records) records_.remove(key.kind, key.id);
  for (Record& record : commit.records) records_.put(std::move(record));
  for (TopicEvent& event : commit.published)
    committed.event_seqs.push_back(events_.append(std::move(event)).seq);
  if (commit.state) committed.state_version = states_.commit(*commit.state);
  for (CachedOutput& output : commit.cached) {
    std::string key = output.key;
    cache_.insert_or_assign(std::move(key), std::move(output));
  }
  return committed;
}

std::vector<JournalEntry> Store::entries_of(const Run& run, std::uint64_t after, std::uint64_t limit) const {
  // From the fork back to the run that wrote the first entries, with the last entry that each gives.
  std::vector<std::pair<const Run*, std::uint64_t>> segments = {{&run, run.version()}};
  while (const std::optional<ForkPoint>& fork = segments.back().first->fork)
    segments.emplace_back(&runs_.at(fork->run), std::min(fork->seq, segments.back().second));
  std::vector<JournalEntry> entries;
  for (const auto& [source, last] : std::views::reverse(segments)) {
    for (const JournalEntry& entry : source->own) {
      if (entry.seq > last || entries.size() >= limit) break;
      if (entry.seq > after) entries.push_back(entry);
    }
  }
  return entries;
}

void Store::read_journal(RunId run, std::uint64_t after, std::uint32_t limit,
                         Completion<Result<std::vector<JournalEntry>>> done) {
  const auto found = runs_.find(run);
  Result<std::vector<JournalEntry>> answer = std::unexpected(run_not_found(run));
  if (found != runs_.end()) answer = entries_of(found->second, after, limit);
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
    const Run& run = runs_.at(*at);
    open.push_back({run.record, entries_of(run, 0, run.version())});
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

// --- records
// ------------------------------------------------------------------------------------------------------

void Store::list_records(RecordQuery query, Completion<Result<std::vector<Record>>> done) {
  complete(std::move(done), records_.list(query));
}

void Store::find_record(RecordKey key, Completion<Result<Record>> done) {
  complete(std::move(done), records_.find(key));
}

void Store::put_record(Record record, Completion<Result<void>> done) {
  records_.put(std::move(record));
  complete(std::move(done), Result<void>());
}

void Store::remove_records(RecordKind kind, std::optional<std::string> id,
                           Completion<Result<std::uint64_t>> done) {
  complete(std::move(done), Result<std::uint64_t>(records_.remove(kind, id)));
}

// --- the event log
// ------------------------------------------------------------------------------------------------------

void Store::append_events(std::vector<TopicEvent> events, Completion<Result<std::vector<Appended>>> done) {
  std::vector<Appended> answer;
  for (TopicEvent& event : events) answer.push_back(events_.append(std::move(event)));
  complete<Result<std::vector<Appended>>>(std::move(done), std::move(answer));
}

void Store::read_events(EventQuery query, Completion<Result<std::vector<TopicEvent>>> done) {
  complete<Result<std::vector<TopicEvent>>>(std::move(done), events_.read(query));
}

void Store::last_event(Completion<Result<std::uint64_t>> done) {
  complete(std::move(done), Result<std::uint64_t>(events_.last()));
}

// --- the state of sessions
// ------------------------------------------------------------------------------------------------------

void Store::read_state(std::string session, std::optional<std::uint64_t> version,
                       Completion<Result<StateSnapshot>> done) {
  complete(std::move(done), states_.read(session, version));
}

void Store::write_state(std::string session, StateWrite write, StatePrecondition precondition,
                        Completion<StateOutcome> done) {
  complete(std::move(done), states_.write(session, write, precondition));
}

void Store::expire_state(Timestamp now, std::uint32_t limit,
                         Completion<Result<std::vector<ExpiredState>>> done) {
  complete<Result<std::vector<ExpiredState>>>(std::move(done), states_.expire(now, limit));
}

// --- cached outputs, blobs
// ------------------------------------------------------------------------------------------------------

void Store::find_cached(std::string key, Completion<Result<CachedOutput>> done) {
  const auto found = cache_.find(key);
  Result<CachedOutput> answer = fail("not_found", "there is no cached output " + key);
  if (found != cache_.end()) answer = found->second;
  complete(std::move(done), std::move(answer));
}

void Store::put_blob(std::string digest, std::string content, Timestamp now, Completion<Result<void>> done) {
  GANGLION_ASSERT(is_sha256_hex(digest) && content.size() <= kMaxBlob);
  blobs_.put(digest, std::move(content), now);
  complete(std::move(done), Result<void>());
}

void Store::get_blob(std::string digest, Completion<Result<std::string>> done) {
  complete(std::move(done), blobs_.get(digest));
}

void Store::has_blob(std::string digest, Completion<Result<bool>> done) {
  complete(std::move(done), Result<bool>(blobs_.get(digest).has_value()));
}

void Store::collect_garbage(Timestamp now, Timestamp unused_since, std::uint32_t limit,
                            Completion<Result<std::uint64_t>> done) {
  std::uint64_t collected = 0;
  for (auto at = cache_.begin(); at != cache_.end() && collected < limit;) {
    const bool expired = at->second.expires_at <= now;
    at = expired ? cache_.erase(at) : std::next(at);
    collected += expired ? 1 : 0;
  }
  collected += blobs_.collect(unused_since, limit);
  complete(std::move(done), Result<std::uint64_t>(collected));
}

// --- the outbox
// ------------------------------------------------------------------------------------------------------

void Store::turn_outbox_on(Completion<Result<void>> done) {
  outbox_.turn_on();
  complete(std::move(done), Result<void>());
}

void Store::put_into_outbox(std::vector<RunId> runs, Completion<Result<void>> done) {
  GANGLION_ASSERT(runs.size() <= kMaxOutboxRuns);
  for (const RunId& run : runs) {
    if (runs_.contains(run)) outbox_.put(run, clock_.now());
  }
  complete(std::move(done), Result<void>());
}

void Store::take_from_outbox(std::uint32_t limit, Duration lease,
                             Completion<Result<std::vector<RunId>>> done) {
  GANGLION_ASSERT(limit <= kMaxOutboxRuns && lease <= kMaxOutboxLease);
  complete<Result<std::vector<RunId>>>(std::move(done), outbox_.take(limit, clock_.now(), lease));
}

void Store::settle_outbox(std::vector<JournalPosition> copied, Completion<Result<void>> done) {
  GANGLION_ASSERT(copied.size() <= kMaxOutboxRuns);
  for (const auto& [run, seq] : copied) {
    if (version_of(run) > seq)
      outbox_.put_last(run, clock_.now());
    else
      outbox_.remove(run);
  }
  complete(std::move(done), Result<void>());
}

void Store::count_outbox(Completion<Result<std::uint64_t>> done) {
  complete(std::move(done), Result<std::uint64_t>(outbox_.count()));
}

void Store::read_growth(std::vector<JournalPosition> from,
                        Completion<Result<std::vector<JournalGrowth>>> done) {
  GANGLION_ASSERT(from.size() <= kMaxOutboxRuns);
  std::vector<JournalGrowth> growth;
  std::size_t bytes = 0;
  for (const auto& [id, seq] : from) {
    if (bytes >= kMaxGrowthBytes) break;
    const auto found = runs_.find(id);
    if (found == runs_.end()) continue;
    const Run& run = found->second;
    growth.push_back({run.record, {}});
    for (JournalEntry& entry : entries_of(run, seq, run.version())) {
      if (bytes >= kMaxGrowthBytes) break;
      bytes += sizeof(entry) + entry.data.size();
      growth.back().entries.push_back(std::move(entry));
    }
  }
  complete<Result<std::vector<JournalGrowth>>>(std::move(done), std::move(growth));
}

void Store::last_time(Completion<Result<Timestamp>> done) {
  complete(std::move(done), Result<Timestamp>(last_time_));
}

std::vector<std::string> Store::weaker_promises() const {
  return {"the store is in memory: nothing survives the end of the process"};
}

}  // namespace ganglion::memory
