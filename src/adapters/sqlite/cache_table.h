#pragma once

// Outputs that may be taken instead of a call, by key.

#include <cstdint>
#include <string>

#include "adapters/sqlite/database.h"
#include "ports/store.h"

namespace ganglion::sqlite {

class CacheTable {
 public:
  // The tables exist. `database` outlives this.
  explicit CacheTable(Database& database);

  DatabaseResult<void> put(const CachedOutput& output);
  // Those that have expired, at most `limit`, the earliest first. Gives how many.
  DatabaseResult<std::uint64_t> collect(Timestamp now, std::uint32_t limit);

  Result<CachedOutput> find(const std::string& key);

 private:
  Database& database_;
  Statement put_, collect_, find_;
};

}  // namespace ganglion::sqlite
