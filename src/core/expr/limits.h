#pragma once

// What one evaluation may use. Every evaluation ends: the language has no unbounded loop, and the budget
// bounds what nested macros and large values can multiply up to. docs/internals/expressions.md has the cost
// model.

#include <cstddef>
#include <cstdint>

namespace ganglion::expr {

struct Limits {
  // Units: one per operation and macro iteration, one per kBytesPerUnit bytes of text built, copied or
  // scanned, one per item copied or compared.
  std::uint64_t cost = 1'000'000;
  // Of the JSON that a template renders to.
  std::size_t max_result_bytes = 1 << 20;
};

inline constexpr std::size_t kBytesPerUnit = 16;

// Of one expression. Its nesting bounds the evaluator's recursion.
inline constexpr std::size_t kMaxSourceBytes = 64 * 1024;
inline constexpr int kMaxNesting = 200;
// Of one regular expression: the pattern, and what RE2 may use for its program and its cache.
inline constexpr std::size_t kMaxPatternBytes = 4 * 1024;
inline constexpr std::int64_t kMaxRegexMemory = 1 << 20;

}  // namespace ganglion::expr
