#pragma once

// A disk for SQLite that lives in memory and does what a test tells it to. Registered as the VFS "faulty" for
// the life of the object; at most one at a time. Paths are names here, nothing touches the real file system,
// so that a test can lay an image of the disk under a store, open it, and do so thousands of times.
//
// Three things go wrong on it:
//   - calls fail: a kind of call from now on, or the one call of its kind that a test has counted to;
//   - the machine dies (`die`): nothing reaches the files any more, and every call fails;
//   - afterwards, what is on the disk is a matter of what was synced. For that the disk writes down every
//     change, and disk_history.h works out what can be left of them.
//
// All calls may come from any thread. `hold_syncs` makes the store's thread wait in its next sync, so that a
// test can say which writes gather in the queue meanwhile.

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ganglion::sqlite::testing {

// Files by path, as their bytes.
using DiskImage = std::map<std::string, std::string>;

// What was done to a file.
struct DiskChange {
  enum class Kind { write, truncate, sync, remove };
  Kind kind = Kind::write;
  std::string path;
  std::uint64_t offset = 0;  // of a truncation the new size
  std::string bytes = {};
};

enum class DiskCall { read, write, sync };

// The call of its kind to fail once, counted from the time at which it was set, from 0.
struct DiskFault {
  DiskCall call = DiskCall::write;
  int position = 0;
  int code = 0;  // SQLite's
  std::size_t bytes_before =
      0;  // of a write, that arrive all the same; of a read, that are read before zeros
};

class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  static constexpr const char* kName = "faulty";

  // Every write from now on fails with this SQLite code; 0 heals.
  void fail_writes(int code);
  // The same, but this many more writes succeed first.
  void fail_writes_after(int allowed, int code);
  // The same for writes to the database file alone, not to its log.
  void fail_checkpoint_writes(int code);
  void fail_syncs(int code);

  void fail_once(const DiskFault& fault);
  // Whether the call of `fail_once` has come.
  bool fault_met() const;
  // From now on nothing is changed any more and every call fails, as for a process that is no more.
  void die();
  // Ends every fault, the machine's death included.
  void heal();

  // Calls so far, failed ones included.
  int calls(DiskCall call) const;
  int syncs() const { return calls(DiskCall::sync); }

  DiskImage image() const;
  // No file is open.
  void restore(DiskImage image);
  // Of a file that may be open.
  void flip(const std::string& path, std::size_t bit);
  // The changes since the last `restore`.
  std::vector<DiskChange> changes() const;
  std::size_t change_count() const;

  // The next sync of a file to which a page was written last waits until `release_syncs`: that of a commit,
  // not that of a header before it.
  void hold_syncs();
  bool sync_is_held() const;
  void release_syncs();

 private:
  friend struct DiskFile;
  struct Registration;

  // What a call is to do: nothing but fail, or go on.
  int admit(DiskCall call, std::string_view path, std::size_t& bytes_before);
  int read(const std::string& path, void* to, std::size_t size, std::uint64_t at);
  int write(const std::string& path, std::string_view bytes, std::uint64_t at);
  int truncate(const std::string& path, std::uint64_t size);
  int sync(const std::string& path);
  int remove(const std::string& path);
  void put(const std::string& path, std::string_view bytes, std::uint64_t at);

  mutable std::mutex mutex_;
  std::condition_variable released_;
  DiskImage files_;
  std::vector<DiskChange> changes_;
  std::map<DiskCall, int> calls_;
  std::map<std::string, std::size_t> last_write_;  // its size
  std::optional<DiskFault> fault_;
  int fault_at_ = 0;  // in calls of its kind
  bool fault_met_ = false;
  int write_code_ = 0, writes_allowed_ = 0, checkpoint_code_ = 0, sync_code_ = 0;
  bool dead_ = false;
  bool hold_ = false;
  bool held_ = false;
  std::unique_ptr<Registration> registration_;
};

}  // namespace ganglion::sqlite::testing
