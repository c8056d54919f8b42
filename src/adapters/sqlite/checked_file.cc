#include "adapters/sqlite/checked_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "adapters/sqlite/page_check.h"

namespace ganglion::sqlite {
namespace {

// In the database's header.
constexpr std::size_t kHeaderBytes = 100;
constexpr std::size_t kPageSizeAt = 16;
constexpr std::size_t kReservedBytesAt = 20;
constexpr std::size_t kLargestPage = 65'536;

// Of a log's writes that wait for the sync. SQLite's files take no write of 128 KiB or more.
constexpr std::size_t kMaxPendingBytes = 96 << 10;

std::size_t page_size_in(std::span<const char> header) {
  const auto byte = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(header[at]));
  };
  const std::size_t size = byte(kPageSizeAt) << 8 | byte(kPageSizeAt + 1);
  return size == 1 ? kLargestPage : size;
}

}  // namespace

// --- InnerFile
// ------------------------------------------------------------------------------------------------------

InnerFile::InnerFile(sqlite3_vfs* vfs)
    : vfs_(vfs),
      memory_(std::make_unique<std::max_align_t[]>(
          static_cast<std::size_t>(vfs->szOsFile) / sizeof(std::max_align_t) + 1)) {}

int InnerFile::open(const char* name, int flags, int* out_flags) {
  return vfs_->xOpen(vfs_, name, file(), flags, out_flags);
}

int InnerFile::close() {
  if (!is_open()) return SQLITE_OK;
  const int code = file()->pMethods->xClose(file());
  file()->pMethods = nullptr;
  return code;
}

int InnerFile::read(std::span<char> to, std::uint64_t offset) {
  return file()->pMethods->xRead(file(), to.data(), static_cast<int>(to.size()),
                                 static_cast<sqlite3_int64>(offset));
}

int InnerFile::write(std::span<const char> from, std::uint64_t offset) {
  return file()->pMethods->xWrite(file(), from.data(), static_cast<int>(from.size()),
                                  static_cast<sqlite3_int64>(offset));
}

int InnerFile::sync(int flags) {
  return file()->pMethods->xSync(file(), flags);
}

int InnerFile::truncate(std::uint64_t bytes) {
  return file()->pMethods->xTruncate(file(), static_cast<sqlite3_int64>(bytes));
}

int InnerFile::size(std::uint64_t& bytes) {
  sqlite3_int64 size = 0;
  const int code = file()->pMethods->xFileSize(file(), &size);
  bytes = static_cast<std::uint64_t>(size);
  return code;
}

// --- CheckedFile
// ----------------------------------------------------------------------------------------------------

int CheckedFile::open(const char* name, int flags, int* out_flags) {
  if (const int code = inner_.open(name, flags, out_flags); code != SQLITE_OK) return code;
  int code = SQLITE_OK;
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0) code = look_at_database();
  if ((flags & SQLITE_OPEN_WAL) != 0) code = look_at_log(name);
  if (code != SQLITE_OK) close();
  return code;
}

int CheckedFile::close() {
  const int flushed = flush();
  seal_file_.close();
  const int closed = inner_.close();
  return flushed != SQLITE_OK ? flushed : closed;
}

// A file is checked from its first page on or not at all, and its header says so.
int CheckedFile::look_at_database() {
  std::uint64_t size = 0;
  if (const int code = inner_.size(size); code != SQLITE_OK) return code;
  role_ = Role::checked_database;
  if (size < kHeaderBytes) return SQLITE_OK;
  std::array<char, kHeaderBytes> header{};
  if (const int code = inner_.read(header, 0); code != SQLITE_OK) return code;
  if (header[kReservedBytesAt] == kPageCheckBytes) return SQLITE_OK;
  // Not if that is what has flipped.
  std::vector<char> first(page_size_in(header));
  if (is_page(first.size(), 0) && first.size() <= size) {
    if (const int code = inner_.read(first, 0); code != SQLITE_OK) return code;
    first[kReservedBytesAt] = kPageCheckBytes;
    if (state_of(first, 0) == PageState::intact) return SQLITE_IOERR_DATA;
  }
  role_ = Role::other;
  return SQLITE_OK;
}

int CheckedFile::look_at_log(const char* name) {
  role_ = Role::log;
  seal_name_ = seal_name(name);
  // Without it the log is no worse off than without seals.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_JOURNAL;
  if (seal_file_.open(seal_name_.c_str(), flags, nullptr) != SQLITE_OK) seal_file_.close();
  std::uint64_t size = 0;
  if (const int code = inner_.size(size); code != SQLITE_OK || size == 0) return code;

  std::array<char, kLogHeaderBytes> start{};
  if (size >= start.size()) {
    if (const int code = inner_.read(start, 0); code != SQLITE_OK) return code;
    header_ = LogHeader::parse(start);
  }
  std::array<char, kSealBytes> bytes{};
  if (!seal_file_.is_open() || seal_file_.read(bytes, 0) != SQLITE_OK) return SQLITE_OK;
  const std::optional<LogSeal> seal = LogSeal::parse(bytes);
  if (!seal || seal->frames == 0) return SQLITE_OK;
  int failed = SQLITE_OK;
  const ReadLog read = [&](std::span<char> to, std::uint64_t offset) {
    const int code = inner_.read(to, offset);
    if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) failed = code;
    return code == SQLITE_OK;
  };
  if (keeps(read, *seal)) return SQLITE_OK;
  return failed != SQLITE_OK ? failed : SQLITE_IOERR_DATA;
}

