#include "adapters/sqlite/state_table.h"

#include <algorithm>
#include <map>
#include <utility>

namespace ganglion::sqlite {
namespace {

StateOutcome refused(std::variant<StateConflict, Error> why) {
  return std::unexpected(std::move(why));
}

}  // namespace

StateTable::StateTable(Database& database, BlobTable& blobs)
    : database_(database),
      blobs_(blobs),
      find_session_(database.prepare("SELECT handle, version, keys, bytes FROM sessions WHERE id = ?")),
      create_session_(database.prepare("INSERT INTO sessions(id, version, keys, bytes) VALUES(?, 0, 0, 0)")),
      update_session_(
          database.prepare("UPDATE sessions SET version = ?, keys = ?, bytes = ? WHERE handle = ?")),
      find_current_(database.prepare("SELECT rowid, version, length(CAST(value AS BLOB)) FROM state "
                                     "WHERE session = ? AND key = ? AND until IS NULL")),
      read_value_(database.prepare("SELECT version, expires_at, value FROM state WHERE rowid = ?")),
      insert_(database.prepare(
          "INSERT INTO state(session, key, version, expires_at, value) VALUES(?, ?, ?, ?, ?)")),
      retire_(database.prepare("UPDATE state SET until = ? WHERE rowid = ?")),
      list_past_(database.prepare("SELECT rowid FROM state WHERE session = ? AND until <= ?")),
      delete_(database.prepare("DELETE FROM state WHERE rowid = ?")),
      list_expired_(database.prepare(
          "SELECT sessions.id, key FROM state INDEXED BY state_expiring "
          "JOIN sessions ON sessions.handle = state.session "
          "WHERE until IS NULL AND expires_at IS NOT NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?")),
      read_now_(database.prepare("SELECT key, version, expires_at, value FROM state INDEXED BY state_now "
                                 "WHERE session = ?1 AND until IS NULL AND version <= ?2")),
      read_then_(database.prepare("SELECT key, version, expires_at, value FROM state INDEXED BY state_past "
                                  "WHERE session = ?1 AND until > ?2 AND version <= ?2")) {}

DatabaseResult<std::optional<StateTable::Session>> StateTable::find_session(const std::string& id) {
  const ResetAtEnd reset(find_session_);
  const DatabaseResult<bool> row = find_session_.bind(1, id).step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  return Session{.handle = find_session_.integer(0),
                 .version = find_session_.number(1),
                 .size = {.keys = find_session_.number(2), .bytes = find_session_.number(3)}};
}

DatabaseResult<StateTable::Session> StateTable::find_or_create_session(const std::string& id) {
  const DatabaseResult<std::optional<Session>> found = find_session(id);
  if (!found) return std::unexpected(found.error());
  if (*found) return **found;
  if (const auto created = create_session_.bind(1, id).run(); !created)
    return std::unexpected(created.error());
  return Session{.handle = database_.last_insert_rowid(), .version = 0, .size = {}};
}

DatabaseResult<std::optional<StateTable::Current>> StateTable::find_current(const Session& session,
                                                                            const std::string& key) {
  const ResetAtEnd reset(find_current_);
  const DatabaseResult<bool> row = find_current_.bind(1, session.handle).bind(2, key).step();
  if (!row) return std::unexpected(row.error());
  if (!*row) return std::nullopt;
  return Current{
      .row = find_current_.integer(0), .version = find_current_.number(1), .bytes = find_current_.number(2)};
}

DatabaseResult<StateEntry> StateTable::read_entry(std::int64_t row) {
  const ResetAtEnd reset(read_value_);
  const DatabaseResult<bool> found = read_value_.bind(1, row).step();
  if (!found) return std::unexpected(found.error());
  if (!*found) return std::unexpected(DatabaseError::corruption("a value of a session's state is missing"));
  return StateEntry{.value = Payload(read_value_.text(2)),
                    .version = read_value_.number(0),
                    .expires_at = read_value_.optional_time(1)};
}

// --- writes
// -------------------------------------------------------------------------------------------------------

DatabaseResult<std::uint64_t> StateTable::version(const std::string& session) {
  const DatabaseResult<std::optional<Session>> found = find_session(session);
  if (!found) return std::unexpected(found.error());
  return *found ? (*found)->version : 0;
}

DatabaseResult<std::uint64_t> StateTable::commit(const StateCommit& commit) {
  DatabaseResult<Session> session = find_or_create_session(commit.session);
  if (!session) return std::unexpected(session.error());
  ++session->version;
  for (const StateWrite& write : commit.writes) {
    if (const auto applied = apply(*session, write); !applied) return std::unexpected(applied.error());
  }
  if (const auto finished = finish(*session); !finished) return std::unexpected(finished.error());
  return session->version;
}

// Everything is checked before the first row is written.
DatabaseResult<StateOutcome> StateTable::write(const std::string& session_id, const StateWrite& write,
                                               const StatePrecondition& precondition) {
  const DatabaseResult<std::optional<Session>> session = find_session(session_id);
  if (!session) return std::unexpected(session.error());
  StateSize before;
  std::optional<Current> current;
  if (*session) {
    before = (*session)->size;
    const DatabaseResult<std::optional<Current>> found = find_current(**session, write.key);
    if (!found) return std::unexpected(found.error());
    current = *found;
  }
  if (!holds(precondition, current ? std::optional(current->version) : std::nullopt)) {
    StateConflict conflict;
    if (current) {
      DatabaseResult<StateEntry> entry = read_entry(current->row);
      if (!entry) return std::unexpected(entry.error());
      conflict.current = std::move(*entry);
    }
    return refused(std::move(conflict));
  }
  StateSize after = before;
  if (current) after.remove(current->bytes);
  if (write.value) after.add(write.value->size());
  if (!may_become(before, after)) return refused(state_too_large());
  const DatabaseResult<std::uint64_t> version = commit({.session = session_id, .writes = {write}});
  if (!version) return std::unexpected(version.error());
  return *version;
}

DatabaseResult<std::vector<ExpiredState>> StateTable::expire(Timestamp now, std::uint32_t limit) {
  std::map<std::string, StateCommit> commits;
  {
    const ResetAtEnd reset(list_expired_);
    list_expired_.bind(1, now).bind(2, std::int64_t{limit});
    for (;;) {
      const DatabaseResult<bool> row = list_expired_.step();
      if (!row) return std::unexpected(row.error());
      if (!*row) break;
      const std::string session = list_expired_.text(0);
      StateCommit& commit = commits.try_emplace(session, StateCommit{session, {}}).first->second;
      commit.writes.push_back({.key = list_expired_.text(1), .value = {}, .expires_at = {}});
    }
  }
  std::vector<ExpiredState> expired;
  for (const auto& [session, removal] : commits) {
    const DatabaseResult<std::uint64_t> version = commit(removal);
    if (!version) return std::unexpected(version.error());
    expired.push_back({session, *version});
  }
  return expired;
}

DatabaseResult<void> StateTable::apply(Session& session, const StateWrite& write) {
  const DatabaseResult<std::optional<Current>> current = find_current(session, write.key);
  if (!current) return std::unexpected(current.error());
  if (*current) {
    session.size.remove((*current)->bytes);
    if (const auto retired = retire(session, **current); !retired) return retired;
  }
  if (!write.value) return {};
  session.size.add(write.value->size());
  const auto inserted = insert_.bind(1, session.handle)
                            .bind(2, write.key)
                            .bind_number(3, session.version)
                            .bind(4, write.expires_at)
                            .bind(5, write.value->bytes())
                            .run();
  if (!inserted) return inserted;
  return blobs_.refer_from(write.value->bytes());
}

DatabaseResult<void> StateTable::retire(const Session& session, const Current& current) {
  // Written twice at one version: no version shows the first.
  if (current.version == session.version) return remove_rows({current.row});
  return retire_.bind_number(1, session.version).bind(2, current.row).run();
}

DatabaseResult<void> StateTable::finish(const Session& session) {
  if (session.version >= kStateHistory) {
    const std::uint64_t oldest_readable = session.version - kStateHistory + 1;
    std::vector<std::int64_t> past;
    {
      const ResetAtEnd reset(list_past_);
      list_past_.bind(1, session.handle).bind_number(2, oldest_readable);
      for (;;) {
        const DatabaseResult<bool> row = list_past_.step();
        if (!row) return std::unexpected(row.error());
        if (!*row) break;
        past.push_back(list_past_.integer(0));
      }
    }
    if (const auto removed = remove_rows(past); !removed) return removed;
  }
  return update_session_.bind_number(1, session.version)
      .bind_number(2, session.size.keys)
      .bind_number(3, session.size.bytes)
      .bind(4, session.handle)
      .run();
}

DatabaseResult<void> StateTable::remove_rows(const std::vector<std::int64_t>& rows) {
  for (const std::int64_t row : rows) {
    const DatabaseResult<StateEntry> entry = read_entry(row);
    if (!entry) return std::unexpected(entry.error());
    if (const auto released = blobs_.release_from(entry->value.bytes()); !released) return released;
    if (const auto deleted = delete_.bind(1, row).run(); !deleted) return deleted;
  }
  return {};
}

// --- reads
// --------------------------------------------------------------------------------------------------------

Result<StateSnapshot> StateTable::read(const std::string& session_id, std::optional<std::uint64_t> version) {
  const DatabaseResult<std::optional<Session>> session = find_session(session_id);
  if (!session) return std::unexpected(session.error().as_read_error());
  const std::uint64_t latest = *session ? (*session)->version : 0;
  StateSnapshot snapshot{.version = version.value_or(latest), .entries = {}};
  if (const auto checked = check_state_version(snapshot.version, latest); !checked)
    return std::unexpected(checked.error());
  if (!*session) return snapshot;
  for (Statement* rows : {&read_now_, &read_then_}) {
    if (rows == &read_then_ && snapshot.version == latest) break;
    rows->bind(1, (*session)->handle).bind_number(2, snapshot.version);
    const auto collected = collect_entries(*rows, snapshot);
    if (!collected) return std::unexpected(collected.error().as_read_error());
  }
  return snapshot;
}

DatabaseResult<void> StateTable::collect_entries(Statement& rows, StateSnapshot& snapshot) {
  const ResetAtEnd reset(rows);
  for (;;) {
    const DatabaseResult<bool> row = rows.step();
    if (!row) return std::unexpected(row.error());
    if (!*row) return {};
    snapshot.entries.emplace(rows.text(0), StateEntry{.value = Payload(rows.text(3)),
                                                      .version = rows.number(1),
                                                      .expires_at = rows.optional_time(2)});
  }
}

}  // namespace ganglion::sqlite
