#include "core/schema/schema.h"

#include <boost/json.hpp>

#include "core/schema/compiler.h"
#include "core/schema/evaluator.h"

namespace ganglion::schema {

std::expected<Schema, Violation> Schema::compile_located(const boost::json::value& schema) {
  auto compiled = Compiler().run(schema);
  if (!compiled) return std::unexpected(std::move(compiled.error()));
  return Schema(std::make_shared<const CompiledSchema>(std::move(*compiled)));
}

Result<Schema> Schema::compile(const boost::json::value& schema) {
  auto compiled = compile_located(schema);
  if (compiled) return std::move(*compiled);
  const Violation& defect = compiled.error();
  return fail("invalid_schema", (defect.path.empty() ? "the schema" : defect.path) + ": " + defect.message);
}

std::vector<Violation> Schema::validate(const boost::json::value& instance) const {
  return Evaluator(*compiled_).run(instance);
}

Result<std::vector<Violation>> Schema::validate_json(std::string_view json) const {
  boost::json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  boost::json::monotonic_resource memory;
  boost::system::error_code error;
  const boost::json::value instance =
      boost::json::parse(boost::json::string_view(json.data(), json.size()), error, &memory, options);
  if (error) return fail("invalid_json", "not a JSON value: " + error.message());
  return validate(instance);
}

}  // namespace ganglion::schema
