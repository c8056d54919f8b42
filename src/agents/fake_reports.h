#pragma once

// For tests: a coordinator's side that records reports and answers them when it is told to.

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ports/tasks.h"

namespace ganglion::agents {

class FakeReports final : public TaskReports {
 public:
  void report(TaskReport report, Completion done) override {
    reports.push_back(std::move(report));
    open_.push_back(std::move(done));
    if (automatic) answer(*automatic);
  }

  // Answers the oldest open report.
  void answer(Result<Verdict> verdict) {
    Completion done = std::move(open_.front());
    open_.erase(open_.begin());
    done(std::move(verdict));
  }

  std::string failure_code(std::size_t index) const {
    const auto* failure = std::get_if<TaskFailure>(&reports.at(index).outcome);
    return failure ? failure->code : "";
  }

  std::vector<TaskReport> reports;
  // The answer to every report, given at once; nothing: `answer` gives it.
  std::optional<Result<Verdict>> automatic;

 private:
  std::vector<Completion> open_;
};

}  // namespace ganglion::agents
