#pragma once

// One open file of checked_vfs.h: the inner VFS's file and what is checked on it.

#include <sqlite3.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapters/sqlite/log_seal.h"

namespace ganglion::sqlite {

// A file object of another VFS, of whatever size that asks for.
class InnerFile {
 public:
  explicit InnerFile(sqlite3_vfs* vfs);
  ~InnerFile() { close(); }
  InnerFile(const InnerFile&) = delete;
  InnerFile& operator=(const InnerFile&) = delete;

  // `name` stays valid while the file is open. These give SQLite's codes.
  int open(const char* name, int flags, int* out_flags);
  int close();
  int read(std::span<char> to, std::uint64_t offset);
  int write(std::span<const char> from, std::uint64_t offset);
  int sync(int flags = SQLITE_SYNC_NORMAL);
  int truncate(std::uint64_t bytes);
  int size(std::uint64_t& bytes);
  bool is_open() const { return file()->pMethods != nullptr; }
  sqlite3_file* file() const { return reinterpret_cast<sqlite3_file*>(memory_.get()); }

 private:
  sqlite3_vfs* vfs_;
  std::unique_ptr<std::max_align_t[]> memory_;
};

class CheckedFile {
 public:
  // Counts its syncs in `syncs`, which outlives it.
  CheckedFile(sqlite3_vfs* inner, std::atomic<std::uint64_t>& syncs)
      : inner_(inner), syncs_(syncs), seal_file_(inner) {}

  int open(const char* name, int flags, int* out_flags);
  int close();
  int read(std::span<char> to, std::uint64_t offset);
  int write(std::span<const char> from, std::uint64_t offset);
  int sync(int flags);
  int truncate(std::uint64_t bytes);
  int size(std::uint64_t& bytes);
  bool has_page_checks() const { return role_ == Role::checked_database; }
  sqlite3_file* inner() const { return inner_.file(); }

 private:
  enum class Role { other, checked_database, log };

  int look_at_database();
  int look_at_log(const char* name);
  // Where the check of a log's page is kept; nowhere for other parts of it.
  std::uint64_t* log_check(std::size_t bytes, std::uint64_t offset);
  int write_log(std::span<const char> from, std::uint64_t offset);
  int append(std::span<const char> from, std::uint64_t offset);
  int flush();
  int take_seal_back();
  void seal();

  InnerFile inner_;
  std::atomic<std::uint64_t>& syncs_;
  Role role_ = Role::other;
  std::vector<char> page_;  // a page with its check on its way to the file

  // Of a log.
  std::string seal_name_;
  InnerFile seal_file_;
  std::optional<LogHeader> header_;
  std::vector<std::uint64_t> log_checks_;  // of the pages that were written, by frame; 0: not by us
  // What SQLite has written since the last sync, on its way to the file in one piece: nobody needs it there
  // before the sync, and a commit has two writes for each of its pages.
  std::vector<char> pending_;
  std::uint64_t pending_at_ = 0;
  std::uint64_t committed_ = 0;  // frames up to the last one that ends a commit
  std::uint64_t sealed_ = 0;
};

// The name of the seal beside a log.
std::string seal_name(const std::string& log_name);

}  // namespace ganglion::sqlite
