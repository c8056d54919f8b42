#include "bench/load/server_figures.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <stdexcept>

#include "bench/load/usage_error.h"
#include "bench/load/workload.h"

namespace ganglion::bench {
namespace {

std::string shown(const OwnedAnswer& answer) {
  return std::to_string(answer.status) + " " + answer.body.substr(0, 300);
}

constexpr RequestLine kMetrics{.method = "GET", .target = "/metrics"};

ServerFigures figures_of(const OwnedAnswer& answer) {
  if (answer.status != 200) throw std::runtime_error("/metrics was answered " + shown(answer));
  return figures_in(answer.body);
}

bool is_a_benchmarks(const std::string& workflows) {
  boost::system::error_code error;
  const boost::json::value page = boost::json::parse(workflows, error);
  const boost::json::value* items =
      !error && page.is_object() ? page.as_object().if_contains("items") : nullptr;
  if (items == nullptr || !items->is_array()) return false;
  for (const boost::json::value& item : items->as_array()) {
    const boost::json::value* name = item.is_object() ? item.as_object().if_contains("name") : nullptr;
    if (name == nullptr || !name->is_string() || !name->as_string().starts_with(kWorkflowPrefix))
      return false;
  }
  return true;
}

}  // namespace

std::optional<double> metric(std::string_view text, std::string_view name) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    at += line.size() + 1;
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ' ') continue;
    const std::string_view digits = line.substr(name.size() + 1);
    double value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (read.ec == std::errc()) return value;
  }
  return std::nullopt;
}

ServerFigures figures_in(std::string_view metrics) {
  return {.syncs = metric(metrics, "ganglion_store_syncs_total"),
          .groups = metric(metrics, "ganglion_store_groups_total"),
          .cpu_seconds = metric(metrics, "process_cpu_seconds_total"),
          .resident_bytes = metric(metrics, "process_resident_memory_bytes")};
}

ServerFigures sum_of(std::span<const ServerFigures> servers) {
  ServerFigures sum{.syncs = 0, .groups = 0, .cpu_seconds = 0, .resident_bytes = 0};
  const auto add = [](std::optional<double>& to, const std::optional<double>& more) {
    to = to && more ? std::optional(*to + *more) : std::nullopt;
  };
  for (const ServerFigures& one : servers) {
    add(sum.syncs, one.syncs);
    add(sum.groups, one.groups);
    add(sum.cpu_seconds, one.cpu_seconds);
    const bool known = sum.resident_bytes && one.resident_bytes;
    sum.resident_bytes =
        known ? std::optional(std::max(*sum.resident_bytes, *one.resident_bytes)) : std::nullopt;
  }
  return sum;
}

ServerFigures server_figures(const ServerAddress& server) {
  return figures_of(ask(server, kMetrics));
}

Awaitable<ServerFigures> server_figures_on(asio::io_context& context, const ServerAddress& server) {
  const OwnedAnswer answer = co_await ask_on(context, server, kMetrics, {}, {});
  co_return figures_of(answer);
}

void put_project(const ServerAddress& server, const std::string& project) {
  const OwnedAnswer workflows = ask(server, {.method = "GET", .target = "/v1/workflows?limit=200"});
  if (workflows.status == 401) throw UsageError("the server wants a token: put it into GANGLION_TOKEN");
  const bool empty = workflows.status == 404;
  if (!empty && workflows.status != 200)
    throw std::runtime_error("the server's workflows were answered " + shown(workflows));
  if (!empty && !is_a_benchmarks(workflows.body)) {
    throw UsageError(
        "the server has a project of its own, and a benchmark would replace it; start one without: "
        "`ganglion serve --store sqlite:bench.db` in an empty folder");
  }
  const OwnedAnswer put = ask(server, {.method = "PUT", .target = "/v1/project"}, project, "text/yaml");
  if (put.status != 200) throw std::runtime_error("the benchmark's project was answered " + shown(put));
}

ServerAddress address_of(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  const auto invalid = [&] {
    return UsageError("--server: \"" + url + "\" is no URL of a server; write http://HOST:PORT");
  };
  if (!url.starts_with(kScheme)) throw invalid();
  std::string rest = url.substr(kScheme.size());
  if (rest.ends_with('/')) rest.pop_back();
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string::npos || colon == 0) throw invalid();
  ServerAddress address{.host = rest.substr(0, colon)};
  const char* end = rest.data() + rest.size();
  const auto read = std::from_chars(rest.data() + colon + 1, end, address.port);
  if (read.ec != std::errc() || read.ptr != end || address.port == 0) throw invalid();
  return address;
}

}  // namespace ganglion::bench
