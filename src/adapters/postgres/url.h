#pragma once

// Where the store is: `postgres://user:password@host:port/database?schema=ganglion&…`. Everything but
// `schema` is libpq's and handed to it as it is, several hosts and `target_session_attrs` included.

#include <string>
#include <vector>

#include "base/result.h"

namespace ganglion::postgres {

inline constexpr const char* kDefaultSchema = "ganglion";

struct Address {
  std::string url;  // for libpq
  std::string schema;
};

// Whether a store's URL is one of this adapter's.
bool is_url(std::string_view url);

// Error `invalid_store`.
Result<Address> parse_address(const std::string& url);

// The words for PQconnectStartParams, our defaults first, so that what the URL says counts.
struct ConnectionWords {
  explicit ConnectionWords(const Address& address);

  std::vector<const char*> names;
  std::vector<const char*> values;
};

}  // namespace ganglion::postgres
