#include "agents/worker/supervisor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>

#include "agents/process/loop_fixture.h"
#include "core/workflow.h"

namespace ganglion::agents {
namespace {

class SupervisorTest : public ::testing::Test {
 protected:
  void start(std::vector<std::string> command) {
    supervisor->start(
        {WorkerProgram{.name = "python", .command = std::move(command), .env = {{"MODE", "fast"}}}});
  }
  void start_shell(std::string script) { start({"/bin/sh", "-c", std::move(script)}); }
  bool until_events(std::size_t count) {
    return loop.run_until([&] { return events.size() >= count; });
  }
  bool until_line(const std::string& line) {
    return loop.run_until([&] { return std::ranges::find(lines, line) != lines.end(); });
  }

  TestLoop loop;
  std::vector<std::string> lines;  // worker, stream, text
  std::vector<WorkerEvent> events;
  std::vector<std::string> gone;
  std::optional<Supervisor> supervisor{
      std::in_place, loop.context, loop.clock,
      SupervisorOptions{.directory = "/usr", .server = "http://127.0.0.1:7420", .token = "t0ken"},
      Supervisor::Callbacks{
          .log =
              [this](const std::string& worker, WorkerStream stream, std::string_view line) {
                lines.push_back(worker + (stream == WorkerStream::output ? " > " : " ! ") +
                                std::string(line));
              },
          .event = [this](const WorkerEvent& event) { events.push_back(event); },
          .gone = [this](const std::string& worker) { gone.push_back(worker); }}};
};

using Kind = WorkerEvent::Kind;

TEST_F(SupervisorTest, AProgramLearnsFromItsEnvironmentWhereAndWhoItIs) {
  start_shell("echo $GANGLION_SERVER $GANGLION_WORKER $GANGLION_TOKEN $MODE $PWD; exec sleep 1000");
  ASSERT_TRUE(until_line("python.1 > http://127.0.0.1:7420 python.1 t0ken fast /usr"));
  EXPECT_EQ(events.at(0).kind, Kind::started);
  EXPECT_GT(events.at(0).pid, 0);
  EXPECT_EQ(supervisor->running(), 1U);
}

TEST_F(SupervisorTest, BothOutputsAreLoggedByLineWithTheWorkersId) {
  start_shell("echo one; echo two >&2; printf three; exec sleep 1000 >&- 2>&-");
  ASSERT_TRUE(until_line("python.1 > one"));
  ASSERT_TRUE(until_line("python.1 ! two"));
}

TEST_F(SupervisorTest, AProgramThatDiesIsStartedAgainAfterAPauseAndWhatItHeldIsGivenBack) {
  start_shell("exit 7");
  ASSERT_TRUE(until_events(2));
  EXPECT_EQ(events[1].kind, Kind::ended);
  EXPECT_EQ(events[1].reason, "exit code 7");
  EXPECT_EQ(events[1].restart_in, Duration(200));
  EXPECT_EQ(gone, std::vector<std::string>{"python.1"});
  EXPECT_EQ(supervisor->running(), 0U);

  loop.clock.advance(Duration(199));
  EXPECT_EQ(events.size(), 2U);
  loop.clock.advance(Duration(1));
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[2].kind, Kind::started);
  EXPECT_EQ(events[2].worker, "python.2");
}

TEST_F(SupervisorTest, AProgramThatIsKilledIsStartedAgain) {
  start_shell("exec sleep 1000");
  ::kill(events.at(0).pid, SIGKILL);
  ASSERT_TRUE(until_events(2));
  EXPECT_EQ(events[1].reason, "killed by signal 9 (Killed)");
}

TEST_F(SupervisorTest, ThePauseDoublesUpToItsBoundAndIsShortAgainAfterAStableTime) {
  start_shell("exec sleep 1000");
  std::vector<Duration> pauses;
  const auto die_after = [&](Duration life) {
    loop.clock.advance(life);
    ::kill(events.back().pid, SIGKILL);
    EXPECT_TRUE(until_events(events.size() + 1));
    pauses.push_back(events.back().restart_in);
    loop.clock.advance(pauses.back());
    EXPECT_EQ(events.back().kind, Kind::started);
  };
  for (int death = 0; death < 10; ++death) die_after(Duration(100));
  die_after(Duration(10'000));

  using std::chrono_literals::operator""ms;
  EXPECT_EQ(pauses, (std::vector<Duration>{200ms, 400ms, 800ms, 1600ms, 3200ms, 6400ms, 12'800ms, 25'600ms,
                                           30'000ms, 30'000ms, 200ms}));
}

TEST_F(SupervisorTest, AProgramThatIsNotThereIsReportedClearlyAndTriedAgain) {
  start({"no-such-interpreter", "agents.py"});
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, Kind::cannot_start);
  EXPECT_EQ(events[0].reason, "cannot execute no-such-interpreter: No such file or directory");
  EXPECT_EQ(events[0].restart_in, Duration(200));
  EXPECT_TRUE(gone.empty());

  loop.clock.advance(Duration(200));
  EXPECT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1].restart_in, Duration(400));
}

