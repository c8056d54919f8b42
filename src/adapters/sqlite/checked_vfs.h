#pragma once

// The VFS through which the store opens its file: SQLite's own calls, passed on to another VFS, with what
// SQLite doesn't check checked on the way.
//
//   the database   every page gets its check when it is written and is held against it when it is read
//                  (page_check.h); the pages that SQLite has in memory and in its log show zeros there, so
//                  that a program that moves the log without this VFS leaves no wrong check
//   its log        what it held after its last sync is written down (log_seal.h), and a log that holds less
//                  is not opened; the checks of pages that were written to it are kept in memory, so that
//                  none that has changed is moved into the file
//   both           a read that comes up short although the file has the bytes is an error; SQLite would take
//                  zeros for them
//
// Damage is SQLITE_IOERR_DATA, which DatabaseError counts as corruption. A file whose header doesn't reserve
// the bytes for checks is passed through as it is; page_rewrite.h gives it its checks.

#include <cstdint>
#include <string>

#include "adapters/sqlite/database.h"

namespace ganglion::sqlite {

// The name of the VFS over the one that `inner` names; empty stands for the platform's own. Registered when
// it is first asked for, for the life of the process.
const std::string& checked_vfs(const std::string& inner);

// How often files that were opened through it have been synced so far. From any thread.
std::uint64_t syncs_through(const std::string& inner);

// Opens a file through it; a file that is empty will have checks.
DatabaseResult<Database> open_checked(const std::string& path, const std::string& inner);

// Whether the pages of a database that was opened through it have checks, or will have, if it is empty.
bool has_page_checks(const Database& database);

}  // namespace ganglion::sqlite
