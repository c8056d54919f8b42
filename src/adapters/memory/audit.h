#pragma once

// The audit port in plain memory: for tests and for the simulator. It keeps every rule of the port but
// survival of the process.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ports/audit.h"
#include "ports/clock.h"

namespace ganglion::memory {

class Audit final : public ganglion::Audit {
 public:
  struct Copied {
    RunRecord record;
    std::vector<JournalEntry> journal;
  };

  // `clock` outlives it. Completions that have not run when it is destroyed never run.
  explicit Audit(Clock& clock, std::string name = "audit") : clock_(clock), name_(std::move(name)) {}

  void identify(Completion<Result<std::string>> done) override;
  void find_positions(std::vector<RunId> runs,
                      Completion<Result<std::vector<JournalPosition>>> done) override;
  void append(std::vector<JournalGrowth> growth, Completion<Result<void>> done) override;

  const std::map<RunId, Copied>& runs() const { return runs_; }

 private:
  std::uint64_t position_of(const RunId& run) const;
  template <typename T>
  void complete(Completion<T> done, T value);

  Clock& clock_;
  const std::string name_;
  std::map<RunId, Copied> runs_;
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::memory
