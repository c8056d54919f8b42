#include "adapters/sqlite/commit_writer.h"

#include <utility>

namespace ganglion::sqlite {
namespace {

DatabaseResult<void> write_records(RecordTable& records, const Commit& commit) {
  for (const RecordKey& key : commit.removed_records) {
    if (const auto removed = records.remove(key.kind, key.id); !removed)
      return std::unexpected(removed.error());
  }
  for (const Record& record : commit.records) {
    if (const auto put = records.put(record); !put) return put;
  }
  return {};
}

DatabaseResult<Committed> write_rest(Tables& tables, const Commit& commit) {
  Committed committed;
  if (const auto referred = tables.blobs.refer(commit.blobs); !referred)
    return std::unexpected(referred.error());
  if (const auto written = write_records(tables.records, commit); !written)
    return std::unexpected(written.error());
  for (const TopicEvent& event : commit.published) {
    const DatabaseResult<Appended> appended = tables.events.append(event);
    if (!appended) return std::unexpected(appended.error());
    committed.event_seqs.push_back(appended->seq);
  }
  if (commit.state) {
    const DatabaseResult<std::uint64_t> version = tables.state.commit(*commit.state);
    if (!version) return std::unexpected(version.error());
    committed.state_version = *version;
  }
  for (const CachedOutput& output : commit.cached) {
    if (const auto put = tables.cache.put(output); !put) return std::unexpected(put.error());
  }
  return committed;
}

// Nothing where the session's state is at the version that the commit was decided on.
DatabaseResult<std::optional<StateMoved>> check_state(Tables& tables, const Commit& commit) {
  if (!commit.state || !commit.state->expected_version) return std::nullopt;
  const DatabaseResult<std::uint64_t> version = tables.state.version(commit.state->session);
  if (!version) return std::unexpected(version.error());
  if (*version == *commit.state->expected_version) return std::nullopt;
  return StateMoved{*version};
}

}  // namespace

DatabaseResult<CommitOutcome> apply_commit(Tables& tables, const Commit& commit) {
  const DatabaseResult<std::optional<StateMoved>> moved = check_state(tables, commit);
  if (!moved) return std::unexpected(moved.error());
  if (*moved) return **moved;
  DatabaseResult<CommitOutcome> outcome = tables.writer.apply(commit);
  if (!outcome || !std::holds_alternative<Committed>(*outcome)) return outcome;
  DatabaseResult<Committed> committed = write_rest(tables, commit);
  if (!committed) return std::unexpected(committed.error());
  return std::move(*committed);
}

}  // namespace ganglion::sqlite
