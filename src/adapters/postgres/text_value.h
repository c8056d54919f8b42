#pragma once

// Text as PostgreSQL can hold it: everything but the byte 0, which a label or an event's subject may have. In
// its place stand the byte 1 and '0'; a byte 1 becomes the byte 1 and '1'. The order of texts stays as it
// was.

#include <string>
#include <string_view>

namespace ganglion::postgres {

std::string to_text_value(std::string_view text);
std::string from_text_value(std::string_view value);

// A message of libpq, which may have several lines, as one.
std::string one_line(std::string_view message);

}  // namespace ganglion::postgres
