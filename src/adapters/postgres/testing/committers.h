#pragma once

// Runs that commit at the same time, each its next event when the last one is answered, and keep account:
// what was acknowledged must be in the journal once, and nothing else. A commit that was refused as
// unavailable was not written, so the same one is made again and must find its version.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "contract/store_driver.h"

namespace ganglion::testing {

class Committers {
 public:
  // Each run has a session of its own as well, of which every commit makes one version.
  Committers(TestLoop& loop, Store& store, std::size_t runs, std::uint64_t first_number = 1);

  // Turns the loop until this many more commits are acknowledged.
  void run_for(std::size_t commits);
  // Lets what is under way end, and compares everything.
  void finish_and_check();

  // From any thread.
  std::size_t acknowledged() const { return acknowledged_; }
  std::size_t refused() const { return refused_; }

 private:
  void commit_next(std::size_t run);

  TestLoop& loop_;
  Store& store_;
  std::vector<RunId> runs_;
  std::vector<std::uint64_t> versions_;  // acknowledged, by run
  std::size_t under_way_ = 0;
  std::atomic<std::size_t> acknowledged_ = 0;
  std::size_t refused_ = 0;
  bool stopping_ = false;
};

}  // namespace ganglion::testing
