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

// What ECMA-262 calls white space, as the inside of a character class; RE2's `\s` is ASCII only.
constexpr std::string_view kSpace =
    "\\t-\\r \\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";

enum class Within { nothing, character_class };

// Appends the escape sequence at the front of `rest` and returns its length.
std::size_t translate_escape(std::string_view rest, Within within, std::string& out) {
  const std::string_view digits = rest.substr(std::min<std::size_t>(2, rest.size()), 4);
  if (rest.starts_with("\\u") && digits.size() == 4 && is_hex(digits)) {
    out.append("\\x{").append(digits).append("}");
    return 6;
  }
  if (rest.starts_with("\\c") && rest.size() > 2 && std::isalpha(static_cast<unsigned char>(rest[2])) != 0) {
    const auto code = static_cast<unsigned>(rest[2]) % 32;
    out.append("\\x").append(1, code < 16 ? '0' : '1').append(1, "0123456789abcdef"[code % 16]);
    return 3;
  }
  if (rest.starts_with("\\s")) {
    if (within == Within::character_class)
      out += kSpace;
    else
      out.append("[").append(kSpace).append("]");
    return 2;
  }
  if (rest.starts_with("\\S") && within == Within::nothing) {
    out.append("[^").append(kSpace).append("]");
    return 2;
  }
  out += rest.substr(0, 2);
  return std::min<std::size_t>(2, rest.size());
}

// The few things that both have and write differently.
std::string to_re2(std::string_view ecma) {
  std::string out;
  Within within = Within::nothing;
  for (std::size_t i = 0; i < ecma.size();) {
    if (ecma[i] == '\\') {
      i += translate_escape(ecma.substr(i), within, out);
      continue;
    }
    if (ecma[i] == '[') within = Within::character_class;
    if (ecma[i] == ']') within = Within::nothing;
    out += ecma[i++];
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
