#pragma once

// A worker process: asks for tasks, works on several at once, reports, sends heartbeats, repeats reports
// whose answer it didn't get. It may die with all that it has in hand; its supervisor starts another one.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/actors/agent_model.h"
#include "sim/actors/program.h"

namespace ganglion::sim {

struct WorkerOptions {
  std::vector<std::string> agents;
  std::uint32_t capacity = 8;
  SimTime heartbeat{2'000'000};  // 0: none
  double ignores_cancel = 0;     // goes on with a task that it was told to drop
  // How long it is away when an agent has killed it.
  DrawTime away = [](Draw& draw) { return draw.between(SimTime(10'000), SimTime(3'000'000)); };
};

// What is seen of workers from outside.
class WorkerWatch {
 public:
  virtual ~WorkerWatch() = default;
  // By the engine that lived at the host the `life`th time.
  virtual void handed(const AgentCall& call, HostId by, std::uint64_t life) = 0;
  // The worker asks whether the attempt still counts, and hears that it does: in between it may have been
  // called off without the worker's knowing.
  virtual void asks(const AgentCall& call) = 0;
  virtual void still_counts(const AgentCall& call) = 0;
  // The attempt isn't worked on any more, or doesn't count.
  virtual void left(const AgentCall& call) = 0;
  virtual void verdict(const AgentCall& call, std::string_view verdict) = 0;
};

class Worker final : public Program {
 public:
  // `model` and `watch` outlive this; `watch` may be null.
  Worker(World& world, const std::string& name, WorkerOptions options, AgentModel& model, WorkerWatch* watch);

  void start();
  // The process dies, if one lives; another one is started after `until`.
  void crash(SimTime until);
  // From now on it ignores nothing.
  void calm();

  std::size_t in_hand() const { return tasks_.size(); }

 private:
  struct Task {
    AgentCall call;
    SimTime give_up;  // nobody waits for the result any more
    bool reported = false;
  };
  struct Report {
    std::uint64_t task;
    AgentCall call;
    std::string json;
  };

  void poll();
  void polled(HttpAnswer answer);
  void take(std::string_view task, const HttpAnswer& from);
  void finished(std::uint64_t task, AgentReply reply);
  void report();
  void reported(std::vector<Report> sent, Result<HttpAnswer> answer);
  void beat(std::uint64_t task);
  void heard(std::uint64_t task, bool cancelled);
  void forget(std::uint64_t task);

  WorkerOptions options_;
  AgentModel& model_;
  WorkerWatch* watch_;
  SiteId cancel_, restart_;
  bool lives_now_ = false;
  std::uint64_t lives_ = 0;
  std::uint64_t last_task_ = 0;
  std::map<std::uint64_t, Task> tasks_;
  std::vector<Report> reports_;
  bool reporting_ = false;
  bool polling_ = false;
  std::string id_;
};

}  // namespace ganglion::sim
