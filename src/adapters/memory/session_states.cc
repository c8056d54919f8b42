#include "adapters/memory/session_states.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace ganglion::memory {

std::uint64_t SessionStates::version(const std::string& session) const {
  const auto found = sessions_.find(session);
  return found == sessions_.end() ? 0 : found->second.version;
}

std::uint64_t SessionStates::commit(const StateCommit& commit) {
  Session& session = sessions_[commit.session];
  ++session.version;
  for (const StateWrite& write : commit.writes) apply(session, write);
  forget_past(session);
  return session.version;
}

StateOutcome SessionStates::write(const std::string& session_id, const StateWrite& write,
                                  const StatePrecondition& precondition) {
  using Refusal = std::variant<StateConflict, Error>;
  StateSize before;
  const StateEntry* current = nullptr;
  if (const auto session = sessions_.find(session_id); session != sessions_.end()) {
    before = session->second.size;
    const auto entry = session->second.entries.find(write.key);
    if (entry != session->second.entries.end()) current = &entry->second;
  }
  if (!holds(precondition, current ? std::optional(current->version) : std::nullopt)) {
    return std::unexpected(Refusal(StateConflict{current ? std::optional(*current) : std::nullopt}));
  }
  StateSize after = before;
  if (current) after.remove(current->value.size());
  if (write.value) after.add(write.value->size());
  if (!may_become(before, after)) return std::unexpected(Refusal(state_too_large()));
  return commit({.session = session_id, .writes = {write}});
}

std::vector<ExpiredState> SessionStates::expire(Timestamp now, std::uint32_t limit) {
  std::vector<std::tuple<Timestamp, std::string, std::string>> due;
  for (const auto& [id, session] : sessions_) {
    for (const auto& [key, entry] : session.entries) {
      if (entry.expires_at && *entry.expires_at <= now) due.emplace_back(*entry.expires_at, id, key);
    }
  }
  std::ranges::sort(due);
  if (due.size() > limit) due.resize(limit);
  std::map<std::string, StateCommit> commits;
  for (const auto& [time, id, key] : due) {
    StateCommit& removal = commits.try_emplace(id, StateCommit{id, {}}).first->second;
    removal.writes.push_back({.key = key, .value = {}, .expires_at = {}});
  }
  std::vector<ExpiredState> expired;
  for (const auto& [id, removal] : commits) expired.push_back({id, commit(removal)});
  return expired;
}

void SessionStates::apply(Session& session, const StateWrite& write) {
  const auto current = session.entries.find(write.key);
  if (current != session.entries.end()) retire(session, current);
  if (!write.value) return;
  session.size.add(write.value->size());
  blobs_.refer_from(write.value->bytes());
  session.entries.emplace(write.key, StateEntry{*write.value, session.version, write.expires_at});
}

void SessionStates::retire(Session& session, std::map<std::string, StateEntry>::iterator current) {
  StateEntry entry = std::move(current->second);
  session.size.remove(entry.value.size());
  // Written twice at one version: no version shows the first.
  if (entry.version == session.version)
    blobs_.release_from(entry.value.bytes());
  else
    session.past.push_back({current->first, std::move(entry), session.version});
  session.entries.erase(current);
}

void SessionStates::forget_past(Session& session) {
  if (session.version < kStateHistory) return;
  const std::uint64_t oldest_readable = session.version - kStateHistory + 1;
  const auto visible =
      std::ranges::find_if(session.past, [&](const Past& past) { return past.until > oldest_readable; });
  for (auto past = session.past.begin(); past != visible; ++past)
    blobs_.release_from(past->entry.value.bytes());
  session.past.erase(session.past.begin(), visible);
}

Result<StateSnapshot> SessionStates::read(const std::string& session_id,
                                          std::optional<std::uint64_t> version) const {
  const auto found = sessions_.find(session_id);
  const std::uint64_t latest = found == sessions_.end() ? 0 : found->second.version;
  StateSnapshot snapshot{.version = version.value_or(latest), .entries = {}};
  if (const Result<void> checked = check_state_version(snapshot.version, latest); !checked)
    return std::unexpected(checked.error());
  if (found == sessions_.end()) return snapshot;
  for (const auto& [key, entry] : found->second.entries) {
    if (entry.version <= snapshot.version) snapshot.entries.emplace(key, entry);
  }
  for (const Past& past : found->second.past) {
    if (past.entry.version <= snapshot.version && snapshot.version < past.until)
      snapshot.entries.emplace(past.key, past.entry);
  }
  return snapshot;
}

}  // namespace ganglion::memory
