#include "core/expr/bindings.h"

#include "core/expr/json_scan.h"

namespace ganglion::expr {

Result<Bindings> Bindings::from_json(std::string_view json) {
  if (!is_json(json)) return fail("invalid_json", "the bindings are not valid JSON");
  Value object = Value::json(Payload(std::string(json)));
  if (!object.is(Kind::map))
    return fail("invalid_json", "the bindings are a JSON object: one member for each name");
  Bindings bindings;
  for (std::size_t i = 0; i < object.size(); ++i) {
    bindings.set(object.entry(i).first.as_string(), object.entry(i).second);
  }
  return bindings;
}

void Bindings::set(std::string name, Value value) {
  values_.insert_or_assign(std::move(name), std::move(value));
}

std::optional<Value> Bindings::find(std::string_view name) const {
  auto found = values_.find(name);
  return found == values_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace ganglion::expr
