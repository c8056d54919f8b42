#pragma once

// What a disk can hold after a death: made from the changes that a FaultyVfs wrote down, one after another,
// so that every moment of a workload costs one image instead of one more run of the workload.
//
// A process that is killed leaves every change that it has made; the write it died in arrives whole, in part
// or not at all. A machine that loses its power leaves what was synced, and of each change since the file's
// last sync it is open whether it arrives, in whatever order and in part: `Arrival` lists the ways that are
// tried. A new file's name is durable with its first sync, as the platform's VFS makes it; one that was
// removed may be back until a file is made and synced in its folder.

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "adapters/sqlite/testing/faulty_vfs.h"

namespace ganglion::sqlite::testing {

// Which of the changes that were not synced arrive all the same.
enum class Arrival {
  none,
  first_half,
  all_but_first,
  every_second,
  last_cut_at_sector,  // all, the last write up to its first sector boundary
  every_other_sector,  // of each write
  log_only,
  database_only,
};
inline constexpr std::array kArrivals = {
    Arrival::none,         Arrival::first_half,         Arrival::all_but_first,
    Arrival::every_second, Arrival::last_cut_at_sector, Arrival::every_other_sector,
    Arrival::log_only,     Arrival::database_only};

const char* name_of(Arrival arrival);

class DiskHistory {
 public:
  explicit DiskHistory(DiskImage start);

  void apply(const DiskChange& change);

  // After a kill at this moment.
  const DiskImage& current() const { return current_; }
  // After a kill within `next`, a write of which only the first `bytes` arrive.
  DiskImage torn(const DiskChange& next, std::size_t bytes) const;
  DiskImage after_power_loss(Arrival arrival) const;
  bool everything_is_synced() const { return pending_.empty() && removed_.empty(); }

 private:
  DiskImage current_;
  DiskImage durable_;
  std::vector<DiskChange> pending_;  // since the last sync of their files, in order
  DiskImage removed_;                // files that may be back
};

}  // namespace ganglion::sqlite::testing
