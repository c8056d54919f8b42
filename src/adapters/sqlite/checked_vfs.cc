#include "adapters/sqlite/checked_vfs.h"

#include <sqlite3.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

#include "adapters/sqlite/checked_file.h"
#include "adapters/sqlite/page_check.h"
#include "base/assert.h"

namespace ganglion::sqlite {
namespace {

// Asks a file whether its pages have checks; SQLite leaves numbers of this size to applications.
constexpr int kHasPageChecks = 0x474e'4701;

struct CheckedVfs {
  std::string inner_name;  // looked up for every file, since a test may register it anew
  std::string name;
  sqlite3_vfs vfs{};
  std::atomic<std::uint64_t> syncs = 0;

  sqlite3_vfs* inner() const { return sqlite3_vfs_find(inner_name.empty() ? nullptr : inner_name.c_str()); }
  static CheckedVfs& of(sqlite3_vfs* vfs) { return *static_cast<CheckedVfs*>(vfs->pAppData); }
  static sqlite3_vfs* inner_of(sqlite3_vfs* vfs) { return of(vfs).inner(); }
};

// SQLite's file object.
struct Handle {
  sqlite3_file base;
  CheckedFile* checked;
};
CheckedFile& checked(sqlite3_file* file) {
  return *reinterpret_cast<Handle*>(file)->checked;
}
sqlite3_file* inner(sqlite3_file* file) {
  return checked(file).inner();
}
const sqlite3_io_methods& calls(sqlite3_file* file) {
  return *inner(file)->pMethods;
}

int close_file(sqlite3_file* file) {
  const std::unique_ptr<CheckedFile> owned(&checked(file));
  file->pMethods = nullptr;
  return owned->close();
}

int control_file(sqlite3_file* file, int op, void* argument) {
  if (op != kHasPageChecks) return calls(file).xFileControl(inner(file), op, argument);
  *static_cast<bool*>(argument) = checked(file).has_page_checks();
  return SQLITE_OK;
}

// Version 1: no shared memory, which a connection with exclusive locking doesn't need, and no mapping of the
// file, which would be read past us.
const sqlite3_io_methods kMethods = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead =
        [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
          return checked(f).read({static_cast<char*>(to), static_cast<std::size_t>(size)},
                                 static_cast<std::uint64_t>(at));
        },
    .xWrite =
        [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
          return checked(f).write({static_cast<const char*>(from), static_cast<std::size_t>(size)},
                                  static_cast<std::uint64_t>(at));
        },
    .xTruncate = [](sqlite3_file* f,
                    sqlite3_int64 size) { return checked(f).truncate(static_cast<std::uint64_t>(size)); },
    .xSync = [](sqlite3_file* f, int flags) { return checked(f).sync(flags); },
    .xFileSize =
        [](sqlite3_file* f, sqlite3_int64* size) {
          std::uint64_t bytes = 0;
          const int code = checked(f).size(bytes);
          *size = static_cast<sqlite3_int64>(bytes);
          return code;
        },
    .xLock = [](sqlite3_file* f, int level) { return calls(f).xLock(inner(f), level); },
    .xUnlock = [](sqlite3_file* f, int level) { return calls(f).xUnlock(inner(f), level); },
    .xCheckReservedLock = [](sqlite3_file* f,
                             int* held) { return calls(f).xCheckReservedLock(inner(f), held); },
    .xFileControl = control_file,
    .xSectorSize = [](sqlite3_file* f) { return calls(f).xSectorSize(inner(f)); },
    .xDeviceCharacteristics = [](sqlite3_file* f) { return calls(f).xDeviceCharacteristics(inner(f)); },
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr};

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  auto opened = std::make_unique<CheckedFile>(CheckedVfs::inner_of(vfs), CheckedVfs::of(vfs).syncs);
  if (const int code = opened->open(name, flags, out_flags); code != SQLITE_OK) return code;
  reinterpret_cast<Handle*>(file)->checked = opened.release();
  file->pMethods = &kMethods;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  sqlite3_vfs* real = CheckedVfs::inner_of(vfs);
  // A log that is done with needs nobody to vouch for it.
  if (std::string_view(name).ends_with("-wal")) real->xDelete(real, seal_name(name).c_str(), 0);
  return real->xDelete(real, name, sync_folder);
}

int access_file(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
  sqlite3_vfs* real = CheckedVfs::inner_of(vfs);
  return real->xAccess(real, name, flags, result);
}

int full_name(sqlite3_vfs* vfs, const char* name, int room, char* out) {
  sqlite3_vfs* real = CheckedVfs::inner_of(vfs);
  return real->xFullPathname(real, name, room, out);
}

std::unique_ptr<CheckedVfs> registered_over(const std::string& inner_name) {
  auto made = std::make_unique<CheckedVfs>();
  made->inner_name = inner_name;
  made->name = "ganglion-checked-" + inner_name;
  const sqlite3_vfs* inner = made->inner();
  GANGLION_ASSERT(inner != nullptr);
  made->vfs = *sqlite3_vfs_find(nullptr);  // clock, sleep and random numbers are the platform's own
  made->vfs.szOsFile = sizeof(Handle);
  made->vfs.mxPathname = inner->mxPathname;
  made->vfs.pNext = nullptr;
  made->vfs.zName = made->name.c_str();
  made->vfs.pAppData = made.get();
  made->vfs.xOpen = open_file;
  made->vfs.xDelete = delete_file;
  made->vfs.xAccess = access_file;
  made->vfs.xFullPathname = full_name;
  sqlite3_vfs_register(&made->vfs, 0);
  return made;
}

const CheckedVfs& checked_over(const std::string& inner) {
  static std::mutex mutex;
  // SQLite keeps the pointers until the process ends.
  static auto& made = *new std::map<std::string, std::unique_ptr<CheckedVfs>>();
  const std::scoped_lock lock(mutex);
  sqlite3_initialize();
  std::unique_ptr<CheckedVfs>& entry = made[inner];
  if (!entry) entry = registered_over(inner);
  return *entry;
}

}  // namespace

const std::string& checked_vfs(const std::string& inner) {
  return checked_over(inner).name;
}

std::uint64_t syncs_through(const std::string& inner) {
  return checked_over(inner).syncs.load(std::memory_order_relaxed);
}

DatabaseResult<Database> open_checked(const std::string& path, const std::string& inner) {
  DatabaseResult<Database> database = Database::open(path, checked_vfs(inner));
  if (!database) return database;
  int reserved = kPageCheckBytes;
  if (sqlite3_file_control(database->handle(), "main", SQLITE_FCNTL_RESERVE_BYTES, &reserved) != SQLITE_OK)
    return std::unexpected(database->last_error());
  return database;
}

bool has_page_checks(const Database& database) {
  bool has = false;
  return sqlite3_file_control(database.handle(), "main", kHasPageChecks, &has) == SQLITE_OK && has;
}

}  // namespace ganglion::sqlite
