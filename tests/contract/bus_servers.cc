#include "contract/bus_servers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "adapters/kafka/bus.h"
#include "adapters/nats/bus.h"
#include "adapters/rabbitmq/bus.h"
#include "adapters/redis/bus.h"
#include "servers/kafka_server.h"
#include "servers/nats_server.h"
#include "servers/rabbit_server.h"
#include "servers/redis_server.h"

namespace ganglion::testing {
namespace {

class RabbitBusServer final : public BusServer {
 public:
  ServerProcess& process() override { return server_.process(); }

  std::unique_ptr<Bus> connect(TestLoop& loop, std::uint16_t port, const std::string& prefix,
                               BusTimings timings) override {
    return rabbitmq::Bus::open(loop.context(), {.url = RabbitServer::url_at(port) + "?prefix=" + prefix,
                                                .patience = timings.patience,
                                                .silence = timings.silence})
        .value();
  }

  void starve() override { EXPECT_TRUE(server_.control({"set_vm_memory_high_watermark", "0.00001"})); }
  void feed() override { EXPECT_TRUE(server_.control({"set_vm_memory_high_watermark", "0.9"})); }

 private:
  RabbitServer server_;
};

class RedisBusServer final : public BusServer {
 public:
  ServerProcess& process() override { return server_.process(); }

  std::unique_ptr<Bus> connect(TestLoop& loop, std::uint16_t port, const std::string& prefix,
                               BusTimings timings) override {
    const std::string url = "redis://127.0.0.1:" + std::to_string(port) + "?prefix=" + prefix;
    return redis::Bus::open(loop.context(),
                            {.url = url, .patience = timings.patience, .silence = timings.silence})
        .value();
  }

  void starve() override { EXPECT_EQ(server_.command({"CONFIG", "SET", "maxmemory", "1"}), "OK"); }
  void feed() override { EXPECT_EQ(server_.command({"CONFIG", "SET", "maxmemory", "0"}), "OK"); }

 private:
  RedisServer server_;
};

// What it is short of is what JetStream may write: another stream has taken all of it.
class NatsBusServer final : public BusServer {
 public:
  ServerProcess& process() override { return server_.process(); }

  std::unique_ptr<Bus> connect(TestLoop& loop, std::uint16_t port, const std::string& prefix,
                               BusTimings timings) override {
    const std::string url = "nats://127.0.0.1:" + std::to_string(port) + "?prefix=" + prefix;
    return nats::Bus::open(loop.context(),
                           {.url = url, .patience = timings.patience, .silence = timings.silence})
        .value();
  }

  void starve() override {
    const std::string large(4 << 20, 'x');
    server_.request("$JS.API.STREAM.CREATE.filler", R"({"name":"filler","subjects":["filler"]})");
    while (!server_.request("filler", large).contains("error")) continue;
  }
  void feed() override {
    EXPECT_THAT(server_.request("$JS.API.STREAM.DELETE.filler"), ::testing::HasSubstr("\"success\":true"));
  }

 private:
  NatsServer server_;
};

// One node can't be short of replicas in sync, so its queues refuse messages for another reason: those of a
// compacted topic must have keys.
class KafkaBusServer final : public BusServer {
 public:
  ServerProcess& process() override { return server_.process(); }

  std::unique_ptr<Bus> connect(TestLoop& loop, std::uint16_t port, const std::string& prefix,
                               BusTimings timings) override {
    const std::string url = "kafka://127.0.0.1:" + std::to_string(port) + "?prefix=" + prefix;
    return kafka::Bus::open(loop.context(),
                            {.url = url, .patience = timings.patience, .silence = timings.silence})
        .value();
  }

  std::unique_ptr<Wire> wire(TestLoop& loop) override {
    const KafkaServer::Gate gate = server_.next_gate();
    return std::make_unique<Wire>(loop.context(), gate.inside, gate.outside);
  }

  void starve() override { EXPECT_EQ(server_.configure(".queue.", {{"cleanup.policy", "compact"}}), ""); }
  void feed() override { EXPECT_EQ(server_.configure(".queue.", {{"retention.ms", "-1"}}), ""); }

 private:
  KafkaServer server_;
};

template <typename Server>
BusServer& only() {
  static Server server;
  return server;
}

}  // namespace

std::vector<BusServerKind> bus_server_kinds() {
  return {{"kafka", KafkaServer::kPackages, KafkaServer::is_installed(), only<KafkaBusServer>, false,
           std::chrono::milliseconds(4'000)},
          {"nats", "nats-server", is_installed(NatsServer::kProgram), only<NatsBusServer>},
          {"rabbitmq", "rabbitmq-server", is_installed(RabbitServer::kProgram), only<RabbitBusServer>},
          {"redis", "redis-server", is_installed(RedisServer::kProgram), only<RedisBusServer>}};
}

std::vector<BusServerKind> installed_bus_servers() {
  std::vector<BusServerKind> kinds = bus_server_kinds();
  std::erase_if(kinds, [](const BusServerKind& kind) { return !kind.installed; });
  return kinds;
}

std::string fresh_prefix() {
  return "test" + std::to_string(std::random_device()());
}

TEST(BusServers, AreAllHere) {
  for (const BusServerKind& kind : bus_server_kinds()) {
    if (!kind.installed) GTEST_SKIP() << "not installed: " << kind.package;
  }
}

}  // namespace ganglion::testing
