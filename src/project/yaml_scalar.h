#pragma once

// What a plain (unquoted) scalar means in the core schema of YAML 1.2 (section 10.3.2).

#include <string_view>

#include "project/yaml.h"

namespace ganglion::project {

YamlKind kind_of_plain(std::string_view text);

}  // namespace ganglion::project
