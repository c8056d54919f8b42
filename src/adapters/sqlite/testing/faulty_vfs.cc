#include "adapters/sqlite/testing/faulty_vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace ganglion::sqlite::testing {

// SQLite's file object; `path` is allocated so that SQLite may treat it as plain bytes.
struct DiskFile {
  sqlite3_file base;
  FaultyVfs* disk;
  std::string* path;

  static DiskFile& of(sqlite3_file* file) { return *reinterpret_cast<DiskFile*>(file); }

  static int close(sqlite3_file* file) {
    delete of(file).path;
    file->pMethods = nullptr;
    return SQLITE_OK;
  }
  static int read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
    return of(file).disk->read(*of(file).path, to, static_cast<std::size_t>(size),
                               static_cast<std::uint64_t>(at));
  }
  static int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
    return of(file).disk->write(*of(file).path,
                                {static_cast<const char*>(from), static_cast<std::size_t>(size)},
                                static_cast<std::uint64_t>(at));
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    return of(file).disk->truncate(*of(file).path, static_cast<std::uint64_t>(size));
  }
  static int sync(sqlite3_file* file, int) { return of(file).disk->sync(*of(file).path); }
  static int size(sqlite3_file* file, sqlite3_int64* size) {
    FaultyVfs& disk = *of(file).disk;
    const std::scoped_lock lock(disk.mutex_);
    const auto found = disk.files_.find(*of(file).path);
    *size = found == disk.files_.end() ? 0 : static_cast<sqlite3_int64>(found->second.size());
    return SQLITE_OK;
  }
  static FaultyVfs& disk_of(sqlite3_vfs* vfs) { return *static_cast<FaultyVfs*>(vfs->pAppData); }
  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags);
  static int remove(sqlite3_vfs* vfs, const char* name, int) { return disk_of(vfs).remove(name); }
  static int access(sqlite3_vfs* vfs, const char* name, int, int* found) {
    const std::scoped_lock lock(disk_of(vfs).mutex_);
    *found = disk_of(vfs).files_.contains(name) ? 1 : 0;
    return SQLITE_OK;
  }
};

namespace {

constexpr std::size_t kSmallestPage = 512;

// Locks are process_lock.h's matter; one connection at a time opens a file here.
const sqlite3_io_methods kMethods = {
    .iVersion = 1,
    .xClose = DiskFile::close,
    .xRead = DiskFile::read,
    .xWrite = DiskFile::write,
    .xTruncate = DiskFile::truncate,
    .xSync = DiskFile::sync,
    .xFileSize = DiskFile::size,
    .xLock = [](sqlite3_file*, int) { return SQLITE_OK; },
    .xUnlock = [](sqlite3_file*, int) { return SQLITE_OK; },
    .xCheckReservedLock =
        [](sqlite3_file*, int* held) {
          *held = 0;
          return SQLITE_OK;
        },
    .xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; },
    .xSectorSize = [](sqlite3_file*) { return 4096; },
    // As the platform's own says.
    .xDeviceCharacteristics = [](sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; },
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr};

bool is_database(std::string_view path) {
  return path.ends_with(".db");
}

int copy_name(sqlite3_vfs*, const char* name, int room, char* out) {
  sqlite3_snprintf(room, out, "%s", name);
  return SQLITE_OK;
}

}  // namespace

int DiskFile::open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  FaultyVfs& disk = disk_of(vfs);
  const std::scoped_lock lock(disk.mutex_);
  file->pMethods = nullptr;
  if (disk.dead_) return SQLITE_CANTOPEN;
  const std::string path = name != nullptr ? name : "temporary";
  if (!disk.files_.contains(path)) {
    // The store makes its database file itself, on the real file system.
    if ((flags & SQLITE_OPEN_CREATE) == 0 && !is_database(path)) return SQLITE_CANTOPEN;
    disk.files_[path] = {};
  }
  of(file).disk = &disk;
  of(file).path = new std::string(path);
  file->pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

struct FaultyVfs::Registration {
  sqlite3_vfs vfs;
};

FaultyVfs::FaultyVfs() : registration_(std::make_unique<Registration>()) {
  sqlite3_initialize();
  sqlite3_vfs& vfs = registration_->vfs;
  vfs = *sqlite3_vfs_find(nullptr);  // its clock and its random numbers
  vfs.zName = kName;
  vfs.pNext = nullptr;
  vfs.szOsFile = sizeof(DiskFile);
  vfs.pAppData = this;
  vfs.xOpen = DiskFile::open;
  vfs.xDelete = DiskFile::remove;
  vfs.xAccess = DiskFile::access;
  vfs.xFullPathname = copy_name;
  sqlite3_vfs_register(&vfs, 0);
}

FaultyVfs::~FaultyVfs() {
  sqlite3_vfs_unregister(&registration_->vfs);
}

// --- what a test says
// ------------------------------------------------------------------------------------------------------

