#include "adapters/sqlite/testing/faulty_vfs.h"

#include <sqlite3.h>

#include <atomic>

namespace ganglion::sqlite::testing {
namespace {

struct Faults {
  std::atomic<int> write{0};
  std::atomic<int> writes_allowed{0};  // before they fail
  std::atomic<int> checkpoint_write{0};
  std::atomic<int> sync{0};
  std::atomic<int> syncs{0};
};
Faults faults;

// SQLite's file object with the platform's own behind it.
struct File {
  sqlite3_file base;
  bool is_database;
  sqlite3_file* inner() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

File* as_file(sqlite3_file* file) {
  return reinterpret_cast<File*>(file);
}
sqlite3_file* inner(sqlite3_file* file) {
  return as_file(file)->inner();
}

const sqlite3_io_methods kMethods = {
    .iVersion = 1,
    .xClose = [](sqlite3_file* f) { return inner(f)->pMethods->xClose(inner(f)); },
    .xRead = [](sqlite3_file* f, void* to, int size,
                sqlite3_int64 at) { return inner(f)->pMethods->xRead(inner(f), to, size, at); },
    .xWrite =
        [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
          if (const int code = faults.write; code != 0 && faults.writes_allowed-- <= 0) return code;
          if (const int code = faults.checkpoint_write; code != 0 && as_file(f)->is_database) return code;
          return inner(f)->pMethods->xWrite(inner(f), from, size, at);
        },
    .xTruncate = [](sqlite3_file* f,
                    sqlite3_int64 size) { return inner(f)->pMethods->xTruncate(inner(f), size); },
    .xSync =
        [](sqlite3_file* f, int flags) {
          ++faults.syncs;
          if (const int code = faults.sync) return code;
          return inner(f)->pMethods->xSync(inner(f), flags);
        },
    .xFileSize = [](sqlite3_file* f,
                    sqlite3_int64* size) { return inner(f)->pMethods->xFileSize(inner(f), size); },
    .xLock = [](sqlite3_file* f, int level) { return inner(f)->pMethods->xLock(inner(f), level); },
    .xUnlock = [](sqlite3_file* f, int level) { return inner(f)->pMethods->xUnlock(inner(f), level); },
    .xCheckReservedLock = [](sqlite3_file* f,
                             int* held) { return inner(f)->pMethods->xCheckReservedLock(inner(f), held); },
    .xFileControl = [](sqlite3_file* f, int op,
                       void* argument) { return inner(f)->pMethods->xFileControl(inner(f), op, argument); },
    .xSectorSize = [](sqlite3_file* f) { return inner(f)->pMethods->xSectorSize(inner(f)); },
    .xDeviceCharacteristics =
        [](sqlite3_file* f) { return inner(f)->pMethods->xDeviceCharacteristics(inner(f)); },
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr};

sqlite3_vfs vfs;

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* real = static_cast<sqlite3_vfs*>(vfs.pAppData);
  const int code = real->xOpen(real, name, inner(file), flags, out_flags);
  as_file(file)->is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  file->pMethods = inner(file)->pMethods != nullptr ? &kMethods : nullptr;
  return code;
}

}  // namespace

FaultyVfs::FaultyVfs() {
  sqlite3_initialize();
  sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
  vfs = *real;  // everything but opening files is the platform's own
  vfs.zName = kName;
  vfs.pNext = nullptr;
  vfs.szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
  vfs.pAppData = real;
  vfs.xOpen = open_file;
  sqlite3_vfs_register(&vfs, 0);
}

FaultyVfs::~FaultyVfs() {
  sqlite3_vfs_unregister(&vfs);
  fail_writes(0);
  fail_checkpoint_writes(0);
  fail_syncs(0);
}

void FaultyVfs::fail_writes(int code) {
  fail_writes_after(0, code);
}
void FaultyVfs::fail_writes_after(int allowed, int code) {
  faults.write = 0;
  faults.writes_allowed = allowed;
  faults.write = code;
}
void FaultyVfs::fail_checkpoint_writes(int code) {
  faults.checkpoint_write = code;
}
void FaultyVfs::fail_syncs(int code) {
  faults.sync = code;
}
int FaultyVfs::syncs() const {
  return faults.syncs;
}

}  // namespace ganglion::sqlite::testing
