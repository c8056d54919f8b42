#include "adapters/postgres/url.h"

#include <algorithm>
#include <memory>
#include <ranges>
#include <utility>

#include "adapters/postgres/lib_pq.h"
#include "adapters/postgres/text_value.h"

namespace ganglion::postgres {
namespace {

constexpr std::string_view kSchemaOption = "schema=";
constexpr std::size_t kMaxSchemaName = 63;  // bytes, of any name in PostgreSQL

bool is_schema_name(std::string_view name) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  return !name.empty() && name.size() <= kMaxSchemaName && (name[0] > '9' || name[0] < '0') &&
         !name.starts_with("pg_") && std::ranges::all_of(name, allowed);
}

// Takes `schema=…` out of the URL's options.
std::string take_schema(std::string& url, const char* otherwise) {
  std::size_t at = url.find('?');
  while (at != std::string::npos) {
    const std::size_t end = std::min(url.find('&', at + 1), url.size());
    const std::string_view option(url.data() + at + 1, end - at - 1);
    if (option.starts_with(kSchemaOption)) {
      std::string name(option.substr(kSchemaOption.size()));
      // Keep the '?' where other options follow.
      if (end < url.size())
        url.erase(at + 1, end - at);
      else
        url.erase(at);
      return name;
    }
    at = end < url.size() ? end : std::string::npos;
  }
  return otherwise;
}

struct OptionsDelete {
  void operator()(PQconninfoOption* options) const { pq().conninfoFree(options); }
};

std::vector<std::string> parts_of(std::string_view list) {
  std::vector<std::string> parts;
  for (const auto part : std::views::split(list, ',')) parts.emplace_back(part.begin(), part.end());
  return parts;
}

// The list from its element `first` on, and then those before.
std::string begun_with(std::size_t first, std::vector<std::string> parts) {
  std::ranges::rotate(parts, parts.begin() + static_cast<std::ptrdiff_t>(first % parts.size()));
  std::string list;
  for (const std::string& part : parts) list += (&part == parts.data() ? "" : ",") + part;
  return list;
}

// A list is as long as the others, or stands for all of them with its one element.
std::vector<HostOrder> orders_of(const PQconninfoOption* options) {
  std::vector<std::string> host, hostaddr, port;
  for (const PQconninfoOption* option = options; option->keyword; ++option) {
    const std::string_view keyword = option->keyword;
    if (!option->val) continue;
    if (keyword == "host") host = parts_of(option->val);
    if (keyword == "hostaddr") hostaddr = parts_of(option->val);
    if (keyword == "port") port = parts_of(option->val);
  }
  const std::size_t hosts = std::max(host.size(), hostaddr.size());
  if (hosts < 2) return {HostOrder()};
  std::vector<HostOrder> orders;
  for (std::size_t first = 0; first < hosts; ++first) {
    HostOrder order;
    if (!host.empty()) order.host = begun_with(first, host);
    if (!hostaddr.empty()) order.hostaddr = begun_with(first, hostaddr);
    if (!port.empty()) order.port = begun_with(first, port);
    orders.push_back(std::move(order));
  }
  return orders;
}

}  // namespace

bool is_url(std::string_view url) {
  return url.starts_with("postgres://") || url.starts_with("postgresql://");
}

Result<Address> parse_address(const std::string& url, const char* default_schema) {
  Address address{.url = url, .schema = {}};
  address.schema = take_schema(address.url, default_schema);
  if (!is_schema_name(address.schema)) {
    return fail(
        "invalid_store",
        "\"" + address.schema + "\" can't be a schema; write a name of lower-case letters, digits and '_'");
  }
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, OptionsDelete> options(
      pq().conninfoParse(address.url.c_str(), &message));
  if (options) {
    address.orders = orders_of(options.get());
    return address;
  }
  const std::string why = message ? one_line(message) : "out of memory";
  pq().freemem(message);
  return fail("invalid_store", "the URL of PostgreSQL can't be read: " + why);
}

// A server that is gone without a word is noticed after some ten seconds.
ConnectionWords::ConnectionWords(const Address& address, std::size_t first_host) {
  const HostOrder& order = address.orders[first_host % address.orders.size()];
  const std::pair<const char*, const char*> words[] = {{"fallback_application_name", "ganglion"},
                                                       {"target_session_attrs", "read-write"},
                                                       {"keepalives_idle", "5"},
                                                       {"keepalives_interval", "2"},
                                                       {"keepalives_count", "3"},
                                                       {"tcp_user_timeout", "10000"},
                                                       {"dbname", address.url.c_str()},
                                                       {"host", order.host.c_str()},
                                                       {"hostaddr", order.hostaddr.c_str()},
                                                       {"port", order.port.c_str()},
                                                       {"client_encoding", "UTF8"},
                                                       {nullptr, nullptr}};
  for (const auto& [name, value] : words) {
    names.push_back(name);
    values.push_back(value);
  }
}

}  // namespace ganglion::postgres
