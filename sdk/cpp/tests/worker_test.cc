// The worker against a real server. What every SDK's worker must do is tested by sdk/behaviours; here is what
// is C++.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <fstream>
#include <future>
#include <set>
#include <sstream>

#include "ganglion/client.h"
#include "server.h"

namespace ganglion {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Process;
using testing::RunningWorker;
using testing::Server;

constexpr seconds kPatience{60};

constexpr const char* kProject = R"(
ganglion: 1
agents:
  first: {kind: worker, timeout: 60s, retry: {max_attempts: 2, initial: 10ms}}
  watched: {kind: worker, timeout: 60s, idle_timeout: 300ms, retry: {max_attempts: 1}}
workflows:
  one:
    steps: {work: {agent: first, input: "${{ input }}"}}
    output: "${{ steps.work.output }}"
  watched:
    steps: {work: {agent: watched, input: "${{ input }}"}}
    output: "${{ steps.work.output }}"
  map:
    steps:
      each: {for_each: "${{ input.items }}", max_parallel: 100, agent: first, input: {x: "${{ item }}"}}
    output: "${{ steps.each.output }}"
)";

class WorkerTest : public ::testing::Test {
 protected:
  using Run = ganglion::Run;  // hides a private name of the fixture
  Server server{kProject};
  Client client{server.connection()};
  const StartOptions to_the_end{.wait = kPatience};
};

TEST_F(WorkerTest, many_tasks_are_done_once_each_by_as_many_threads_as_allowed) {
  std::atomic<int> now = 0;
  std::atomic<int> most = 0;
  std::atomic<int> calls = 0;
  Worker worker({.connection = server.connection(), .concurrency = 4});
  worker.agent("first", [&](Task& task) -> json::value {
    const int running = ++now;
    for (int seen = most; seen < running && !most.compare_exchange_weak(seen, running);) {
    }
    ++calls;
    --now;
    return task.input().at("x");
  });
  RunningWorker running(worker);
  json::array items;
  for (int n = 0; n < 500; ++n) items.emplace_back(n);
  const Run run = client.start("map", {{"items", items}}, to_the_end);
  EXPECT_EQ(run.output(), items);
  EXPECT_EQ(calls, 500);
  EXPECT_LE(most, 4);
}

TEST_F(WorkerTest, a_task_lives_as_long_as_it_works_whatever_its_idle_timeout) {
  Worker worker({.connection = server.connection()});
  worker.agent("watched", [](Task& task) -> json::value {
    task.wait_cancelled(seconds(2));
    return task.cancelled() ? "cancelled" : "alive";
  });
  RunningWorker running(worker);
  const Run run = client.start("watched", json::object(), to_the_end);
  EXPECT_EQ(run.status, "completed");
  EXPECT_EQ(run.output(), "alive");
}

TEST_F(WorkerTest, a_cancelled_run_tells_its_agent) {
  std::promise<void> begun;
  std::promise<bool> told;
  Worker worker({.connection = server.connection()});
  worker.agent("first", [&](Task& task) -> json::value {
    begun.set_value();
    told.set_value(task.wait_cancelled(kPatience));
    task.throw_if_cancelled();
    return nullptr;
  });
  RunningWorker running(worker);
  const Run run = client.start("one");
  begun.get_future().wait();
  client.cancel(run.id);
  EXPECT_TRUE(told.get_future().get());
}

TEST_F(WorkerTest, a_stopped_worker_hands_back_what_takes_too_long) {
  // given a worker with a task that does not end
  std::promise<void> begun;
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  {
    Worker worker({.connection = server.connection(), .grace = milliseconds(50)});
    worker.agent("first", [&begun, released](Task& task) -> json::value {
      if (task.attempt() == 1) begun.set_value();
      released.wait();
      return "late";
    });
    RunningWorker running(worker);
    client.start("one", json::object(), {.idempotency_key = "r"});
    begun.get_future().wait();
    // when it stops, it ends although its thread does not
    running.stop();
  }
  // then another worker gets the next attempt
  Worker other({.connection = server.connection()});
  other.agent("first", [](Task& task) -> json::value { return task.attempt(); });
  RunningWorker running(other);
  const Run run = client.wait(client.start("one", json::object(), {.idempotency_key = "r"}).id, kPatience);
  EXPECT_EQ(run.output(), 2);
  release.set_value();
}

TEST_F(WorkerTest, a_result_survives_a_crash_of_the_server) {
  std::promise<void> begun;
  std::promise<void> go_on;
  std::atomic<int> calls = 0;
  Worker worker({.connection = server.connection()});
  worker.agent("first", [&](Task&) -> json::value {
    ++calls;
    begun.set_value();
    go_on.get_future().wait();
    return "kept";
  });
  RunningWorker running(worker);
  const Run run = client.start("one");
  begun.get_future().wait();
  // when the server dies, the task ends while nobody listens, and the server comes back
  server.kill();
  go_on.set_value();
  server.start();
  // then the result arrives, and the work was done once
  EXPECT_EQ(client.wait(run.id, kPatience).output(), "kept");
  EXPECT_EQ(calls, 1);
}

TEST_F(WorkerTest, an_output_that_the_server_refuses_fails_its_task_and_no_other) {
  Worker worker({.connection = server.connection()});
  worker.agent("first", [](Task& task) -> json::value {
    if (task.input().as_object().contains("large")) return json::value(std::string(9 << 20, 'x'));
    if (task.input().as_object().contains("broken")) return "\xff";
    return "small";
  });
  RunningWorker running(worker);
  const Run large = client.start("one", {{"large", true}});
  const Run broken = client.start("one", {{"broken", true}});
  EXPECT_EQ(client.start("one", json::object(), to_the_end).output(), "small");
  EXPECT_EQ(client.wait(large.id, kPatience).raw.at("error").at("code"), "output_too_large");
  EXPECT_EQ(client.wait(broken.id, kPatience).raw.at("error").at("code"), "invalid_output");
}

TEST_F(WorkerTest, the_examples_work_together) {
  const std::string examples = std::getenv("EXAMPLES");
  std::ifstream file("examples/ganglion.yaml");
  std::stringstream project;
  project << file.rdbuf();
  client.put_project(project.str());
  const std::map<std::string, std::string> environment{{"GANGLION_SERVER", server.url()}};
  Process greeter({examples + "/example_greeter"}, ".", environment);
  Process greet({examples + "/example_greet", "Ada", "Grace"}, ".", environment);
  std::string last;
  for (std::string line; !(line = greet.line()).empty();) last = line;
  EXPECT_EQ(greet.wait(), 0);
  EXPECT_EQ(json::parse(last), json::parse(R"([{"text": "Hello Ada"}, {"text": "Hello Grace"}])"));
  greeter.signal(SIGTERM);
  EXPECT_EQ(greeter.wait(), 0);
}

}  // namespace
}  // namespace ganglion
