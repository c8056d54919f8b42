#pragma once

#include "adapters/sqlite/blob_table.h"
#include "adapters/sqlite/cache_table.h"
#include "adapters/sqlite/event_table.h"
#include "adapters/sqlite/journal_writer.h"
#include "adapters/sqlite/outbox_table.h"
#include "adapters/sqlite/piece_table.h"
#include "adapters/sqlite/record_table.h"
#include "adapters/sqlite/run_reader.h"
#include "adapters/sqlite/state_table.h"

namespace ganglion::sqlite {

// Everything that the writer's thread does with the database; `database` outlives it. What writes expects the
// transaction that `writer` begins and ends.
struct Tables {
  explicit Tables(Database& database)
      : pieces(database),
        blobs(database),
        records(database, blobs),
        events(database, blobs),
        state(database, blobs),
        cache(database),
        outbox(database),
        writer(database, pieces, outbox),
        reader(database, pieces) {}
  Tables(const Tables&) = delete;
  Tables& operator=(const Tables&) = delete;

  PieceTable pieces;
  BlobTable blobs;
  RecordTable records;
  EventTable events;
  StateTable state;
  CacheTable cache;
  OutboxTable outbox;
  JournalWriter writer;
  RunReader reader;
};

}  // namespace ganglion::sqlite
