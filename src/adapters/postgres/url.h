#pragma once

// Where the store is: `postgres://user:password@host:port/database?schema=ganglion&…`. Everything but
// `schema` is libpq's and handed to it as it is, several hosts and `target_session_attrs` included.

#include <string>
#include <vector>

#include "base/result.h"

namespace ganglion::postgres {

inline constexpr const char* kDefaultSchema = "ganglion";

// The URL's lists of hosts, begun with one of them; empty where the URL doesn't name several.
struct HostOrder {
  std::string host;
  std::string hostaddr;
  std::string port;
};

struct Address {
  std::string url;  // for libpq
  std::string schema;
  std::vector<HostOrder> orders = {};  // one for each host to begin with; one at least
};

// Whether a store's URL is one of this adapter's.
bool is_url(std::string_view url);

// Error `invalid_store`.
Result<Address> parse_address(const std::string& url, const char* default_schema = kDefaultSchema);

// The words for PQconnectStartParams, our defaults first, so that what the URL says counts. libpq tries one
// host after the other, but waits for each as long as we let it: `first_host` is counted on for ever, and
// says which one it begins with. The address must outlive them.
struct ConnectionWords {
  ConnectionWords(const Address& address, std::size_t first_host);

  std::vector<const char*> names;
  std::vector<const char*> values;
};

}  // namespace ganglion::postgres
