#pragma once

// A scope that holds its values by name.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/expr/program.h"

namespace ganglion::expr {

class Bindings final : public Scope {
 public:
  Bindings() = default;

  // A JSON object: one variable for each member. Error code `invalid_json`.
  static Result<Bindings> from_json(std::string_view json);

  // A second value of one name replaces the first.
  void set(std::string name, Value value);
  std::optional<Value> find(std::string_view name) const override;

 private:
  std::map<std::string, Value, std::less<>> values_;
};

}  // namespace ganglion::expr
