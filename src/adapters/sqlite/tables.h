#pragma once

#include "adapters/sqlite/journal_writer.h"
#include "adapters/sqlite/run_reader.h"

namespace ganglion::sqlite {

// Everything that the writer's thread does with the database; `database` outlives it.
struct Tables {
  explicit Tables(Database& database) : writer(database), reader(database) {}

  JournalWriter writer;
  RunReader reader;
};

}  // namespace ganglion::sqlite
