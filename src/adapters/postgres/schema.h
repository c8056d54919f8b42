#pragma once

// What is done once when a store is opened: its tables are brought to this version, and the server is asked
// what it promises. On a connection of its own, which may block: nothing runs yet.

#include <string>
#include <vector>

#include "adapters/postgres/url.h"
#include "base/result.h"

namespace ganglion::postgres {

// Gives what the server as configured promises less than the port demands, a line each. Errors:
// `store_incompatible` (an old server, another encoding, a newer schema), `store_unavailable`.
Result<std::vector<std::string>> prepare_schema(const Address& address);

}  // namespace ganglion::postgres
