#include "core/expr/regex.h"

#include <re2/re2.h>

#include "core/expr/limits.h"

namespace ganglion::expr {

Result<Regex> Regex::compile(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    return fail("invalid_regex",
                "a regular expression is at most " + std::to_string(kMaxPatternBytes) + " bytes long");
  }
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kMaxRegexMemory);
  auto regex = std::make_shared<const re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!regex->ok()) return fail("invalid_regex", "invalid regular expression: " + regex->error());
  return Regex(std::move(regex));
}

bool Regex::matches(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *regex_);
}

std::size_t Regex::program_size() const {
  return static_cast<std::size_t>(regex_->ProgramSize());
}

}  // namespace ganglion::expr
