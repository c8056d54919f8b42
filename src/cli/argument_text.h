#pragma once

// Values of options that may come from a file: JSON, @FILE, or - for standard input.

#include <string>

#include "cli/failure.h"

namespace ganglion::cli {

inline constexpr std::size_t kMaxArgumentFile = 64 << 20;  // bytes

Outcome<std::string> read_text_file(const std::string& path);

// The text itself, checked to be one JSON value; `option` is for messages.
Outcome<std::string> json_argument(const std::string& argument, const std::string& option);

}  // namespace ganglion::cli
