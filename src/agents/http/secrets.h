#pragma once

// `${{ secrets.NAME }}` in the url and headers of an agent: resolved at the moment of the call, so that a
// rotated secret counts at once, and kept nowhere.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ganglion::agents {

// The secret with this name, if there is one.
using SecretSource = std::move_only_function<std::optional<std::string>(const std::string& name)>;

// The environment variable with the secret's name.
std::optional<std::string> secret_from_environment(const std::string& name);

// `text` with its secrets filled in. Error `missing_secret` names the one that is missing, or that can't be a
// part of an HTTP request because it has a control character; never shows a value.
Result<std::string> fill_in_secrets(std::string_view text, SecretSource& secrets);

}  // namespace ganglion::agents
