#pragma once

// What `--help` teaches: a sentence about each command, and examples.

#include <string_view>

namespace ganglion::cli {

// `command` is "run", "runs list", …; "" is ganglion itself.
std::string_view about(std::string_view command);
std::string_view examples(std::string_view command);

}  // namespace ganglion::cli
