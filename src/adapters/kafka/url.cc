#include "adapters/kafka/url.h"

#include <utility>

namespace ganglion::kafka {
namespace {

constexpr std::uint16_t kPort = 9092;
constexpr std::size_t kMaxHosts = 16;

std::unexpected<Error> invalid(std::string_view what) {
  return fail("unknown_bus",
              "the Kafka URL " + std::string(what) + "; write kafka://HOST:PORT,HOST:PORT?prefix=NAME");
}

Result<void> read_hosts(std::string_view text, Url& url) {
  do {
    auto host = parse_host_port(take_until(text, ','), kPort);
    if (!host) return invalid(host.error());
    if (url.hosts.size() == kMaxHosts) return invalid("names more than 16 hosts");
    url.hosts.push_back(std::move(*host));
  } while (!text.empty());
  return {};
}

}  // namespace

std::string Url::servers() const {
  std::string servers;
  for (const HostPort& host : hosts) {
    if (!servers.empty()) servers += ',';
    const bool is_ipv6 = host.host.contains(':');
    servers += is_ipv6 ? '[' + host.host + "]:" + std::to_string(host.port) : host.text();
  }
  return servers;
}

bool is_url(std::string_view bus) {
  return bus.starts_with("kafka:") || bus.starts_with("kafkas:");
}

Result<Url> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "kafka://";
  if (text.starts_with("kafkas:")) {
    return fail("unknown_bus",
                "kafkas:// is not supported: this version doesn't speak TLS to Kafka; use kafka:// through "
                "a tunnel or on a network of its own");
  }
  if (!text.starts_with(kScheme)) return invalid("doesn't begin with kafka://");
  Url url;
  std::string_view query = text.substr(kScheme.size());
  std::string_view path = take_until(query, '?');
  const std::string_view authority = take_until(path, '/');
  if (!path.empty()) return invalid("has a path, which Kafka doesn't know");
  if (authority.contains('@')) return invalid("has a user, which this version can't log in as");
  if (const auto read = read_hosts(authority, url); !read) return std::unexpected(read.error());
  auto prefix = parse_prefix_query(query);
  if (!prefix) return invalid(prefix.error());
  if (!prefix->empty()) url.prefix = std::move(*prefix);
  return url;
}

}  // namespace ganglion::kafka
