#pragma once

// What a key's value becomes where no expression is evaluated: JSON, or a schema.

#include <optional>
#include <string>
#include <string_view>

#include "core/schema/schema.h"
#include "project/fields.h"

namespace ganglion::project {

// Reports what JSON has no form for.
std::optional<std::string> read_json(const Field& field, Diagnostics& diagnostics);
std::optional<schema::Schema> read_schema(const Field& field, Diagnostics& diagnostics);

// In a text or in a key, however deep.
bool has_expression(const YamlNode& node);

// Where a JSON pointer leads from a field: the deepest one on its way that there is.
Field field_at(Field field, std::string_view pointer);

}  // namespace ganglion::project
