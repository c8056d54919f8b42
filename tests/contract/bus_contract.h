#pragma once

// The contract of ports/bus.h as a suite. An adapter joins by adding a factory to bus_adapters.cc.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "contract/bus_driver.h"

namespace ganglion::testing {

// One broker as the suite sees it: processes come and go, and their connections break.
class BusBroker {
 public:
  virtual ~BusBroker() = default;
  // One more process. Destroying its bus is its death.
  virtual std::unique_ptr<Bus> connect() = 0;
  // The newest process' connections break, and it can't come back before `mend`.
  virtual void cut() = 0;
  virtual void mend() = 0;
};

struct BusAdapter {
  std::string name;
  // Whether a declared queue can be given other options.
  bool changes_options;
  std::function<std::unique_ptr<BusBroker>(TestLoop& loop)> open;
};

std::vector<BusAdapter> bus_adapters();

class BusContract : public ::testing::TestWithParam<BusAdapter> {
 protected:
  BusContract();

  // A queue of the test's own.
  std::string declared(QueueOptions options = {});
  // The process that most tests need only one of.
  Bus& bus() { return *bus_; }

  TestLoop loop_;
  std::unique_ptr<BusBroker> broker_;
  std::unique_ptr<Bus> bus_;
  BusDriver driver_;
  int queues_ = 0;
};

}  // namespace ganglion::testing
