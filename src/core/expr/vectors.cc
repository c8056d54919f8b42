#include "core/expr/vectors.h"

#include <algorithm>
#include <optional>

#include "core/expr/bindings.h"
#include "core/expr/json_scan.h"
#include "core/expr/typed_json.h"

namespace ganglion::expr {
namespace {

struct Vector {
  std::string id;
  std::string expression;
  CompileOptions options;
  Bindings bindings;
  std::optional<Value> value;  // nothing: an error is expected
  std::string expected;
};

std::unexpected<Error> invalid(std::string message) {
  return fail("invalid_vector", std::move(message));
}

Result<Bindings> read_bindings(const Value& json) {
  Bindings bindings;
  if (!json.is(Kind::map)) return invalid("'bindings' is an object");
  for (std::size_t i = 0; i < json.size(); ++i) {
    Result<Value> value = value_of_typed_json(json.entry(i).second);
    if (!value) return std::unexpected(std::move(value.error()));
    bindings.set(json.entry(i).first.as_string(), std::move(*value));
  }
  return bindings;
}

Result<Vector> read_vector(std::string_view line) {
  if (!is_json(line)) return invalid("not valid JSON");
  Value json = Value::json(Payload(std::string(line)));
  if (!json.is(Kind::map)) return invalid("not an object");
  auto text = [&](std::string_view name) {
    const Value* member = json.find(name);
    return member && member->is(Kind::string) ? std::optional(member->as_string()) : std::nullopt;
  };
  auto id = text("id");
  auto expression = text("expr");
  if (!id || !expression) return invalid("a vector needs 'id' and 'expr'");
  Vector vector{*id, *expression, {text("container").value_or("")}, {}, {}, "an error"};
  if (const Value* bindings = json.find("bindings")) {
    auto read = read_bindings(*bindings);
    if (!read) return std::unexpected(std::move(read.error()));
    vector.bindings = std::move(*read);
  }
  if (const Value* typed = json.find("value")) {
    Result<Value> value = value_of_typed_json(*typed);
    if (!value) return std::unexpected(std::move(value.error()));
    vector.value = std::move(*value);
    vector.expected = typed_json(*vector.value);
  } else if (auto error = text("error")) {
    vector.expected = "an error: " + *error;
  } else {
    return invalid("a vector needs 'value' or 'error'");
  }
  return vector;
}

// What came out where it was not what the vector wants.
std::optional<std::string> run(const Vector& vector) {
  auto program = Program::compile(vector.expression, vector.options);
  if (!program) {
    if (!vector.value) return std::nullopt;
    return "at " + std::to_string(program.error().offset) + ": " + program.error().message;
  }
  Result<Value> value = program->evaluate(vector.bindings);
  if (!value)
    return vector.value ? std::optional(value.error().code + ": " + value.error().message) : std::nullopt;
  if (vector.value && identical(*value, *vector.value)) return std::nullopt;
  return typed_json(*value);
}

}  // namespace

Result<VectorReport> run_vectors(std::string_view jsonl) {
  VectorReport report;
  for (std::size_t number = 1; !jsonl.empty(); ++number) {
    std::string_view line = jsonl.substr(0, jsonl.find('\n'));
    jsonl.remove_prefix(std::min(line.size() + 1, jsonl.size()));
    if (skip_json_whitespace(line, 0) == line.size()) continue;
    Result<Vector> vector = read_vector(line);
    if (!vector) return invalid("line " + std::to_string(number) + ": " + vector.error().message);
    std::optional<std::string> got = run(*vector);
    if (!got) {
      ++report.passed;
      continue;
    }
    ++report.failed;
    report.failures.push_back({vector->id, vector->expected, std::move(*got)});
  }
  return report;
}

}  // namespace ganglion::expr
