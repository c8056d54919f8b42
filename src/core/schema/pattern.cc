#include "core/schema/pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <cctype>

#include "core/schema/schema.h"

namespace ganglion::schema {
namespace {

bool is_hex(std::string_view digits) {
  return std::ranges::all_of(digits, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

// `\uXXXX` is `\x{XXXX}` there; everything else that both have is written alike.
std::string to_re2(std::string_view ecma) {
  std::string out;
  for (std::size_t i = 0; i < ecma.size(); ++i) {
    if (ecma[i] != '\\' || i + 1 == ecma.size()) {
      out += ecma[i];
      continue;
    }
    const std::string_view digits = ecma.substr(std::min(i + 2, ecma.size()), 4);
    if (ecma[i + 1] == 'u' && digits.size() == 4 && is_hex(digits)) {
      out.append("\\x{").append(digits).append("}");
      i += 5;
      continue;
    }
    out.append(ecma.substr(i, 2));
    ++i;
  }
  return out;
}

}  // namespace

std::expected<Pattern, std::string> Pattern::compile(std::string_view text) {
  if (text.size() > kMaxPatternLength) {
    return std::unexpected("the pattern is longer than " + std::to_string(kMaxPatternLength) + " bytes");
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(false);
  auto program = std::make_shared<const re2::RE2>(to_re2(text), options);
  if (!program->ok()) return std::unexpected("the pattern is not RE2: " + program->error());
  return Pattern(std::string(text), std::move(program));
}

bool Pattern::found_in(std::string_view text) const {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *program_);
}

}  // namespace ganglion::schema
