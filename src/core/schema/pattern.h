#pragma once

// A regular expression of a schema: ECMA-262 as far as RE2 can follow, searched for anywhere in the text.

#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace ganglion::schema {

class Pattern {
 public:
  // The error says what RE2 has against it.
  static std::expected<Pattern, std::string> compile(std::string_view text);

  bool found_in(std::string_view text) const;
  const std::string& text() const { return text_; }

 private:
  Pattern(std::string text, std::shared_ptr<const re2::RE2> program)
      : text_(std::move(text)), program_(std::move(program)) {}

  std::string text_;  // as the schema has it
  std::shared_ptr<const re2::RE2> program_;
};

}  // namespace ganglion::schema
