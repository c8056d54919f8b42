#pragma once

// The sweeps' workload on a store over a FaultyVfs, once from beginning to end, and what a store is asked
// after a fault. A `fatal` of the store is the end of its process: the disk takes nothing more from it.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/sqlite/store.h"
#include "adapters/sqlite/testing/faulty_vfs.h"
#include "adapters/sqlite/testing/store_dump.h"
#include "adapters/sqlite/testing/store_file.h"
#include "adapters/sqlite/testing/sweep_workload.h"

namespace ganglion::sqlite::testing {

// Before anything else with SQLite in this process.
void use_quick_memory();

// Where the lock file lies: in memory, if the machine has such a folder, since opening syncs it.
std::filesystem::path quick_folder();

class SweepRun {
 public:
  // The log is moved into the file after so many pages, so that the workload sees it happen a few times.
  static constexpr int kLogPages = 40;

  // `place` holds the lock file; both outlive this.
  SweepRun(FaultyVfs& disk, const StoreFile& place) : disk_(disk), place_(place) {}

  // Opens the store on what the disk holds and does the whole workload, trying again what was refused. Ends
  // early when the store has stopped.
  void perform();
  // One session of it, on a disk on which those before it have left their files. `reads`: after opening
  // everything is read, which must give what was written or an error.
  enum class Reads { no, yes };
  void perform_session(std::size_t session, Reads reads);

  // How many steps of the workload were acknowledged, those of sessions before included.
  std::size_t acknowledged() const { return before_ + positions_.size(); }
  // For each that this run did how many changes the disk had seen when the store sent its acknowledgement.
  const std::vector<std::size_t>& positions() const { return positions_; }
  bool stopped() const { return stopped_; }
  int syncs_when_stopped() const { return syncs_when_stopped_; }
  // What went wrong with the store: its answers were none that the port allows.
  const std::vector<std::string>& complaints() const { return complaints_; }
  // Errors of opening, each answered by opening again.
  const std::vector<Error>& open_errors() const { return open_errors_; }
  // Of reads and steps that were refused.
  int refusals() const { return refusals_; }

 private:
  bool open();
  void perform(const Session& session);
  void perform(const StepGroup& group);
  void perform(const Step& step);
  void read_everything();
  void acknowledge(StepAnswer answer, const std::string& name);

  FaultyVfs& disk_;
  const StoreFile& place_;
  ganglion::testing::TestLoop loop_;
  std::unique_ptr<Store> store_;
  std::size_t before_ = 0;  // steps of sessions that others did
  std::vector<std::size_t> positions_;
  std::size_t position_ = 0;  // of the completions that run now
  bool stopped_ = false;
  int syncs_when_stopped_ = 0;
  int refusals_ = 0;
  std::vector<std::string> complaints_;
  std::vector<Error> open_errors_;
};

// What a store that is opened on an image says: its dump, or why it was refused, or that it stopped.
struct Found {
  std::optional<Error> refused;
  StoreDump dump;
  bool stopped = false;
};
// `Writes::yes`: a write must succeed as well, else the answer is that it stopped.
enum class Writes { no, yes };
Found open_on(FaultyVfs& disk, const StoreFile& place, DiskImage image, Writes writes);

const std::vector<StoreDump>& expected();
// The number of steps, at least `least`, after which the store holds what `dump` says; nothing where there is
// none.
std::optional<std::size_t> prefix_in(const StoreDump& dump, std::size_t least);

}  // namespace ganglion::sqlite::testing
