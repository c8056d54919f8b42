#pragma once

// For tests: a pool under virtual time, with agents of every kind and a coordinator's side that answers on
// command.

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agents/fake_reports.h"
#include "agents/pool.h"
#include "core/workflow.h"
#include "ports/testing/virtual_clock.h"

namespace ganglion::agents {

inline const RunId kRun = RunId::make(Timestamp(1'700'000'000'000), 1, 2);

inline AttemptToken token_of(std::uint32_t item, std::uint32_t attempt = 1) {
  return {kRun, StepIndex(0), ItemIndex(item), Attempt(attempt)};
}

inline Task task_of(std::uint32_t item, std::string agent = "worker", std::int32_t priority = 0) {
  return {.token = token_of(item),
          .agent = std::move(agent),
          .definition = "d1",
          .workflow = "w",
          .step = "step",
          .input = Payload("{}"),
          .timeout = Duration(30'000),
          .session_id = std::nullopt,
          .traceparent = "",
          .priority = priority,
          .scheduled_at = Timestamp(1'699'999'999'000)};
}

// Keeps what it was told to start until the test ends it.
class FakeExecutor final : public Executor {
 public:
  void start(const Task& task, const AgentDefinition&, Timestamp, Completion done) override {
    running.emplace(task.token, std::move(done));
    if (on_start) on_start(task.token);
  }
  void cancel(const AttemptToken& token) override { cancelled.push_back(token); }

  void end(const AttemptToken& token, Outcome outcome) {
    auto node = running.extract(token);
    node.mapped()(std::move(outcome));
  }

  std::map<AttemptToken, Completion> running;
  std::vector<AttemptToken> cancelled;
  std::function<void(const AttemptToken&)> on_start;
};

class PoolTest : public ::testing::Test {
 protected:
  PoolTest() {
    add_agent("worker", WorkerAgent{});
    add_agent("other", WorkerAgent{});
    add_agent("process", ProcessAgent{});
    pool.connect(reports);
  }

  void add_agent(const std::string& name, AgentBackend backend) {
    auto agent = std::make_shared<AgentDefinition>();
    agent->name = name;
    agent->backend = std::move(backend);
    agents.emplace(name, std::move(agent));
  }

  // The answers of one poll: one entry per call of its `ready`, with the items of the tasks.
  using Answers = std::vector<std::vector<std::uint32_t>>;

  PollTicket poll(Answers& answers, PollRequest request) {
    return pool.poll(std::move(request), [&answers, this](std::vector<HandedTask> tasks) {
      std::vector<std::uint32_t> items;
      for (const HandedTask& handed : tasks) {
        items.push_back(handed.task.token.item.value());
        deadlines[items.back()] = handed.deadline;
      }
      answers.push_back(std::move(items));
    });
  }
  static PollRequest request(std::string worker = "w-1", std::uint32_t max = 1,
                             std::string agent = "worker") {
    return {.agents = {std::move(agent)}, .worker = std::move(worker), .max = max, .wait = Duration(30'000)};
  }
  // Hands `item` to `worker`.
  void give(std::uint32_t item, const std::string& worker = "w-1") {
    pool.dispatch(task_of(item));
    Answers answers;
    poll(answers, request(worker));
    clock.run();
    ASSERT_EQ(answers, Answers{{item}});
  }
  static TaskReport success(std::uint32_t item) {
    TaskReport report;
    report.token = token_of(item);
    report.outcome = TaskSuccess{Payload("1"), std::nullopt};
    return report;
  }

  testing::VirtualClock clock;
  FakeReports reports;
  FakeExecutor executor;
  std::map<std::string, std::shared_ptr<const AgentDefinition>> agents;
  std::map<std::uint32_t, Timestamp> deadlines;
  Pool pool{clock,
            [this](const std::string&, const std::string& name) {
              const auto at = agents.find(name);
              return at == agents.end() ? nullptr : at->second;
            },
            {.process = &executor},
            {.process_concurrency = 2}};
};

}  // namespace ganglion::agents