TEST_F(SupervisorTest, StoppingAsksEveryProgramAndSaysWhenAllHaveEnded) {
  start_shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
  start_shell("trap '' TERM; echo ready; while :; do sleep 0.01; done");
  ASSERT_TRUE(until_line("python.1 > ready"));
  ASSERT_TRUE(until_line("python.2 > ready"));
  bool stopped = false;
  supervisor->stop([&] { stopped = true; });
  EXPECT_FALSE(stopped);
  ASSERT_TRUE(until_line("python.1 > bye"));
  ASSERT_TRUE(loop.run_until([&] { return supervisor->running() == 1; }));
  EXPECT_FALSE(stopped);

  loop.clock.advance(Duration(5'000));
  ASSERT_TRUE(loop.run_until([&] { return stopped; }));
  EXPECT_EQ(gone, (std::vector<std::string>{"python.1", "python.2"}));
  EXPECT_EQ(loop.clock.pending_timers(), 0U);
}

TEST_F(SupervisorTest, StoppingCallsOffARestart) {
  start_shell("exit 1");
  ASSERT_TRUE(until_events(2));
  bool stopped = false;
  supervisor->stop([&] { stopped = true; });
  EXPECT_FALSE(stopped);
  loop.clock.advance(Duration(60'000));
  EXPECT_TRUE(stopped);
  EXPECT_EQ(events.size(), 2U);
}

WorkerProgram program(std::string name, std::string script) {
  return {.name = std::move(name), .command = {"/bin/sh", "-c", std::move(script)}, .env = {}};
}

TEST_F(SupervisorTest, ANewProjectStartsWhatIsNewEndsWhatIsGoneAndLeavesTheRestAlone) {
  const WorkerProgram kept = program("kept", "echo up; exec sleep 1000");
  supervisor->apply({kept, program("gone", "exec sleep 1000")});
  ASSERT_TRUE(until_line("kept.1 > up"));
  supervisor->apply({kept, program("new", "echo up; exec sleep 1000")});
  ASSERT_TRUE(until_line("new.3 > up"));
  ASSERT_TRUE(until_events(4));

  EXPECT_EQ(events[3].kind, Kind::ended);
  EXPECT_EQ(events[3].worker, "gone.2");
  EXPECT_EQ(events[3].restart_in, Duration(0));
  EXPECT_EQ(gone, std::vector<std::string>{"gone.2"});
  loop.clock.advance(Duration(60'000));
  EXPECT_EQ(events.size(), 4U);
  EXPECT_EQ(supervisor->running(), 2U);
}

TEST_F(SupervisorTest, AChangedCommandOrEnvironmentReplacesTheProgramOnceTheOldOneHasEnded) {
  WorkerProgram changing =
      program("w", "trap 'echo bye; exit 0' TERM; echo $MODE; while :; do sleep 0.01; done");
  supervisor->apply({changing});
  ASSERT_TRUE(until_line("w.1 > "));
  changing.env["MODE"] = "fast";
  supervisor->apply({changing});
  EXPECT_EQ(events.size(), 1U);
  ASSERT_TRUE(until_line("w.2 > fast"));
  EXPECT_EQ(std::ranges::count(lines, "w.1 > bye"), 1);

  changing.command = {"/bin/sh", "-c", "echo other; exec sleep 1000"};
  supervisor->apply({changing});
  ASSERT_TRUE(until_line("w.3 > other"));
  EXPECT_EQ(gone, (std::vector<std::string>{"w.1", "w.2"}));
}

TEST_F(SupervisorTest, AChangedProgramThatPausesAfterItsDeathIsStartedAtOnce) {
  supervisor->apply({program("w", "exit 1")});
  ASSERT_TRUE(until_events(2));
  supervisor->apply({program("w", "echo well; exec sleep 1000")});
  ASSERT_TRUE(until_line("w.2 > well"));
  loop.clock.advance(Duration(60'000));
  EXPECT_EQ(events.size(), 3U);
}

TEST_F(SupervisorTest, AProgramThatIsGoneWhileItPausesIsNotStartedAgain) {
  supervisor->apply({program("w", "exit 1")});
  ASSERT_TRUE(until_events(2));
  supervisor->apply({});
  loop.clock.advance(Duration(60'000));
  EXPECT_EQ(events.size(), 2U);
  EXPECT_EQ(loop.clock.pending_timers(), 0U);
}

TEST_F(SupervisorTest, AProgramThatComesBackWhileItEndsIsStartedAnew) {
  const WorkerProgram stubborn = program("w", "trap '' TERM; echo ready; while :; do sleep 0.01; done");
  supervisor->apply({stubborn});
  ASSERT_TRUE(until_line("w.1 > ready"));
  supervisor->apply({});
  supervisor->apply({stubborn});
  EXPECT_EQ(events.size(), 1U);
  loop.clock.advance(Duration(5'000));
  ASSERT_TRUE(until_line("w.2 > ready"));
  EXPECT_EQ(supervisor->running(), 1U);
}

TEST_F(SupervisorTest, StoppingWhileAProgramIsBeingReplacedStartsNothing) {
  supervisor->apply({program("w", "echo ready; exec sleep 1000")});
  ASSERT_TRUE(until_line("w.1 > ready"));
  supervisor->apply({program("w", "echo other; exec sleep 1000")});
  bool stopped = false;
  supervisor->stop([&] { stopped = true; });
  ASSERT_TRUE(loop.run_until([&] { return stopped; }));
  loop.clock.advance(Duration(60'000));
  EXPECT_EQ(events.size(), 2U);
}

TEST_F(SupervisorTest, EndingTheSupervisorKillsAndReapsItsPrograms) {
  start_shell("trap '' TERM; while :; do sleep 0.01; done");
  supervisor.reset();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);  // no child is left
}

// The server's own death, by a stand-in for it: a process whose only thread starts a worker and is killed.
TEST(SupervisorDeath, AWorkerDiesWithAServerThatIsKilled) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const pid_t server = ::fork();
  if (server == 0) {
    TestLoop loop;
    Supervisor supervisor(loop.context, loop.clock, {.directory = "", .server = "", .token = std::nullopt},
                          {.log = [](const std::string&, WorkerStream, std::string_view) {},
                           .event =
                               [&](const WorkerEvent& event) {
                                 [[maybe_unused]] const auto written =
                                     ::write(ends[1], &event.pid, sizeof event.pid);
                               },
                           .gone = [](const std::string&) {}});
    supervisor.start({WorkerProgram{.name = "w", .command = {"sleep", "1000"}, .env = {}}});
    ::pause();
    ::_exit(0);
  }
  pid_t worker = 0;
  ASSERT_EQ(::read(ends[0], &worker, sizeof worker), static_cast<ssize_t>(sizeof worker));
  const Descriptor worker_exit(static_cast<int>(::syscall(SYS_pidfd_open, worker, 0)));
  ASSERT_GE(worker_exit.get(), 0);

  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);

  pollfd ended{.fd = worker_exit.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&ended, 1, 10'000), 1);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace ganglion::agents
