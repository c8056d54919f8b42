#pragma once

// The runs whose journals are still to be copied, by when each may be taken.

#include <cstdint>
#include <vector>

#include "adapters/sqlite/database.h"
#include "ports/store.h"

namespace ganglion::sqlite {

class OutboxTable {
 public:
  // The tables exist. `database` outlives this.
  explicit OutboxTable(Database& database);

  // Whether it is on; once, before anything else, and after a transaction was rolled back.
  DatabaseResult<void> load();

  DatabaseResult<void> turn_on();
  // The journal of the run with this handle has grown.
  DatabaseResult<void> note(std::int64_t handle);
  DatabaseResult<void> put(const std::vector<RunId>& runs);
  DatabaseResult<std::vector<RunId>> take(std::uint32_t limit, Duration lease);
  DatabaseResult<void> settle(const std::vector<JournalPosition>& copied);

  Result<std::uint64_t> count();

 private:
  struct Taken {
    std::int64_t handle = 0;
    RunId run;
  };

  DatabaseResult<void> find_due(Statement& rows, Timestamp bound, std::uint32_t limit,
                                std::vector<Taken>& found);

  Statement find_switch_, turn_on_, note_, put_, find_due_, find_beyond_, set_due_, remove_, put_last_,
      count_;
  bool on_ = false;
};

}  // namespace ganglion::sqlite
