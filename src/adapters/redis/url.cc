#include "adapters/redis/url.h"

#include <utility>

#include "base/url_parts.h"

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
    auto address = parse_host_port(take_until(authority, ','), default_port);
    if (!address) return invalid(address.error());
    url.addresses.push_back(std::move(*address));
  } while (!authority.empty());
  if (url.topology == Topology::single && url.addresses.size() > 1)
    return invalid("names several hosts; several are sentinels or nodes of a cluster");
  if (const auto read = read_path(path, url); !read) return std::unexpected(read.error());
  if (const auto read = read_query(query, url); !read) return std::unexpected(read.error());
  return url;
}

}  // namespace ganglion::redis
