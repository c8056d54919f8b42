#pragma once

// Up: how attempts have ended, to the home of their runs. What ends in the same turn of the loop goes to one
// home in one message. Where a home doesn't answer it is decided here: anybody may.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/mail.h"
#include "ports/clock.h"
#include "ports/tasks.h"

namespace ganglion::cluster {

class ReportRouter final : public TaskReports {
 public:
  struct Surroundings {
    Mail& mail;
    Clock& clock;
    // The workflow of the task, where this process took it from a queue.
    std::function<const std::string*(const AttemptToken&)> workflow_of;
    // The member that is the run's home; empty where that is this one or nobody.
    std::function<std::string(const RunId& run, const std::string& workflow)> elsewhere;
    // Decides here.
    std::function<void(TaskReport report, Completion done)> decide;
    // The attempt counts no more, whatever the verdict was.
    std::function<void(const AttemptToken& token)> decided;
  };

  explicit ReportRouter(Surroundings around);

  // Of the pool: results of tasks that it has, and of others whose workers come here.
  void report(TaskReport report, Completion done) override;
  // Of a task of that member's runs.
  void report_to(const std::string& member, TaskReport report, Completion done);
  void decide(TaskReport report, Completion done);

 private:
  using Batch = std::vector<std::pair<TaskReport, Completion>>;

  void flush();
  void send(const std::string& member, Batch all);
  void answered(Batch batch, const Result<std::string>& words);

  Surroundings around_;
  std::map<std::string, Batch> leaving_;  // by member
  std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace ganglion::cluster