void FaultyVfs::fail_writes(int code) {
  fail_writes_after(0, code);
}
void FaultyVfs::fail_writes_after(int allowed, int code) {
  const std::scoped_lock lock(mutex_);
  writes_allowed_ = allowed;
  write_code_ = code;
}
void FaultyVfs::fail_checkpoint_writes(int code) {
  const std::scoped_lock lock(mutex_);
  checkpoint_code_ = code;
}
void FaultyVfs::fail_syncs(int code) {
  const std::scoped_lock lock(mutex_);
  sync_code_ = code;
}
void FaultyVfs::fail_once(const DiskFault& fault) {
  const std::scoped_lock lock(mutex_);
  fault_ = fault;
  fault_at_ = calls_[fault.call] + fault.position;
  fault_met_ = false;
}
bool FaultyVfs::fault_met() const {
  const std::scoped_lock lock(mutex_);
  return fault_met_;
}
void FaultyVfs::die() {
  const std::scoped_lock lock(mutex_);
  dead_ = true;
  hold_ = false;
  released_.notify_all();
}
void FaultyVfs::heal() {
  const std::scoped_lock lock(mutex_);
  dead_ = false;
  fault_.reset();
  write_code_ = checkpoint_code_ = sync_code_ = 0;
}
int FaultyVfs::calls(DiskCall call) const {
  const std::scoped_lock lock(mutex_);
  const auto found = calls_.find(call);
  return found == calls_.end() ? 0 : found->second;
}
DiskImage FaultyVfs::image() const {
  const std::scoped_lock lock(mutex_);
  return files_;
}
void FaultyVfs::restore(DiskImage image) {
  const std::scoped_lock lock(mutex_);
  files_ = std::move(image);
  changes_.clear();
}
void FaultyVfs::flip(const std::string& path, std::size_t bit) {
  const std::scoped_lock lock(mutex_);
  files_.at(path).at(bit / 8) ^= static_cast<char>(1U << bit % 8);
}
std::vector<DiskChange> FaultyVfs::changes() const {
  const std::scoped_lock lock(mutex_);
  return changes_;
}
std::size_t FaultyVfs::change_count() const {
  const std::scoped_lock lock(mutex_);
  return changes_.size();
}
void FaultyVfs::hold_syncs() {
  const std::scoped_lock lock(mutex_);
  hold_ = true;
}
bool FaultyVfs::sync_is_held() const {
  const std::scoped_lock lock(mutex_);
  return held_;
}
void FaultyVfs::release_syncs() {
  const std::scoped_lock lock(mutex_);
  hold_ = false;
  released_.notify_all();
}

// --- what SQLite does
// ------------------------------------------------------------------------------------------------------

int FaultyVfs::admit(DiskCall call, std::string_view path, std::size_t& bytes_before) {
  if (dead_) return SQLITE_IOERR;
  const int number = calls_[call]++;
  if (fault_ && fault_->call == call && number == fault_at_) {
    fault_met_ = true;
    bytes_before = fault_->bytes_before;
    return fault_->code;
  }
  switch (call) {
    case DiskCall::read:
      return SQLITE_OK;
    case DiskCall::write:
      if (write_code_ != 0 && writes_allowed_-- <= 0) return write_code_;
      return is_database(path) ? checkpoint_code_ : SQLITE_OK;
    case DiskCall::sync:
      return sync_code_;
  }
  return SQLITE_OK;
}

int FaultyVfs::read(const std::string& path, void* to, std::size_t size, std::uint64_t at) {
  const std::scoped_lock lock(mutex_);
  std::size_t bytes_before = 0;
  const int code = admit(DiskCall::read, path, bytes_before);
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return code;
  const std::string& file = files_[path];
  std::size_t got = at < file.size() ? std::min<std::size_t>(size, file.size() - at) : 0;
  if (code == SQLITE_IOERR_SHORT_READ) got = std::min(got, bytes_before);
  if (got > 0) std::memcpy(to, file.data() + at, got);
  std::memset(static_cast<char*>(to) + got, 0, size - got);
  return got == size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

void FaultyVfs::put(const std::string& path, std::string_view bytes, std::uint64_t at) {
  std::string& file = files_[path];
  last_write_[path] = bytes.size();
  if (file.size() < at + bytes.size()) file.resize(at + bytes.size());
  std::memcpy(file.data() + at, bytes.data(), bytes.size());
  changes_.push_back({DiskChange::Kind::write, path, at, std::string(bytes)});
}

int FaultyVfs::write(const std::string& path, std::string_view bytes, std::uint64_t at) {
  const std::scoped_lock lock(mutex_);
  std::size_t bytes_before = 0;
  const int code = admit(DiskCall::write, path, bytes_before);
  if (code == SQLITE_OK)
    put(path, bytes, at);
  else if (bytes_before > 0)
    put(path, bytes.substr(0, bytes_before), at);
  return code;
}

int FaultyVfs::truncate(const std::string& path, std::uint64_t size) {
  const std::scoped_lock lock(mutex_);
  if (dead_) return SQLITE_IOERR;
  files_[path].resize(size);
  changes_.push_back({DiskChange::Kind::truncate, path, size});
  return SQLITE_OK;
}

int FaultyVfs::sync(const std::string& path) {
  std::unique_lock lock(mutex_);
  if (last_write_[path] >= kSmallestPage) {
    held_ = hold_;
    released_.wait(lock, [this] { return !hold_; });
    held_ = false;
  }
  std::size_t bytes_before = 0;
  const int code = admit(DiskCall::sync, path, bytes_before);
  if (code == SQLITE_OK) changes_.push_back({DiskChange::Kind::sync, path});
  return code;
}

int FaultyVfs::remove(const std::string& path) {
  const std::scoped_lock lock(mutex_);
  if (dead_) return SQLITE_IOERR;
  if (files_.erase(path) == 0) return SQLITE_IOERR_DELETE_NOENT;
  changes_.push_back({DiskChange::Kind::remove, path});
  return SQLITE_OK;
}

}  // namespace ganglion::sqlite::testing
