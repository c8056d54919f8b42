#include "core/expr/json_scan.h"

#include <algorithm>
#include <bitset>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/expr/utf8.h"

namespace ganglion::expr {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::optional<std::uint32_t> read_hex4(std::string_view text, std::size_t at) {
  if (text.size() < at + 4) return std::nullopt;
  std::uint32_t value = 0;
  const char* begin = text.data() + at;
  auto [end, error] = std::from_chars(begin, begin + 4, value, 16);
  if (error != std::errc{} || end != begin + 4) return std::nullopt;
  return value;
}

std::optional<std::size_t> skip_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size();) {
    char c = text[at];
    if (c == '"') return at + 1;
    if (static_cast<unsigned char>(c) < 0x20) return std::nullopt;
    if (c != '\\') {
      ++at;
      continue;
    }
    if (at + 1 >= text.size()) return std::nullopt;
    char escape = text[at + 1];
    if (escape == 'u') {
      if (!read_hex4(text, at + 2)) return std::nullopt;
      at += 6;
    } else {
      if (std::string_view("\"\\/bfnrt").find(escape) == std::string_view::npos) return std::nullopt;
      at += 2;
    }
  }
  return std::nullopt;
}

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

std::optional<std::size_t> skip_number(std::string_view text, std::size_t at) {
  if (text[at] == '-') ++at;
  if (at >= text.size() || !is_digit(text[at])) return std::nullopt;
  at = text[at] == '0' ? at + 1 : skip_digits(text, at);
  if (at < text.size() && text[at] == '.') {
    std::size_t digits = skip_digits(text, at + 1);
    if (digits == at + 1) return std::nullopt;
    at = digits;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    std::size_t digits = skip_digits(text, at);
    if (digits == at) return std::nullopt;
    at = digits;
  }
  return at;
}

std::optional<std::size_t> skip_scalar(std::string_view text, std::size_t at) {
  for (std::string_view word : {"null", "true", "false"}) {
    if (text.substr(at).starts_with(word)) return at + word.size();
  }
  if (text[at] == '"') return skip_string(text, at);
  if (text[at] == '-' || is_digit(text[at])) return skip_number(text, at);
  return std::nullopt;
}

// `"key" :`, up to the start of the member's value.
std::optional<std::size_t> skip_key(std::string_view text, std::size_t at) {
  if (at >= text.size() || text[at] != '"') return std::nullopt;
  auto end = skip_string(text, at);
  if (!end) return std::nullopt;
  at = skip_json_whitespace(text, *end);
  if (at >= text.size() || text[at] != ':') return std::nullopt;
  return skip_json_whitespace(text, at + 1);
}

// The containers that are open around the current position.
class OpenContainers {
 public:
  bool push(bool object) {
    if (depth_ == kMaxJsonDepth) return false;
    objects_[depth_++] = object;
    return true;
  }
  void pop() { --depth_; }
  bool empty() const { return depth_ == 0; }
  bool top_is_object() const { return objects_[depth_ - 1]; }

 private:
  std::bitset<kMaxJsonDepth> objects_;
  std::size_t depth_ = 0;
};

// After a value: closes what closes, and gives the start of the next value, or the end of the outermost one.
struct AfterValue {
  std::size_t at;
  bool complete;
};

std::optional<AfterValue> close_containers(std::string_view text, std::size_t at, OpenContainers& open) {
  while (!open.empty()) {
    at = skip_json_whitespace(text, at);
    if (at >= text.size()) return std::nullopt;
    if (text[at] == (open.top_is_object() ? '}' : ']')) {
      open.pop();
      ++at;
      continue;
    }
    if (text[at] != ',') return std::nullopt;
    at = skip_json_whitespace(text, at + 1);
    if (open.top_is_object()) {
      auto value = skip_key(text, at);
      if (!value) return std::nullopt;
      at = *value;
    }
    return AfterValue{at, false};
  }
  return AfterValue{at, true};
}

}  // namespace

std::size_t skip_json_whitespace(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\n' || text[at] == '\t' || text[at] == '\r'))
    ++at;
  return at;
}

