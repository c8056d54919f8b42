#pragma once

// /v1/tasks: workers take tasks and bring results. A poll that waits holds its responder and a ticket of the
// pool, no more. A poller that has gone gets no task: the poll is withdrawn when its client goes, and tasks
// whose answer was lost go back.

#include <optional>
#include <vector>

#include "agents/poll.h"
#include "ingress/api.h"
#include "ingress/http/exchange.h"
#include "ingress/http/message.h"
#include "ingress/task_requests.h"
#include "ports/tasks.h"

namespace ganglion::ingress {

class TasksApi {
 public:
  TasksApi(const Dependencies& dependencies, const Options& options)
      : dependencies_(dependencies), options_(options) {}

  void register_routes(http::Router& router);

 private:
  // The verdicts of an exchange, as a JSON array; nothing for a mere poll.
  using Verdicts = std::optional<std::string>;
  using Reported = std::move_only_function<void(Result<std::string> verdicts)>;

  void poll(const http::Request& request, http::Responder responder);
  void complete(const http::Request& request, http::Responder responder);
  void exchange(const http::Request& request, http::Responder responder);
  void heartbeat(const http::Request& request, http::Responder responder);

  void hand_out(agents::PollRequest poll, Verdicts verdicts, http::Responder responder);
  // Reports all of them; `done` gets the verdicts in order, or the first error if one could not be decided.
  void report(std::vector<ReadResult> reports, Reported done);
  void report_one(Report report, TaskReports::Completion done);
  // `replaced`: it is not what the worker said, which is told by the verdict.
  void pass_on(TaskReport report, bool replaced, TaskReports::Completion done);

  Dependencies dependencies_;
  Options options_;
};

}  // namespace ganglion::ingress
