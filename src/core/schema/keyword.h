#pragma once

// One keyword of a subschema that is being compiled, and the text of JSON pointers.

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "core/schema/rules.h"

namespace ganglion::schema {

// A subschema, and where it stands.
struct Place {
  const boost::json::value& schema;
  std::string pointer;
  ResourceIndex resource;
  std::size_t depth;
};

struct Keyword {
  const Place& place;
  std::string pointer;
  const boost::json::value& value;
};

// One step of a JSON pointer.
inline std::string escaped(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

inline std::string_view view(const boost::json::key_value_pair& member) {
  return {member.key().data(), member.key().size()};
}

}  // namespace ganglion::schema