std::optional<std::size_t> skip_json_value(std::string_view text, std::size_t at) {
  OpenContainers open;
  while (at < text.size()) {
    char c = text[at];
    if (c == '{' || c == '[') {
      bool object = c == '{';
      if (!open.push(object)) return std::nullopt;
      at = skip_json_whitespace(text, at + 1);
      bool empty = at < text.size() && text[at] == (object ? '}' : ']');
      if (!empty) {
        if (object) {
          auto value = skip_key(text, at);
          if (!value) return std::nullopt;
          at = *value;
        }
        continue;
      }
    } else {
      auto end = skip_scalar(text, at);
      if (!end) return std::nullopt;
      at = *end;
    }
    auto after = close_containers(text, at, open);
    if (!after) return std::nullopt;
    at = after->at;
    if (after->complete) return at;
  }
  return std::nullopt;
}

bool is_json(std::string_view text) {
  if (find_invalid_utf8(text)) return false;
  auto end = skip_json_value(text, skip_json_whitespace(text, 0));
  return end && skip_json_whitespace(text, *end) == text.size();
}

namespace {

// One escape sequence at `at` (its backslash); gives the position after it.
std::optional<std::size_t> read_escape(std::string_view text, std::size_t at, std::string& out) {
  if (at + 1 >= text.size()) return std::nullopt;
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
  if (auto index = kNames.find(text[at + 1]); index != std::string_view::npos) {
    out.push_back(kValues[index]);
    return at + 2;
  }
  if (text[at + 1] != 'u') return std::nullopt;
  auto unit = read_hex4(text, at + 2);
  if (!unit) return std::nullopt;
  at += 6;
  if (*unit >= 0xD800 && *unit <= 0xDBFF && text.substr(at).starts_with("\\u")) {
    auto low = read_hex4(text, at + 2);
    if (low && *low >= 0xDC00 && *low <= 0xDFFF) {
      append_code_point(out, 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00));
      return at + 6;
    }
  }
  append_code_point(out, is_scalar_value(*unit) ? *unit : 0xFFFD);
  return at;
}

}  // namespace

std::optional<std::string> decode_json_string(std::string_view token) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return std::nullopt;
  std::string_view text = token.substr(1, token.size() - 2);
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t escape = std::min(text.find('\\', at), text.size());
    out.append(text, at, escape - at);
    at = escape;
    if (at == text.size()) break;
    auto next = read_escape(text, at, out);
    if (!next) return std::nullopt;
    at = *next;
  }
  return out;
}

void append_json_double(std::string& out, double value) {
  char buffer[32];
  char* end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string_view text(buffer, end);
  out.append(text);
  if (text.find_first_of(".e") == std::string_view::npos) out.append(".0");
}

namespace {

// The power of ten of the first digit that is not 0; `text` is a number.
std::int64_t decimal_magnitude(std::string_view text) {
  std::size_t exponent_mark = std::min(text.find_first_of("eE"), text.size());
  std::string_view digits = text.substr(0, exponent_mark);
  std::size_t point = std::min(digits.find('.'), digits.size());
  std::size_t first = std::min(digits.find_first_of("123456789"), digits.size());
  auto magnitude =
      static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first) - (first < point ? 1 : 0);
  std::int64_t exponent = 0;
  if (exponent_mark < text.size()) {
    std::string_view written = text.substr(exponent_mark + 1);
    if (written.starts_with('+')) written.remove_prefix(1);
    auto error = std::from_chars(written.data(), written.data() + written.size(), exponent).ec;
    constexpr std::int64_t kBeyondAnyText = std::int64_t{1} << 60;
    if (error != std::errc{}) exponent = written.starts_with('-') ? -kBeyondAnyText : kBeyondAnyText;
  }
  return magnitude + exponent;
}

}  // namespace

std::optional<double> read_double(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  if (error == std::errc{}) return value;
  // Out of range: `value` is untouched and does not say in which direction.
  double magnitude = decimal_magnitude(text) < 0 ? 0.0 : std::numeric_limits<double>::infinity();
  return text.starts_with('-') ? -magnitude : magnitude;
}

}  // namespace ganglion::expr
