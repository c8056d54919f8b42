#include "adapters/memory/bus.h"
#include "contract/bus_contract.h"
#include "contract/bus_servers.h"
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
  RealBroker(TestLoop& loop, BusServer& server) : loop_(loop), server_(server), prefix_(fresh_prefix()) {}

  std::unique_ptr<Bus> connect() override {
    wires_.push_back(server_.wire(loop_));
    return server_.connect(loop_, wires_.back()->port(), prefix_);
  }
  void cut() override { wires_.back()->cut(); }
  void mend() override { wires_.back()->mend(); }

 private:
  TestLoop& loop_;
  BusServer& server_;
  const std::string prefix_;
  std::vector<std::unique_ptr<Wire>> wires_;
};

}  // namespace

std::vector<BusAdapter> bus_adapters() {
  std::vector<BusAdapter> adapters;
  adapters.push_back({"memory", true, [](TestLoop& loop) { return std::make_unique<MemoryBroker>(loop); }});
  for (const BusServerKind& kind : installed_bus_servers()) {
    adapters.push_back({kind.name, kind.name != "rabbitmq", [server = kind.server](TestLoop& loop) {
                          return std::make_unique<RealBroker>(loop, server());
                        }});
  }
  return adapters;
}

BusContract::BusContract()
    : broker_(GetParam().open(loop_)), bus_(broker_->connect()), driver_(loop_, *bus_) {}

std::string BusContract::declared(QueueOptions options) {
  std::string queue = "queue." + std::to_string(++queues_);
  const Result<void> made = driver_.declare(queue, options);
  EXPECT_TRUE(made) << made.error().message;
  return queue;
}

INSTANTIATE_TEST_SUITE_P(Adapters, BusContract, ::testing::ValuesIn(bus_adapters()),
                         [](const auto& info) { return info.param.name; });

}  // namespace ganglion::testing
