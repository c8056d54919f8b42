#pragma once

#include <string>
#include <string_view>

namespace ganglion {

// 64 lower-case hexadecimal digits (FIPS 180-4).
std::string sha256_hex(std::string_view bytes);

// Whether `text` has that form.
bool is_sha256_hex(std::string_view text);

}  // namespace ganglion
