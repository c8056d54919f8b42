#pragma once

// As much of RFC 3986 as `$id` and `$ref` need: a reference resolved against a base, and its fragment.

#include <optional>
#include <string>
#include <string_view>

namespace ganglion::schema {

struct Uri {
  std::string location;  // everything before '#'
  std::string fragment;  // percent-decoded
};

// Nothing where a percent sign of the fragment is not followed by two hex digits.
std::optional<Uri> resolve_uri(std::string_view base, std::string_view reference);

}  // namespace ganglion::schema
