#pragma once

// Gives a file whose pages have no checks a copy that has them, and puts that in its place: what version 2
// wrote, and what sqlite3 makes of a dump. Takes time and space once, in proportion to the file. A crash
// at any moment leaves the old file or the new one, whole.

#include <filesystem>

#include "adapters/sqlite/database.h"
#include "base/result.h"

namespace ganglion::sqlite {

// `database` is open on `path` and is closed. Error `store_unavailable`, after which the file is as it was.
Result<void> rewrite_with_checks(Database database, const std::filesystem::path& path);

}  // namespace ganglion::sqlite
