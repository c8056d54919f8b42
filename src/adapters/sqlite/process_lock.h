#pragma once

// One process per store. SQLite's own exclusive lock would keep a second one out as well, but can't say who
// holds it, and a bug of Debian's SQLite 3.40 (two connections of which one resets the write-ahead log) makes
// it worth two locks.
//
// `<db>.lock` carries an open-file-description lock and the owner's process id. The kernel drops the lock
// with the process, so nothing is stale after a crash. The file stays: removing it would let two processes
// lock two files of one name.

#include <optional>
#include <string>

#include "base/result.h"

namespace ganglion::sqlite {

class ProcessLock {
 public:
  // Error `store_locked`, naming the owner, or `store_unavailable`.
  static Result<ProcessLock> acquire(const std::string& database_path);

  ProcessLock(ProcessLock&& other) noexcept;
  ProcessLock& operator=(ProcessLock&&) = delete;
  ~ProcessLock();

  // Lets others find the server that holds the store, until the lock is released.
  Result<void> publish_endpoint(const std::string& url);

 private:
  ProcessLock(std::string database_path, int descriptor)
      : database_path_(std::move(database_path)), descriptor_(descriptor) {}

  std::string database_path_;
  int descriptor_;
};

// The URL that the process which holds this store now has published.
std::optional<std::string> find_endpoint(const std::string& database_path);

}  // namespace ganglion::sqlite
