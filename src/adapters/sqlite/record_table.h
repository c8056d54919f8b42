#pragma once

// Records: small rows that a person looks for apart from their runs (ports/store.h).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapters/sqlite/blob_table.h"
#include "adapters/sqlite/database.h"
#include "ports/store.h"

namespace ganglion::sqlite {

class RecordTable {
 public:
  // The tables exist. Both outlive this.
  RecordTable(Database& database, BlobTable& blobs);

  DatabaseResult<void> put(const Record& record);
  // Gives how many there were.
  DatabaseResult<std::uint64_t> remove(RecordKind kind, const std::optional<std::string>& id);

  Result<Record> find(const RecordKey& key);
  Result<std::vector<Record>> list(const RecordQuery& query);

 private:
  Database& database_;
  BlobTable& blobs_;
  Statement insert_, find_refs_, find_all_refs_, delete_, delete_all_;
  Statement find_, list_, list_of_run_;
};

}  // namespace ganglion::sqlite
