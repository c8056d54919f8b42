#pragma once

// JSON Schema, draft 2020-12: the core, applicator, unevaluated and validation vocabularies; `format` and the
// `content…` keywords are annotations, as that draft has them by default.
//
// A schema is compiled once, when a project is read, and then checked against every input and output of its
// workflow or agent. It stands alone: `$ref` and `$dynamicRef` reach what is in the document (by pointer,
// anchor or `$id`) and nothing else, so checking does no I/O. Numbers compare as mathematics has them (1
// is 1.0, and 0.0075 is a multiple of 0.0001). Patterns are RE2, which is ECMA-262 without look-around and
// back-references, and takes linear time.
//
// A schema comes from a user and an instance from an agent, so neither may cost more than the bounds below:
// what would is answered with a violation that says so, never with an overflowing stack or a hung thread.

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace ganglion::schema {

inline constexpr std::size_t kMaxViolations = 50;        // reported for one instance
inline constexpr std::size_t kMaxEvaluationDepth = 256;  // subschemas inside each other, references included
inline constexpr std::size_t kMaxEvaluations = 4'000'000;  // subschemas applied to one instance
inline constexpr std::size_t kMaxSchemaDepth = 128;        // of the schema's own nesting
inline constexpr std::size_t kMaxJsonDepth = 128;          // of what validate_json accepts
inline constexpr std::size_t kMaxPatternLength = 4096;     // bytes

struct Violation {
  std::string path;  // JSON pointer (RFC 6901); the whole value is ""
  std::string message;

  bool operator==(const Violation&) const = default;
};

struct CompiledSchema;

// Cheap to copy, immutable, safe to share between threads.
class Schema {
 public:
  // Error code `invalid_schema`; the message begins with the pointer into the schema.
  static Result<Schema> compile(const boost::json::value& schema);
  // The same with the pointer by itself, for those who know where in a file it leads.
  static std::expected<Schema, Violation> compile_located(const boost::json::value& schema);

  // Empty where the instance is valid, else in the order of the schema's checks.
  std::vector<Violation> validate(const boost::json::value& instance) const;
  // Error code `invalid_json` where the text is not one JSON value.
  Result<std::vector<Violation>> validate_json(std::string_view json) const;

 private:
  explicit Schema(std::shared_ptr<const CompiledSchema> compiled) : compiled_(std::move(compiled)) {}

  std::shared_ptr<const CompiledSchema> compiled_;
};

}  // namespace ganglion::schema
