#pragma once

// A regular expression: RE2, so matching is linear in the text; the pattern's length and RE2's memory are
// bounded.

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace ganglion::expr {

class Regex {
 public:
  // Error code `invalid_regex`, also for a pattern that is too large.
  static Result<Regex> compile(std::string_view pattern);

  // Whether it matches anywhere in `text`.
  bool matches(std::string_view text) const;
  // Instructions of its program: what compiling it takes, and each byte of a match at worst.
  std::size_t program_size() const;

 private:
  explicit Regex(std::shared_ptr<const re2::RE2> regex) : regex_(std::move(regex)) {}

  std::shared_ptr<const re2::RE2> regex_;
};

}  // namespace ganglion::expr
