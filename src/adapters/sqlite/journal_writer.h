#pragma once

// Applies commits to the journal and to the runs, inside a transaction that the caller begins and ends. A
// commit is checked completely before its first row is written, so a conflict or a taken key leaves nothing
// behind and the other commits of the group go on. Journal rows are only ever appended; of a run's own row
// nothing but its status and what comes with it changes. What else a commit brings is commit_writer.h's.
//
// A fork's row names the run that it shares a beginning with. That is always the run that wrote the last of
// the shared entries, so a fork within what another fork shares skips that one.

#include <cstdint>
#include <unordered_map>
#include <variant>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/outbox_table.h"
#include "adapters/sqlite/piece_table.h"
#include "ports/store.h"

namespace ganglion::sqlite {

class JournalWriter {
 public:
  // The tables exist. All outlive the writer.
  JournalWriter(Database& database, PieceTable& pieces, OutboxTable& outbox);

  // What a new writer must know about the past; once, before anything else.
  DatabaseResult<void> load();

  DatabaseResult<void> begin();
  // Committed, VersionConflict or KeyTaken; after an error the transaction must be rolled back.
  DatabaseResult<CommitOutcome> apply(const Commit& commit);
  DatabaseResult<void> put_definition(const std::string& digest, const std::string& source);
  DatabaseResult<void> put_setting(const std::string& name, const std::string& value);
  // Durable when it returns. After an error the transaction must be rolled back.
  DatabaseResult<void> commit();
  void roll_back();

  // The latest time in any journal.
  Timestamp last_time() const { return last_time_; }

 private:
  struct Position {
    std::int64_t handle = 0;
    std::uint64_t version = 0;
  };

  // Nothing for a run that doesn't exist.
  DatabaseResult<std::optional<Position>> find_position(const RunId& run);
  DatabaseResult<std::optional<KeyTaken>> find_claim(const std::string& key);
  // The run to share the fork's beginning with; a conflict where it has no such entry.
  DatabaseResult<std::variant<std::int64_t, VersionConflict>> find_shared(const ForkPoint& fork);
  DatabaseResult<std::int64_t> create(const Commit& commit, std::optional<std::int64_t> fork_of);
  DatabaseResult<void> append(std::int64_t handle, const JournalEntry& event);
  DatabaseResult<void> change_status(std::int64_t handle, const StatusChange& change);
  DatabaseResult<void> save_last_time();
  void remember(const RunId& run, Position position, bool ended);

  Database& database_;
  PieceTable& pieces_;
  OutboxTable& outbox_;
  Statement begin_, commit_, roll_back_;
  Statement find_run_, find_version_, find_fork_, find_claim_;
  Statement insert_run_, insert_label_, insert_claim_, insert_event_, update_status_;
  Statement put_definition_, put_setting_, save_last_time_;

  // Where the journals of active runs end, so that most commits read nothing. Emptied when it is full or may
  // be wrong.
  std::unordered_map<RunId, Position> positions_;

  // The latest time is that of the journal's last row unless events came in with an older time after it; only
  // then does it have to be written down.
  Timestamp last_time_;
  Timestamp last_row_time_;
  Timestamp saved_time_;
};

}  // namespace ganglion::sqlite
