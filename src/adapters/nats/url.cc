#include "adapters/nats/url.h"

#include <utility>

namespace ganglion::nats {
namespace {

constexpr std::uint16_t kPort = 4222;

std::unexpected<Error> invalid(std::string_view what) {
  return fail("unknown_bus", "the NATS URL " + std::string(what) + "; write nats://USER:PASSWORD@HOST:PORT");
}

// One word alone is a token.
Result<void> read_credentials(std::string_view text, Url& url) {
  const bool names_user = text.contains(':');
  const auto user = decode_percent(take_until(text, ':'));
  const auto password = decode_percent(text);
  if (!user || !password) return invalid("has a % that is not followed by two hexadecimal digits");
  if (user->empty()) return invalid("has no user before the password");
  (names_user ? url.user : url.token) = *user;
  url.password = *password;
  return {};
}

}  // namespace

bool is_url(std::string_view bus) {
  return bus.starts_with("nats:") || bus.starts_with("tls:");
}

Result<Url> parse_url(std::string_view text) {
  if (text.starts_with("tls:")) {
    return fail("unknown_bus",
                "tls:// is not supported: this version doesn't speak TLS to NATS; use nats:// through a "
                "tunnel or on a network of its own");
  }
  constexpr std::string_view kScheme = "nats://";
  if (!text.starts_with(kScheme)) return invalid("doesn't begin with nats://");
  Url url;
  std::string_view query = text.substr(kScheme.size());
  std::string_view path = take_until(query, '?');
  std::string_view authority = take_until(path, '/');
  if (!path.empty()) return invalid("has a path, which NATS doesn't know");
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (const auto read = read_credentials(authority.substr(0, at), url); !read)
      return std::unexpected(read.error());
    authority.remove_prefix(at + 1);
  }
  if (authority.contains(',')) return invalid("names several hosts");
  auto host = parse_host_port(authority, kPort);
  if (!host) return invalid(host.error());
  url.host = std::move(*host);
  auto prefix = parse_prefix_query(query);
  if (!prefix) return invalid(prefix.error());
  if (!prefix->empty()) url.prefix = std::move(*prefix);
  return url;
}

}  // namespace ganglion::nats
