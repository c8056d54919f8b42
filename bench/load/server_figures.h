#pragma once

// What a server tells about itself at /metrics: the only source for one that runs elsewhere.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bench/load/http_connection.h"

namespace ganglion::bench {

// The value of a metric without labels in the Prometheus text format.
std::optional<double> metric(std::string_view text, std::string_view name);

struct ServerFigures {
  std::optional<double> syncs;           // of the store, so far
  std::optional<double> groups;          // transactions of the store, so far
  std::optional<double> cpu_seconds;     // so far
  std::optional<double> resident_bytes;  // now
};
// Throws std::runtime_error if the server doesn't answer.
ServerFigures server_figures(const ServerAddress& server);
// The same on an event loop; `server` outlives the call.
Awaitable<ServerFigures> server_figures_on(asio::io_context& context, const ServerAddress& server);
ServerFigures figures_in(std::string_view metrics);
// Of all of them; but of memory what the largest one has. What one doesn't tell, nobody does.
ServerFigures sum_of(std::span<const ServerFigures> servers);

// Makes `project` the server's active one. Throws UsageError if it has one already that isn't a benchmark's:
// that one is somebody's.
void put_project(const ServerAddress& server, const std::string& project);

// `http://HOST:PORT`; throws UsageError for anything else.
ServerAddress address_of(const std::string& url);

}  // namespace ganglion::bench
