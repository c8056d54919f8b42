#pragma once

// The event log: one row an event, in the order of their seqs, never removed. A source names an event once;
// to append it again gives the seq that it has.

#include <cstdint>
#include <vector>

#include "adapters/sqlite/blob_table.h"
#include "adapters/sqlite/database.h"
#include "ports/store.h"

namespace ganglion::sqlite {

// How far a reading has come.
struct EventScan {
  EventQuery query;
  std::vector<TopicEvent> found;
  std::size_t bytes = 0;  // of what was found
};

class EventTable {
 public:
  // The tables exist. Both outlive this.
  EventTable(Database& database, BlobTable& blobs);

  DatabaseResult<Appended> append(const TopicEvent& event);

  // True when the reading is finished, else call again.
  Result<bool> advance(EventScan& scan);
  Result<std::uint64_t> last();

 private:
  Statement& start(const EventScan& scan);

  Database& database_;
  BlobTable& blobs_;
  Statement find_, insert_, last_;
  Statement newest_first_, newest_first_on_, oldest_first_, oldest_first_on_;
};

}  // namespace ganglion::sqlite
