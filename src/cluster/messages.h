#pragma once

// What travels between members, and between them and whoever works straight on the queues, as JSON. Types
// carry their version; a reader ignores members that it doesn't know, so that a version can gain some.
//
// The first three are for everybody (docs/guide/queues.md). The others are spoken between members only.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/poll.h"
#include "base/result.h"
#include "ports/tasks.h"

namespace ganglion::cluster {

inline constexpr const char* kTaskType = "ganglion.task.v1";        // in `agent:{name}`
inline constexpr const char* kResultType = "ganglion.result.v1";    // in `coordinator:{domain}`
inline constexpr const char* kVerdictType = "ganglion.verdict.v1";  // where a result asks for it

inline constexpr const char* kRunType = "ganglion.run.v1";          // a run has been written
inline constexpr const char* kReportType = "ganglion.report.v1";    // a task has ended, as a member says
inline constexpr const char* kReportsType = "ganglion.reports.v1";  // several
inline constexpr const char* kClaimType = "ganglion.claim.v1";      // a member watches over these attempts
inline constexpr const char* kHeartbeatType =
    "ganglion.heartbeat.v1";                                      // of a worker, for whoever has its attempt
inline constexpr const char* kFollowType = "ganglion.follow.v1";  // a member wants to hear of a run

std::string agent_queue(const std::string& agent);
std::string coordinator_queue(const std::string& domain);

// What HTTP's workers get, without `deadline` and with `timeout_ms`, `workflow` and what a pool needs to
// know.
std::string task_message(const Task& task);
// Error `malformed`.
Result<Task> read_task(std::string_view json);

// An attempt of a task and how it ended, with what its home needs to know about it: {result, worker,
// started_at, queued_at?, by_engine}, of which `result` is as workers send it.
std::string report_message(const TaskReport& report);
Result<TaskReport> read_report(std::string_view json);

// {token, verdict}
std::string verdict_message(const std::string& token, Verdict verdict);

// As workers send it, and what they are answered, with `known`.
std::string heartbeat_message(const agents::Heartbeat& heartbeat);
Result<agents::Heartbeat> read_heartbeat(std::string_view json);
std::string heartbeat_reply_message(const agents::HeartbeatReply& reply);
Result<agents::HeartbeatReply> read_heartbeat_reply(std::string_view json);

// A run and its workflow, by which its home is known.
struct RunNotice {
  RunId run;
  std::string workflow;

  auto operator<=>(const RunNotice&) const = default;
};
std::string run_message(const RunNotice& notice);
Result<RunNotice> read_run(std::string_view json);

// Lists of JSON values: {items: […]}.
std::string list_message(const std::vector<std::string>& items);
Result<std::vector<std::string>> read_list(std::string_view json);
// Of texts that need no escapes, such as tokens and ids: one after another, with commas.
std::string join(const std::vector<std::string>& words);
std::vector<std::string> split(std::string_view text);

}  // namespace ganglion::cluster
