#pragma once

// The audit of a world: a server beside the store's, whose rows are only ever added. What contradicts that is
// told as a broken promise at once: a gap, or another entry of a number that is there already.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ports/audit.h"

namespace ganglion::sim {

class AuditServer {
 public:
  struct Copied {
    RunRecord record;
    std::vector<JournalEntry> journal;
  };
  using Violated = std::function<void(std::string promise)>;

  explicit AuditServer(Violated violated) : violated_(std::move(violated)) {}

  void set_up(bool up) { up_ = up; }
  bool up() const { return up_; }
  // After a failover of the store that has lost writes, journals may go on otherwise than they are here.
  void expect_other_entries() { other_entries_ = true; }

  std::uint64_t position_of(const RunId& run) const;
  Result<void> append(const std::vector<JournalGrowth>& growth);
  const std::map<RunId, Copied>& runs() const { return runs_; }

 private:
  void add(const JournalGrowth& growth);

  Violated violated_;
  bool up_ = true;
  bool other_entries_ = false;
  std::map<RunId, Copied> runs_;
};

}  // namespace ganglion::sim
