#pragma once

// What workers and the pool say to each other.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/circuit_breaker.h"
#include "base/payload.h"
#include "base/strong_id.h"
#include "base/time.h"
#include "ports/tasks.h"

namespace ganglion::agents {

inline constexpr std::uint32_t kMaxTasksPerPoll = 256;
inline constexpr std::size_t kMaxHeartbeatDetails = 4096;  // bytes; larger details are not kept

struct PollRequest {
  std::vector<std::string> agents;
  std::string worker;     // the worker's id
  std::uint32_t max = 1;  // tasks in the answer, 1 … kMaxTasksPerPoll
  Duration wait{};
};

using PollTicket = StrongId<struct PollTicketTag, std::uint64_t>;

struct HandedTask {
  Task task;
  Timestamp deadline;  // of the attempt; nothing extends it
};

struct Heartbeat {
  AttemptToken token;
  std::string worker = {};  // may be empty
  std::optional<double> progress = std::nullopt;
  std::optional<Payload> details = std::nullopt;
};

struct HeartbeatReply {
  bool known = false;     // false: the attempt has ended or never was
  bool cancelled = true;  // its result will not count: stop working
  Timestamp deadline;     // of a known attempt
};

struct WorkerStatus {
  std::string worker;
  Timestamp last_seen;
  std::size_t handed_out = 0;  // attempts of any agent that it holds
};

// What keeps the tasks of an agent from being handed out although there may be somebody to take them.
enum class Hold { nothing, concurrency, rate_limit, circuit_breaker };

struct AgentStatus {
  std::string agent;
  std::size_t queued = 0;
  std::size_t handed_out = 0;
  std::size_t waiting_polls = 0;
  std::optional<BreakerState> breaker = {};  // nothing: the agent has none
  Hold hold = Hold::nothing;                 // of the queued tasks
  std::optional<Timestamp> held_until = {};  // where time alone ends it
  std::vector<WorkerStatus> workers = {};    // that asked for this agent's tasks lately
};

struct AttemptStatus {
  std::string worker;
  Timestamp started_at;
  Timestamp deadline;
  std::optional<double> progress = std::nullopt;
  std::optional<Payload> details = std::nullopt;
};

}  // namespace ganglion::agents
