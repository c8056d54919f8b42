#pragma once

#include <string>
#include <string_view>

namespace ganglion {

std::string sha256_hex(std::string_view content);

}  // namespace ganglion
