#pragma once

// What worlds are made of that the simulator doesn't have itself.

#include "sim/world/message_broker.h"
#include "sim/world/store_server.h"

namespace ganglion::sim {

struct Backends {
  StoreFactory make_store;
  BrokerFactory make_broker;
};

}  // namespace ganglion::sim