int CheckedFile::read(std::span<char> to, std::uint64_t offset) {
  if (const int flushed = flush(); flushed != SQLITE_OK) return flushed;
  int code = inner_.read(to, offset);
  if (code == SQLITE_IOERR_SHORT_READ && role_ != Role::other) {
    std::uint64_t size = 0;
    if (inner_.size(size) != SQLITE_OK || offset + to.size() <= size) return SQLITE_IOERR_READ;
  }
  if (role_ == Role::log && code == SQLITE_OK) {
    const std::uint64_t* written = log_check(to.size(), offset);
    const bool same = written == nullptr || *written == 0 || *written == page_check(to, offset);
    return same ? SQLITE_OK : SQLITE_IOERR_DATA;
  }
  if (role_ != Role::checked_database || !is_page(to.size(), offset)) return code;
  if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ) return code;
  if (state_of(to, offset) == PageState::damaged) return SQLITE_IOERR_DATA;
  set_page_check(to, 0);
  return code;
}

int CheckedFile::write(std::span<const char> from, std::uint64_t offset) {
  if (role_ == Role::log) return write_log(from, offset);
  if (role_ != Role::checked_database || !is_page(from.size(), offset)) return inner_.write(from, offset);
  page_.assign(from.begin(), from.end());
  set_page_check(page_, page_check(page_, offset));
  return inner_.write(page_, offset);
}

std::uint64_t* CheckedFile::log_check(std::size_t bytes, std::uint64_t offset) {
  if (!header_ || !header_->is_frame_page(bytes, offset)) return nullptr;
  const std::uint64_t frame = header_->frame_at(offset);
  if (frame > log_checks_.size()) log_checks_.resize(frame);
  return &log_checks_[frame - 1];
}

int CheckedFile::write_log(std::span<const char> from, std::uint64_t offset) {
  if (offset == 0) {
    if (const int code = take_seal_back(); code != SQLITE_OK) return code;
    header_.reset();
    log_checks_.clear();
  }
  if (const int code = append(from, offset); code != SQLITE_OK) return code;
  if (offset == 0 && from.size() == kLogHeaderBytes) {
    header_ = LogHeader::parse(from.first<kLogHeaderBytes>());
    committed_ = 0;
  } else if (header_ && header_->is_frame_header(from.size(), offset)) {
    if (ends_commit(from.first<kFrameHeaderBytes>())) committed_ = header_->frame_at(offset);
  } else if (std::uint64_t* check = log_check(from.size(), offset)) {
    *check = page_check(from, offset);
  } else {
    // A part of a page, as SQLite writes it on some devices: then we don't know.
    log_checks_.clear();
  }
  return SQLITE_OK;
}

int CheckedFile::append(std::span<const char> from, std::uint64_t offset) {
  const bool goes_on = offset == pending_at_ + pending_.size();
  if (!goes_on || pending_.size() + from.size() > kMaxPendingBytes) {
    if (const int code = flush(); code != SQLITE_OK) return code;
  }
  if (pending_.empty()) pending_at_ = offset;
  pending_.insert(pending_.end(), from.begin(), from.end());
  return SQLITE_OK;
}

int CheckedFile::flush() {
  if (pending_.empty()) return SQLITE_OK;
  const int code = inner_.write(pending_, pending_at_);
  pending_.clear();
  // A commit that isn't whole is none.
  if (code != SQLITE_OK) committed_ = sealed_;
  return code;
}

int CheckedFile::truncate(std::uint64_t bytes) {
  if (const int code = flush(); code != SQLITE_OK) return code;
  return inner_.truncate(bytes);
}

int CheckedFile::size(std::uint64_t& bytes) {
  if (const int code = flush(); code != SQLITE_OK) return code;
  return inner_.size(bytes);
}

int CheckedFile::sync(int flags) {
  if (const int code = flush(); code != SQLITE_OK) return code;
  syncs_.fetch_add(1, std::memory_order_relaxed);
  const int code = inner_.sync(flags);
  if (code == SQLITE_OK && role_ == Role::log && header_ && committed_ > sealed_) seal();
  return code;
}

void CheckedFile::seal() {
  if (!seal_file_.is_open()) return;
  const LogSeal now{.salts = header_->salts, .frames = committed_};
  // A seal that can't be written leaves one that vouches for less.
  if (seal_file_.write(now.bytes(), 0) == SQLITE_OK) sealed_ = committed_;
}

int CheckedFile::take_seal_back() {
  sealed_ = committed_ = 0;
  std::uint64_t size = 0;
  if (!seal_file_.is_open() || (seal_file_.size(size) == SQLITE_OK && size == 0)) return SQLITE_OK;
  if (const int code = seal_file_.write(LogSeal{}.bytes(), 0); code != SQLITE_OK) return code;
  return seal_file_.sync();
}

std::string seal_name(const std::string& log_name) {
  constexpr std::string_view kLog = "-wal";
  const std::string_view name = log_name;
  return std::string(name.ends_with(kLog) ? name.substr(0, name.size() - kLog.size()) : name) + "-seal";
}

}  // namespace ganglion::sqlite
