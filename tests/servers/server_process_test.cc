// What the other tests rely on, with redis-server as the server.

#include <gtest/gtest.h>
#include <signal.h>

#include "servers/redis_server.h"

namespace ganglion::testing {
namespace {

class Servers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!is_installed(RedisServer::kProgram)) GTEST_SKIP() << "Debian package redis-server is not installed";
  }
};

TEST_F(Servers, AServerComesBackOnItsPortWithItsFolderAfterAKill) {
  RedisServer server;
  const std::uint16_t port = server.port();
  EXPECT_EQ(server.command({"SET", "k", "v"}), "OK");
  server.process().kill();
  EXPECT_EQ(server.command({"PING"}), "-unreachable");
  server.process().start();
  server.await_loaded();
  EXPECT_EQ(server.port(), port);
  EXPECT_EQ(server.command({"GET", "k"}), "v");
  server.process().stop();
  EXPECT_FALSE(server.process().running());
}

TEST_F(Servers, APausedServerGoesOnWhereItWas) {
  RedisServer server;
  server.process().pause();
  server.process().resume();
  EXPECT_EQ(server.command({"PING"}), "PONG");
}

TEST_F(Servers, SeveralServersRunSideBySide) {
  RedisServer first;
  RedisServer second;
  EXPECT_NE(first.port(), second.port());
  EXPECT_EQ(first.command({"SET", "k", "v"}), "OK");
  EXPECT_EQ(second.command({"EXISTS", "k"}), "0");
}

TEST_F(Servers, ItsFolderGoesWithIt) {
  std::filesystem::path folder;
  pid_t pid = 0;
  {
    RedisServer server;
    folder = server.process().folder();
    pid = server.process().pid();
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_NE(::kill(pid, 0), 0);
}

TEST(ProgramsInPath, AreFound) {
  EXPECT_TRUE(is_installed("sh"));
  EXPECT_TRUE(is_installed("/bin/sh"));
  EXPECT_FALSE(is_installed("no-such-program"));
}

}  // namespace
}  // namespace ganglion::testing
