#include "agents/process/child_process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <optional>

#include "agents/process/environment.h"
#include "agents/process/loop_fixture.h"

namespace ganglion::agents {
namespace {

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

class ChildProcessTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<ChildProcess>> start(std::vector<std::string> command, std::string input = "",
                                              std::string directory = "") {
    return ChildProcess::start(loop.context, loop.clock,
                               {std::move(command), std::move(directory), Environment::inherited().list()},
                               std::move(input),
                               {.output = [this](std::string_view bytes) { output += bytes; },
                                .error = [this](std::string_view bytes) { error += bytes; },
                                .ended = [this](ExitStatus status) { ended = status; }});
  }
  std::unique_ptr<ChildProcess> start_shell(std::string script, std::string input = "") {
    return start({"/bin/sh", "-c", std::move(script)}, std::move(input)).value();
  }
  bool run_to_end() {
    return loop.run_until([this] { return ended.has_value(); });
  }

  TestLoop loop;
  std::string output;
  std::string error;
  std::optional<ExitStatus> ended;
};

TEST_F(ChildProcessTest, InputGoesInBothOutputsComeOutAndTheExitCodeIsTold) {
  const auto child = start_shell("cat; echo trouble >&2; exit 3", "hello");
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(output, "hello");
  EXPECT_EQ(error, "trouble\n");
  EXPECT_EQ(ended->code, 3);
  EXPECT_EQ(ended->text(), "exit code 3");
}

TEST_F(ChildProcessTest, AnInputLargerThanAPipeGoesThroughWhileOutputComes) {
  const std::string large(1 << 20, 'x');
  const auto child = start_shell("cat", large);
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(output, large);
}

TEST_F(ChildProcessTest, AProgramMayLeaveItsInputUnread) {
  const auto child = start_shell("exec <&-; echo done", std::string(1 << 20, 'x'));
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(output, "done\n");
  EXPECT_TRUE(ended->ok());
}

TEST_F(ChildProcessTest, RelativeCommandsAreFoundInItsDirectory) {
  const auto child = start({"pwd"}, "", "/usr").value();
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(output, "/usr\n");
}

TEST_F(ChildProcessTest, AProgramThatIsNotThereIsAnErrorAtOnceThatNamesIt) {
  const std::size_t before = open_descriptors();
  const auto child = start({"./no-such-program"}, "", "/usr");
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error(),
            (Error{"agent_unavailable", "cannot execute ./no-such-program: No such file or directory"}));
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

TEST_F(ChildProcessTest, ADirectoryThatIsNotThereIsAnErrorThatNamesIt) {
  const auto child = start({"true"}, "", "/no/such/directory");
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().message,
            "cannot start in the directory /no/such/directory: No such file or directory");
}

TEST_F(ChildProcessTest, AProgramGetsNoDescriptorButItsThreeStreams) {
  // ls itself opens the directory: 0, 1, 2 and one more.
  const auto child = start({"ls", "/proc/self/fd"}).value();
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(output, "0\n1\n2\n3\n");
}

TEST_F(ChildProcessTest, AProgramStartsWithDefaultSignals) {
  const auto child = start_shell("kill -PIPE $$; echo survived");
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(ended->signal, SIGPIPE);
  EXPECT_EQ(output, "");
}

TEST_F(ChildProcessTest, TerminateAsksFirst) {
  const auto child = start_shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(loop.run_until([&] { return output == "ready\n"; }));
  child->terminate(Duration(5'000));
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(output, "ready\nbye\n");
  EXPECT_TRUE(ended->ok());
}

TEST_F(ChildProcessTest, AProgramThatIgnoresTheQuestionIsKilledAfterTheGrace) {
  const auto child = start_shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(loop.run_until([&] { return output == "ready\n"; }));
  child->terminate(Duration(5'000));
  loop.clock.advance(Duration(4'999));
  EXPECT_EQ(::kill(child->pid(), 0), 0);
  loop.clock.advance(Duration(1));
  ASSERT_TRUE(run_to_end());
  EXPECT_EQ(ended->signal, SIGKILL);
  EXPECT_EQ(ended->text(), "killed by signal 9 (Killed)");
}

TEST_F(ChildProcessTest, WhatAProgramLeavesRunningInItsGroupIsKilled) {
  const auto child = start_shell("sleep 1000 & echo $!");
  ASSERT_TRUE(run_to_end());
  const pid_t left = std::stoi(output);
  // Gone, or a zombie that init has yet to reap; nobody of ours, so only /proc can tell.
  ASSERT_TRUE(loop.run_until([&] {
    std::error_code failed;
    const auto target = std::filesystem::read_symlink("/proc/" + std::to_string(left) + "/exe", failed);
    return failed || target.empty();
  }));
}

TEST_F(ChildProcessTest, ADescendantOutsideTheGroupThatKeepsTheOutputOpenIsNotWaitedForLong) {
  const auto child = start_shell("setsid sleep 1000 & echo $!");
  ASSERT_TRUE(loop.run_until([&] { return !output.empty() && loop.clock.pending_timers() > 0; }));
  EXPECT_FALSE(ended);
  loop.clock.advance(ChildProcess::kDrain);
  ASSERT_TRUE(run_to_end());
  EXPECT_TRUE(ended->ok());
  ::kill(std::stoi(output), SIGKILL);
}

TEST_F(ChildProcessTest, DestroyingARunningChildKillsAndReapsItAndLeaksNothing) {
  // given: the loop has opened what it needs for itself
  auto child = start_shell("true");
  ASSERT_TRUE(run_to_end());
  child.reset();
  ended.reset();
  const std::size_t before = open_descriptors();
  // when
  child = start_shell("echo ready; exec sleep 1000");
  ASSERT_TRUE(loop.run_until([&] { return output == "ready\n"; }));
  const pid_t pid = child->pid();
  child->terminate(Duration(5'000));
  child.reset();
  // then
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(loop.clock.pending_timers(), 0U);
  loop.context.poll();
  EXPECT_FALSE(ended);
}

}  // namespace
}  // namespace ganglion::agents
