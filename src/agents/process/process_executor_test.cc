#include "agents/process/process_executor.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "agents/agent_output.h"
#include "agents/process/loop_fixture.h"
#include "core/workflow.h"

namespace ganglion::agents {
namespace {

class ProcessExecutorTest : public ::testing::Test {
 protected:
  ProcessExecutorTest() {
    std::string name = (std::filesystem::temp_directory_path() / "process-agent-XXXXXX").string();
    directory = ::mkdtemp(name.data());
    task.token = {RunId::make(Timestamp(1), 2, 3), StepIndex(0), ItemIndex(4), Attempt(2)};
    task.agent = "tool";
    task.step = "scan";
    task.input = Payload(R"({"n": 1})");
    executor.emplace(loop.context, loop.clock, ProcessExecutorOptions{.directory = directory});
  }
  ~ProcessExecutorTest() override {
    executor.reset();
    std::filesystem::remove_all(directory);
  }

  void start(std::vector<std::string> command, std::map<std::string, std::string> env = {}) {
    AgentDefinition agent;
    agent.name = "tool";
    agent.backend = ProcessAgent{std::move(command), std::move(env)};
    executor->start(task, agent, Timestamp(0), [this](Outcome result) { outcome = std::move(result); });
  }
  void run(std::string script, std::map<std::string, std::string> env = {}) {
    start({"/bin/sh", "-c", std::move(script)}, std::move(env));
    ASSERT_FALSE(outcome);
    ASSERT_TRUE(ended());
  }
  bool ended() {
    return loop.run_until([this] { return outcome.has_value(); });
  }
  std::string output() const { return std::string(std::get<TaskSuccess>(*outcome).output.bytes()); }
  const TaskFailure& failure() const { return std::get<TaskFailure>(*outcome); }

  TestLoop loop;
  std::string directory;
  Task task;
  std::optional<ProcessExecutor> executor;
  std::optional<Outcome> outcome;
};

TEST_F(ProcessExecutorTest, AScriptOfTheProjectTurnsInputIntoOutput) {
  const std::string script = directory + "/tool.sh";
  std::ofstream(script) << "#!/bin/sh\nread -r input\necho \"{\\\"got\\\": $input}\"\n";
  ::chmod(script.c_str(), 0755);
  task.input = Payload("{\"n\": 1}\n");
  start({"./tool.sh"});
  ASSERT_TRUE(ended());
  EXPECT_EQ(output(), R"({"got": {"n": 1}})");
}

TEST_F(ProcessExecutorTest, TheTaskIsNamedInTheEnvironmentAndTheApisKeyIsNot) {
  ::setenv("GANGLION_TOKEN", "api-key", 1);
  task.mapped = true;
  task.iteration = 3;
  run(R"(printf '"%s|%s|%s|%s|%s|%s|%s|%s|%s"' "$GANGLION_TASK_TOKEN" "$GANGLION_RUN_ID" "$GANGLION_STEP" \
         "$GANGLION_ITEM" "$GANGLION_ATTEMPT" "$GANGLION_ITERATION" "$GANGLION_IDEMPOTENCY_KEY" "$MODE" "$GANGLION_TOKEN")",
      {{"MODE", "fast"}});
  ::unsetenv("GANGLION_TOKEN");
  EXPECT_EQ(output(), "\"" + task.token.text() + "|" + task.token.run.text() + "|scan|4|2|3|" +
                          task.token.idempotency_key() + "/3|fast|\"");
}

TEST_F(ProcessExecutorTest, AnExitCodeOtherThanZeroIsACrashWithTheEndOfStandardError) {
  run("echo '{}'; echo 'no such table' >&2; exit 3");
  EXPECT_EQ(failure().code, "crashed");
  EXPECT_EQ(failure().message, "exit code 3: no such table");
  EXPECT_TRUE(failure().retryable);
}

TEST_F(ProcessExecutorTest, ASignalIsACrash) {
  run("kill -SEGV $$");
  EXPECT_EQ(failure().code, "crashed");
  EXPECT_EQ(failure().message, "killed by signal 11 (Segmentation fault)");
}

TEST_F(ProcessExecutorTest, OnlyTheEndOfALongStandardErrorIsKept) {
  run("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 1");
  EXPECT_TRUE(failure().message.ends_with("xend"));
  EXPECT_LT(failure().message.size(), kMaxErrorTail + 100);
}

TEST_F(ProcessExecutorTest, OutputThatIsNotOneJsonValueIsInvalid) {
  run("echo hello; echo 'warning: x' >&2");
  EXPECT_EQ(failure().code, "invalid_output");
  EXPECT_TRUE(failure().message.ends_with("warning: x")) << failure().message;
  EXPECT_TRUE(failure().retryable);
}

TEST_F(ProcessExecutorTest, OutputBeyondTheBoundEndsTheProcess) {
  run("exec cat /dev/zero");
  EXPECT_EQ(failure().code, "output_too_large");
  EXPECT_FALSE(failure().retryable);
}

TEST_F(ProcessExecutorTest, OutputUpToTheBoundIsTaken) {
  run("printf '\"'; head -c 1048574 /dev/zero | tr '\\0' x; printf '\"'");
  EXPECT_EQ(output().size(), kMaxPayload);
}

TEST_F(ProcessExecutorTest, AProgramThatIsNotThereFailsForGood) {
  start({"./missing.sh"});
  EXPECT_FALSE(outcome);
  ASSERT_TRUE(ended());
  EXPECT_EQ(failure().code, "agent_unavailable");
  EXPECT_FALSE(failure().retryable);
}

TEST_F(ProcessExecutorTest, ACancelledAttemptIsAskedThenKilledAndStillEnds) {
  start({"/bin/sh", "-c", "trap '' TERM; touch ready; while :; do sleep 0.01; done"});
  ASSERT_TRUE(loop.run_until([&] { return std::filesystem::exists(directory + "/ready"); }));
  executor->cancel(task.token);
  executor->cancel(task.token);
  loop.clock.advance(Duration(5'000));
  ASSERT_TRUE(ended());
  EXPECT_EQ(failure().message, "killed by signal 9 (Killed)");
}

TEST_F(ProcessExecutorTest, ManyAttemptsRunAtOnce) {
  std::size_t done = 0;
  AgentDefinition agent;
  agent.backend = ProcessAgent{{"cat"}, {}};
  for (std::uint32_t item = 0; item < 32; ++item) {
    task.token.item = ItemIndex(item);
    executor->start(task, agent, Timestamp(0),
                    [&](const Outcome& result) { done += std::holds_alternative<TaskSuccess>(result); });
  }
  ASSERT_TRUE(loop.run_until([&] { return done == 32; }));
}

}  // namespace
}  // namespace ganglion::agents
