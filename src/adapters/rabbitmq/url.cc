#include "adapters/rabbitmq/url.h"

#include <utility>

namespace ganglion::rabbitmq {
namespace {

constexpr std::uint16_t kPort = 5672;
constexpr std::size_t kMaxPrefix = 64;  // bytes: with it a queue's name still is one of the broker's

std::unexpected<Error> invalid(std::string_view what) {
  return fail("unknown_bus",
              "the RabbitMQ URL " + std::string(what) + "; write amqp://USER:PASSWORD@HOST:PORT/VHOST");
}

Result<void> read_credentials(std::string_view text, Url& url) {
  const auto user = decode_percent(take_until(text, ':'));
  const auto password = decode_percent(text);
  if (!user || !password) return invalid("has a % that is not followed by two hexadecimal digits");
  if (user->empty() || user->contains('\0') || password->contains('\0'))
    return invalid("has no user before the password, or a NUL in one of them");
  url.user = *user;
  url.password = *password;
  return {};
}

Result<void> read_query(std::string_view query, Url& url) {
  while (!query.empty()) {
    std::string_view value = take_until(query, '&');
    if (take_until(value, '=') != "prefix") return invalid("has a parameter other than `prefix`");
    const bool plain =
        value.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") ==
        std::string_view::npos;
    if (value.empty() || value.size() > kMaxPrefix || !plain || value.starts_with("amq."))
      return invalid(
          "has a prefix that is not of 1 to 64 letters, digits, '_', '.' or '-', or is RabbitMQ's");
    url.prefix = value;
  }
  return {};
}

}  // namespace

bool is_url(std::string_view bus) {
  return bus.starts_with("amqp:") || bus.starts_with("amqps:");
}

Result<Url> parse_url(std::string_view text) {
  if (text.starts_with("amqps:")) {
    return fail(
        "unknown_bus",
        "amqps:// is not supported: this version doesn't speak TLS to RabbitMQ; use amqp:// through a "
        "tunnel or on a network of its own");
  }
  constexpr std::string_view kScheme = "amqp://";
  if (!text.starts_with(kScheme)) return invalid("doesn't begin with amqp://");
  Url url;
  std::string_view query = text.substr(kScheme.size());
  std::string_view path = take_until(query, '?');
  const bool names_virtual_host = path.contains('/');
  std::string_view authority = take_until(path, '/');
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (const auto read = read_credentials(authority.substr(0, at), url); !read)
      return std::unexpected(read.error());
    authority.remove_prefix(at + 1);
  }
  do {
    auto host = parse_host_port(take_until(authority, ','), kPort);
    if (!host) return invalid(host.error());
    url.hosts.push_back(std::move(*host));
  } while (!authority.empty());
  if (names_virtual_host && !path.empty()) {
    const auto decoded = decode_percent(path);
    if (!decoded || decoded->size() > 255 || path.contains('/'))
      return invalid("has a virtual host that isn't one; write its slashes as %2f");
    url.virtual_host = *decoded;
  }
  if (const auto read = read_query(query, url); !read) return std::unexpected(read.error());
  return url;
}

}  // namespace ganglion::rabbitmq
