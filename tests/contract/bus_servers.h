#pragma once

// The real brokers, each started when a test first asks for it, one a test program.

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "contract/bus_driver.h"
#include "servers/server_process.h"
#include "servers/wire.h"

namespace ganglion::testing {

struct BusTimings {
  std::chrono::milliseconds patience{10'000};
  std::chrono::milliseconds silence{10'000};
};

class BusServer {
 public:
  virtual ~BusServer() = default;
  virtual ServerProcess& process() = 0;
  // A process whose queues have this prefix, over the port of the server or of a wire to it.
  virtual std::unique_ptr<Bus> connect(TestLoop& loop, std::uint16_t port, const std::string& prefix,
                                       BusTimings timings = {}) = 0;
  // To the server, for one process: its connections can be cut. To be destroyed before the next ones but a
  // few.
  virtual std::unique_ptr<Wire> wire(TestLoop& loop) {
    return std::make_unique<Wire>(loop.context(), process().port());
  }
  // Memory becomes scarce, or suffices again; returns when the server has noticed.
  virtual void starve() = 0;
  virtual void feed() = 0;
};

struct BusServerKind {
  std::string name;
  std::string package;  // that has it, Debian's where nothing else is said
  bool installed = false;
  BusServer& (*server)();
  // Whether a message that a plain client had which has died is marked and counted, though another one takes
  // it.
  bool counts_for_plain_clients = true;
  // With how little patience calls still succeed while all is well, on a busy machine.
  std::chrono::milliseconds least_patience{1'000};
};

std::vector<BusServerKind> bus_server_kinds();
std::vector<BusServerKind> installed_bus_servers();

std::string fresh_prefix();

}  // namespace ganglion::testing
