#pragma once

// User blobs, and who refers to them. A row of `blobs` counts the references; journals and events, which stay
// for ever, only add to it; records and values of state take theirs away again when they go. The index of
// blobs without a reference makes collection cost what it collects, however many blobs there are.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "adapters/sqlite/database.h"

namespace ganglion::sqlite {

class BlobTable {
 public:
  // The tables exist. `database` outlives this.
  explicit BlobTable(Database& database);

  // One more reference to each; to one that isn't there, too.
  DatabaseResult<void> refer(std::span<const std::string> digests);
  // To everything that `json` refers to.
  DatabaseResult<void> refer_from(std::string_view json);
  // Takes the references of a text away that were added for the same text.
  DatabaseResult<void> release_from(std::string_view json);

  DatabaseResult<void> put(const std::string& digest, std::string_view content, Timestamp now);
  // Those last written before `unused_since` without a reference, at most `limit`. Gives how many.
  DatabaseResult<std::uint64_t> collect(Timestamp unused_since, std::uint32_t limit);

  Result<std::string> get(const std::string& digest);
  Result<bool> has(const std::string& digest);

 private:
  DatabaseResult<void> release(const std::string& digest);

  Database& database_;
  Statement refer_, release_, forget_;
  Statement find_, touch_, insert_, insert_content_;
  Statement list_unused_, delete_, delete_content_, read_;
};

}  // namespace ganglion::sqlite
