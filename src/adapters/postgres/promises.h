#pragma once

// What the server as configured promises less than the port demands. It is asked on every new connection that
// writes: after a failover it is another server.

#include <string>
#include <vector>

#include "adapters/postgres/result.h"
#include "adapters/postgres/statements.h"

namespace ganglion::postgres {

extern const Statement kAskPromises;
// A line each; empty for the full promise.
std::vector<std::string> weaker_promises_of(const PGresult& answer);

}  // namespace ganglion::postgres
