#include "adapters/redis/url.h"

#include <charconv>
#include <utility>

namespace ganglion::redis {
namespace {

constexpr std::string_view kForms =
    "write redis://HOST:PORT, redis+sentinel://HOST:PORT,…/MASTER or redis+cluster://HOST:PORT,…";
constexpr std::uint16_t kRedisPort = 6379;
constexpr std::uint16_t kSentinelPort = 26379;
constexpr std::size_t kMaxPrefix = 64;  // bytes: it is a part of every key

std::unexpected<Error> invalid(std::string_view what) {
  return fail("unknown_store", "the Redis URL " + std::string(what) + "; " + std::string(kForms));
}

// Takes what stands before the separator, or all of it.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view taken = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return taken;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::string> decode_percent(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    unsigned char byte = 0;
    const std::string_view digits = text.substr(at + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) return std::nullopt;
    decoded += static_cast<char>(byte);
    at += 2;
  }
  return decoded;
}

Result<Address> parse_address(std::string_view text, std::uint16_t default_port) {
  Address address{.host = {}, .port = default_port};
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    text.remove_prefix(1);
    address.host = take_until(text, ']');
    has_port = text.starts_with(':');
    if (has_port) port = text.substr(1);
  } else {
    has_port = text.contains(':');
    address.host = take_until(text, ':');
    port = text;
  }
  if (address.host.empty()) return invalid("names no host");
  if (!has_port) return address;
  const auto number = parse_number<std::uint16_t>(port);
  if (!number || *number == 0) return invalid("has a port that is no number from 1 to 65535");
  address.port = *number;
  return address;
}

Result<void> read_credentials(std::string_view text, Url& url) {
  const std::string_view user = take_until(text, ':');
  auto decoded_user = decode_percent(user);
  auto decoded_password = decode_percent(text);
  if (!decoded_user || !decoded_password)
    return invalid("has a % that is not followed by two hexadecimal digits");
  if (!user.empty()) url.user = std::move(*decoded_user);
  url.password = std::move(*decoded_password);
  return {};
}

Result<void> read_query(std::string_view query, Url& url) {
  while (!query.empty()) {
    std::string_view value = take_until(query, '&');
    const std::string_view name = take_until(value, '=');
    if (name != "prefix") return invalid("has a parameter other than `prefix`");
    const bool plain =
        value.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-") ==
        std::string_view::npos;
    if (value.empty() || value.size() > kMaxPrefix || !plain)
      return invalid("has a prefix that is not of 1 to 64 letters, digits, '_', '.', ':' or '-'");
    url.prefix = value;
  }
  return {};
}

Result<void> read_path(std::string_view path, Url& url) {
  if (url.topology == Topology::sentinel) {
    url.master = take_until(path, '/');
    if (url.master.empty()) return invalid("doesn't say by which name the sentinels know the master");
  }
  if (path.empty()) return {};
  const auto database = parse_number<std::uint32_t>(path);
  if (!database) return invalid("has a database that is no number");
  if (url.topology == Topology::cluster && *database != 0)
    return invalid("names a database, which a cluster doesn't have");
  url.database = *database;
  return {};
}

}  // namespace

bool is_url(std::string_view store) {
  return store.starts_with("redis:") || store.starts_with("rediss:") || store.starts_with("redis+");
}

Result<Url> parse_url(std::string_view text) {
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return invalid("has no ://");
  const std::string_view scheme = text.substr(0, scheme_end);
  Url url;
  if (scheme == "redis+sentinel") {
    url.topology = Topology::sentinel;
  } else if (scheme == "redis+cluster") {
    url.topology = Topology::cluster;
  } else if (scheme == "rediss") {
    return fail("unknown_store",
                "rediss:// is not supported: this version doesn't speak TLS to Redis; use redis:// through a "
                "tunnel or on a network of its own");
  } else if (scheme != "redis") {
    return invalid("has an unknown scheme");
  }
  std::string_view rest = text.substr(scheme_end + 3);
  std::string_view query = rest;
  rest = take_until(query, '?');
  std::string_view path = rest;
  std::string_view authority = take_until(path, '/');
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (const auto read = read_credentials(authority.substr(0, at), url); !read)
      return std::unexpected(read.error());
    authority.remove_prefix(at + 1);
  }
  const std::uint16_t default_port = url.topology == Topology::sentinel ? kSentinelPort : kRedisPort;
  do {
    auto address = parse_address(take_until(authority, ','), default_port);
    if (!address) return std::unexpected(address.error());
    url.addresses.push_back(std::move(*address));
  } while (!authority.empty());
  if (url.topology == Topology::single && url.addresses.size() > 1)
    return invalid("names several hosts; several are sentinels or nodes of a cluster");
  if (const auto read = read_path(path, url); !read) return std::unexpected(read.error());
  if (const auto read = read_query(query, url); !read) return std::unexpected(read.error());
  return url;
}

}  // namespace ganglion::redis
