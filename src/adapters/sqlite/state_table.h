#pragma once

// The state of sessions. Every value is a row that says from which version of the session until before which
// it could be seen, so a version costs what it changes, and any of the last kStateHistory can be put
// together. A write removes the rows that its version pushes out of that window.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/sqlite/blob_table.h"
#include "adapters/sqlite/database.h"
#include "ports/state_rules.h"
#include "ports/store.h"

namespace ganglion::sqlite {

class StateTable {
 public:
  // The tables exist. Both outlive this.
  StateTable(Database& database, BlobTable& blobs);

  // 0 for a session that nothing was ever written to.
  DatabaseResult<std::uint64_t> version(const std::string& session);
  // Gives the version that the writes made.
  DatabaseResult<std::uint64_t> commit(const StateCommit& commit);
  DatabaseResult<StateOutcome> write(const std::string& session, const StateWrite& write,
                                     const StatePrecondition& precondition);
  DatabaseResult<std::vector<ExpiredState>> expire(Timestamp now, std::uint32_t limit);

  Result<StateSnapshot> read(const std::string& session, std::optional<std::uint64_t> version);

 private:
  struct Session {
    std::int64_t handle = 0;
    std::uint64_t version = 0;
    StateSize size;
  };
  // The row of a key's value now.
  struct Current {
    std::int64_t row = 0;
    std::uint64_t version = 0;
    std::uint64_t bytes = 0;
  };

  // Nothing for a session that nothing was ever written to.
  DatabaseResult<std::optional<Session>> find_session(const std::string& id);
  DatabaseResult<Session> find_or_create_session(const std::string& id);
  DatabaseResult<std::optional<Current>> find_current(const Session& session, const std::string& key);
  DatabaseResult<StateEntry> read_entry(std::int64_t row);
  // At the session's version, which the caller has counted up.
  DatabaseResult<void> apply(Session& session, const StateWrite& write);
  DatabaseResult<void> retire(const Session& session, const Current& current);
  // Removes what no version in the window shows any more, and writes the session's row.
  DatabaseResult<void> finish(const Session& session);
  DatabaseResult<void> remove_rows(const std::vector<std::int64_t>& rows);
  DatabaseResult<void> collect_entries(Statement& rows, StateSnapshot& snapshot);

  Database& database_;
  BlobTable& blobs_;
  Statement find_session_, create_session_, update_session_;
  Statement find_current_, read_value_, insert_, retire_, list_past_, delete_;
  Statement list_expired_, read_now_, read_then_;
};

}  // namespace ganglion::sqlite
