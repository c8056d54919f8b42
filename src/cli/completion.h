#pragma once

// Completion scripts, made from the command line's own description so that they can't disagree with it.

#include <string>
#include <string_view>
#include <vector>

#include "cli/command_line.h"

namespace ganglion::cli {

// `shell` is bash, zsh or fish.
std::string completion_script(std::string_view shell, const std::vector<CommandSpec>& specs);

}  // namespace ganglion::cli
