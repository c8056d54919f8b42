#pragma once

// The tables, and how a file of an older version becomes one of this version. Every version is a list of
// statements that leads from the version before to it; `PRAGMA user_version` tells where a file stands. A
// migration is one transaction.

#include <span>

#include "adapters/sqlite/database.h"
#include "base/result.h"

namespace ganglion::sqlite {

// In the header of every file of ours ("Gngl"), so that somebody else's database is never written to.
inline constexpr std::int64_t kApplicationId = 0x476e676c;

// The n-th entry leads from version n to version n+1.
std::span<const char* const> migrations();

// Brings the file to the newest version. Error `store_incompatible` for a file that is not ours or is newer
// than `steps`; otherwise the database's error.
Result<void> migrate(Database& database, std::span<const char* const> steps);

// What an error of the file at `path` means for a person who opens it: `store_locked`, `store_corrupt` or
// `store_unavailable`.
Error open_error(const std::string& path, const DatabaseError& error);

}  // namespace ganglion::sqlite
