#include <random>

#include "adapters/memory/bus.h"
#include "adapters/rabbitmq/bus.h"
#include "adapters/redis/bus.h"
#include "contract/bus_contract.h"
#include "servers/rabbit_server.h"
#include "servers/redis_server.h"
#include "servers/wire.h"

namespace ganglion::testing {
namespace {

class MemoryBroker final : public BusBroker {
 public:
  explicit MemoryBroker(TestLoop& loop) : loop_(loop) {}

  std::unique_ptr<Bus> connect() override {
    auto bus = std::make_unique<memory::Bus>(broker_, loop_.clock());
    newest_ = bus.get();
    return bus;
  }
  void cut() override { newest_->cut(); }
  void mend() override { newest_->mend(); }

 private:
  TestLoop& loop_;
  memory::Broker broker_;
  memory::Bus* newest_ = nullptr;
};

// A real server, which each process reaches over a wire of its own; every test has a prefix of its own.
class RealBroker final : public BusBroker {
 public:
  using Connect = std::function<std::unique_ptr<Bus>(TestLoop& loop, std::string url)>;
  using Url = std::string (*)(std::uint16_t port);

  RealBroker(TestLoop& loop, std::uint16_t port, Url url, Connect connect)
      : loop_(loop),
        port_(port),
        url_(url),
        connect_(std::move(connect)),
        prefix_("test" + std::to_string(std::random_device()())) {}

  std::unique_ptr<Bus> connect() override {
    wires_.push_back(std::make_unique<Wire>(loop_.context(), port_));
    return connect_(loop_, url_(wires_.back()->port()) + "?prefix=" + prefix_);
  }
  void cut() override { wires_.back()->cut(); }
  void mend() override { wires_.back()->mend(); }

 private:
  TestLoop& loop_;
  const std::uint16_t port_;
  const Url url_;
  const Connect connect_;
  const std::string prefix_;
  std::vector<std::unique_ptr<Wire>> wires_;
};

std::unique_ptr<Bus> connect_rabbitmq(TestLoop& loop, std::string url) {
  return rabbitmq::Bus::open(loop.context(), {.url = std::move(url)}).value();
}

std::unique_ptr<Bus> connect_redis(TestLoop& loop, std::string url) {
  return redis::Bus::open(loop.context(), {.url = std::move(url)}).value();
}

// One server for all tests.
std::unique_ptr<BusBroker> open_rabbitmq(TestLoop& loop) {
  static const RabbitServer server;
  return std::make_unique<RealBroker>(loop, server.port(), RabbitServer::url_at, connect_rabbitmq);
}

std::unique_ptr<BusBroker> open_redis(TestLoop& loop) {
  static const RedisServer server;
  const auto url = [](std::uint16_t port) { return "redis://127.0.0.1:" + std::to_string(port); };
  return std::make_unique<RealBroker>(loop, server.port(), url, connect_redis);
}

std::unique_ptr<BusBroker> open_memory(TestLoop& loop) {
  return std::make_unique<MemoryBroker>(loop);
}

}  // namespace

std::vector<BusAdapter> bus_adapters() {
  std::vector<BusAdapter> adapters = {{"memory", true, open_memory}};
  if (is_installed(RabbitServer::kProgram)) adapters.push_back({"rabbitmq", false, open_rabbitmq});
  if (is_installed(RedisServer::kProgram)) adapters.push_back({"redis", true, open_redis});
  return adapters;
}

TEST(BusAdapters, AreAllHere) {
  if (!is_installed(RabbitServer::kProgram))
    GTEST_SKIP() << "Debian package rabbitmq-server is not installed";
  if (!is_installed(RedisServer::kProgram)) GTEST_SKIP() << "Debian package redis-server is not installed";
}

BusContract::BusContract()
    : broker_(GetParam().open(loop_)), bus_(broker_->connect()), driver_(loop_, *bus_) {}

std::string BusContract::declared(QueueOptions options) {
  std::string queue = "queue." + std::to_string(++queues_);
  EXPECT_TRUE(driver_.declare(queue, options));
  return queue;
}

INSTANTIATE_TEST_SUITE_P(Adapters, BusContract, ::testing::ValuesIn(bus_adapters()),
                         [](const auto& info) { return info.param.name; });

}  // namespace ganglion::testing
