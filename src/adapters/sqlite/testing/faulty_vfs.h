#pragma once

// An SQLite VFS that passes everything to the platform's own, until a test says which call is to fail.
// Registered under the name "faulty" for the life of the object; at most one at a time.

namespace ganglion::sqlite::testing {

class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  static constexpr const char* kName = "faulty";

  // Any thread may call these. Every write from now on fails with this SQLite code; 0 heals.
  void fail_writes(int code);
  // The same, but this many more writes succeed first.
  void fail_writes_after(int allowed, int code);
  // The same for writes to the database file alone, not to its log.
  void fail_checkpoint_writes(int code);
  void fail_syncs(int code);
  int syncs() const;
};

}  // namespace ganglion::sqlite::testing
