#pragma once

// A test against a real redis-server; skips where there is none.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/redis/store.h"
#include "contract/store_driver.h"
#include "servers/redis_server.h"

namespace ganglion::redis::testing {

class RedisTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!ganglion::testing::is_installed(ganglion::testing::RedisServer::kProgram))
      GTEST_SKIP() << "Debian package redis-server is not installed";
  }

  Options options(std::string url) {
    return {.url = std::move(url), .fatal = [this](const std::string& reason) { fatal_ = reason; }};
  }
  std::unique_ptr<Store> open(std::string url) { return open(options(std::move(url))); }
  std::unique_ptr<Store> open(Options options) {
    auto store = Store::open(loop_.context(), std::move(options));
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }

  // Turns the loop until the store says that something is lost.
  void wait_for_fatal() {
    loop_.run_until([this] { return fatal_.has_value(); });
  }

  // Looks at a server until it is as it should be; the test's own time limit bounds it.
  template <typename Condition>
  void wait_until(Condition condition) {
    while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }

  ganglion::testing::TestLoop loop_;
  std::optional<std::string> fatal_;
};

}  // namespace ganglion::redis::testing
