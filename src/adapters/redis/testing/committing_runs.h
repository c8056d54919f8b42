#pragma once

// Some runs, each of which commits its next event as soon as the last one is acknowledged, while a test does
// something to the server. Every third commit carries one of everything, so that a commit that was made
// twice, or in part, would show.

#include <cstdint>
#include <map>
#include <string>

#include "contract/store_driver.h"

namespace ganglion::redis::testing {

class CommittingRuns {
 public:
  CommittingRuns(ganglion::testing::TestLoop& loop, ganglion::Store& store, std::uint64_t runs);

  // Goes on until so many more commits were acknowledged.
  void commit(std::uint64_t commits);
  // Waits for what is on its way, and begins nothing more.
  void finish();
  // Every acknowledged commit is there, once, and nothing else.
  void expect_exactly_what_was_acknowledged();

  std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  void commit_next(std::uint64_t run);
  void answered(std::uint64_t run, const CommitOutcome& outcome, bool laden);

  ganglion::testing::TestLoop& loop_;
  ganglion::Store& store_;
  std::map<std::uint64_t, std::uint64_t> versions_;  // by run
  std::uint64_t acknowledged_ = 0;
  std::uint64_t laden_ = 0;
  std::uint64_t on_their_way_ = 0;
  bool finishing_ = false;
};

}  // namespace ganglion::redis::testing
