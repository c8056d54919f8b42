#include "base/json_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/plain_text.h"

namespace ganglion {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

bool take_hex4(std::string_view& rest, std::uint32_t& code) {
  if (rest.size() < 4) return false;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + 4, code, 16);
  if (error != std::errc() || end != rest.data() + 4) return false;
  rest.remove_prefix(4);
  return true;
}

// After a backslash and `u`: one code point, which a surrogate pair may spell.
bool take_escaped_code_point(std::string_view& rest, std::uint32_t& code) {
  if (!take_hex4(rest, code)) return false;
  if (code < 0xD800 || code > 0xDFFF) return true;
  std::uint32_t low = 0;
  if (code > 0xDBFF || !rest.starts_with("\\u")) return false;
  rest.remove_prefix(2);
  if (!take_hex4(rest, low) || low < 0xDC00 || low > 0xDFFF) return false;
  code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  return true;
}

char unescaped(char escape) {
  switch (escape) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '"':
    case '\\':
    case '/':
      return escape;
    default:
      return '\0';
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t copied = 0;
  for (std::size_t i = end_of_plain(text, 0); i < text.size(); i = end_of_plain(text, i + 1)) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x80) continue;
    out.append(text, copied, i - copied);
    copied = i + 1;
    out += '\\';
    switch (c) {
      case '"':
      case '\\':
        out += static_cast<char>(c);
        break;
      case '\n':
        out += 'n';
        break;
      case '\r':
        out += 'r';
        break;
      case '\t':
        out += 't';
        break;
      default:
        out += "u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, copied);
  out += '"';
}

// --- writing
// ------------------------------------------------------------------------------------------------------

void JsonObject::name(std::string_view name) {
  if (text_.size() > 1) text_ += ',';
  append_json_string(text_, name);
  text_ += ':';
}

JsonObject& JsonObject::add(std::string_view name, std::string_view text) {
  this->name(name);
  append_json_string(text_, text);
  return *this;
}

JsonObject& JsonObject::add(std::string_view name, std::int64_t number) {
  return add_raw(name, std::to_string(number));
}

JsonObject& JsonObject::add(std::string_view name, bool value) {
  return add_raw(name, value ? "true" : "false");
}

JsonObject& JsonObject::add_number(std::string_view name, double number) {
  if (!std::isfinite(number)) return add_raw(name, "null");
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return add_raw(name, std::string_view(text.data(), static_cast<std::size_t>(end - text.data())));
}

JsonObject& JsonObject::add_raw(std::string_view name, std::string_view json) {
  this->name(name);
  text_ += json;
  return *this;
}

std::string JsonObject::finish() {
  text_ += '}';
  return std::move(text_);
}

// --- reading
// ------------------------------------------------------------------------------------------------------

JsonMembers::JsonMembers(std::string_view object) : rest_(object) {
  skip_space();
  intact_ = rest_.starts_with('{');
  if (intact_) rest_.remove_prefix(1);
}

void JsonMembers::skip_space() {
  const std::size_t start = rest_.find_first_not_of(" \t\r\n");
  rest_.remove_prefix(start == std::string_view::npos ? rest_.size() : start);
}

std::optional<JsonMembers::Member> JsonMembers::next() {
  if (!intact_) return std::nullopt;
  skip_space();
  if (rest_.starts_with('}')) return std::nullopt;
  intact_ = first_ || rest_.starts_with(',');
  if (!first_ && intact_) rest_.remove_prefix(1);
  first_ = false;
  skip_space();
  const auto name = take_string();
  skip_space();
  intact_ = intact_ && name && rest_.starts_with(':');
  if (!intact_) return std::nullopt;
  rest_.remove_prefix(1);
  skip_space();
  const auto value = take_value();
  intact_ = value.has_value();
  if (!intact_) return std::nullopt;
  return Member{name->substr(1, name->size() - 2), *value};
}

std::optional<std::string_view> JsonMembers::take_string() {
  if (!rest_.starts_with('"')) return std::nullopt;
  const std::size_t end = end_of_string(rest_, 0);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view taken = rest_.substr(0, end);
  rest_.remove_prefix(end);
  return taken;
}

std::optional<std::string_view> JsonMembers::take_value() {
  if (rest_.starts_with('"')) return take_string();
  if (!rest_.starts_with('{') && !rest_.starts_with('[')) return take_scalar();
  std::size_t depth = 0;
  std::size_t at = 0;
  do {
    if (at >= rest_.size()) return std::nullopt;
    const char c = rest_[at];
    if (c == '"') {
      at = end_of_string(rest_, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++at;
  } while (depth > 0);
  const std::string_view taken = rest_.substr(0, at);
  rest_.remove_prefix(at);
  return taken;
}

std::optional<std::string_view> JsonMembers::take_scalar() {
  const std::string_view scalar = rest_.substr(0, rest_.find_first_of(",}] \t\r\n"));
  if (scalar.empty()) return std::nullopt;
  rest_.remove_prefix(scalar.size());
  return scalar;
}

Result<std::string> read_json_string(std::string_view json) {
  const auto malformed = [] { return fail("invalid_json", "not a JSON string"); };
  if (json.size() < 2 || !json.starts_with('"') || !json.ends_with('"')) return malformed();
  std::string_view rest = json.substr(1, json.size() - 2);
  std::string text;
  text.reserve(rest.size());
  while (!rest.empty()) {
    const std::size_t plain_bytes = end_of_plain(rest, 0);
    text.append(rest, 0, plain_bytes);
    rest.remove_prefix(plain_bytes);
    if (rest.empty()) break;
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') return malformed();
    if (c != '\\') {
      text += c;
      continue;
    }
    if (rest.empty()) return malformed();
    const char escape = rest.front();
    rest.remove_prefix(1);
    std::uint32_t code = 0;
    if (escape == 'u') {
      if (!take_escaped_code_point(rest, code)) return malformed();
      append_utf8(text, code);
    } else if (const char plain = unescaped(escape)) {
      text += plain;
    } else {
      return malformed();
    }
  }
  return text;
}

}  // namespace ganglion
