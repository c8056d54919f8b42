#pragma once

// Base 64 with padding (RFC 4648, section 4).

#include <optional>
#include <string>
#include <string_view>

namespace ganglion::expr {

std::string encode_base64(std::string_view data);
// Nothing where `text` is not padded base 64.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace ganglion::expr
