#pragma once

// A store file of its own for a test, and what tests look at from outside.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "adapters/sqlite/store.h"
#include "contract/store_driver.h"

namespace ganglion::sqlite::testing {

class StoreFile {
 public:
  // In a folder of its own below `parent`.
  explicit StoreFile(const std::filesystem::path& parent = std::filesystem::temp_directory_path());
  ~StoreFile();
  StoreFile(const StoreFile&) = delete;
  StoreFile& operator=(const StoreFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const std::filesystem::path& folder() const { return folder_; }

  Options options(ganglion::testing::TestLoop& loop) const;
  Result<std::unique_ptr<Store>> open(ganglion::testing::TestLoop& loop) const;

  // Writes files to their places, such as those of a disk in memory for the shell to look at.
  static void write(const std::map<std::string, std::string>& files);

  // Changes the file by SQL as the store would, with the checks of its pages right.
  void change(const std::string& sql) const;
  // What the `sqlite3` program prints for `sql`; its error where it fails.
  std::string shell(const std::string& sql) const;

 private:
  std::filesystem::path folder_;
  std::filesystem::path path_;
};

// A program that runs beside the test.
class ChildProcess {
 public:
  // Its standard output and error are read through a pipe.
  explicit ChildProcess(const std::vector<std::string>& command);
  // Kills it if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  int pid() const { return pid_; }
  // The next line without its end; empty at the end of the output.
  std::string read_line();
  // Every whole line that is left.
  std::vector<std::string> read_rest();
  void kill();
  // The exit code, or minus the signal.
  int wait();

 private:
  bool fill();

  int pid_ = -1;
  int output_ = -1;
  std::string buffer_;
};

}  // namespace ganglion::sqlite::testing
