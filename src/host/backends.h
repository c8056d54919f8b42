#pragma once

// The store, the bus and the audit that a URL names, opened. The one place that names their adapters.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/system/asio_loop.h"
#include "base/asio/asio.h"
#include "base/result.h"
#include "coordinator/coordinator.h"
#include "ports/audit.h"
#include "ports/bus.h"
#include "ports/store.h"

namespace ganglion {

namespace sqlite {
class Store;
}

struct OpenStore {
  std::unique_ptr<Store> store;
  sqlite::Store* sqlite = nullptr;  // the same store, where it is that kind
  StoreSharing sharing = StoreSharing::shared;
};

// `sqlite:PATH`, `memory:`, or a server's URL, for which it waits a while. Blocks; `context` and `loop`
// outlive the store, and nobody runs the first meanwhile. Errors: `unknown_store`, or the adapter's own. When
// it is unknown what is durable the process ends, with code 70.
Result<OpenStore> open_store(const std::string& url, asio::io_context& context, AsioLoop& loop);

inline constexpr std::string_view kEmbeddedBus = "embedded:";  // no other process takes part

// Null for `embedded:`; else as above. Errors: `unknown_bus`, or the adapter's own.
Result<std::unique_ptr<Bus>> open_bus(const std::string& url, asio::io_context& context);

// Error `invalid_audit`, or the adapter's own. Doesn't wait for the server.
Result<std::unique_ptr<Audit>> open_audit(const std::string& url, asio::io_context& context);

}  // namespace ganglion
