#include "ingress/http/json_check.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/plain_text.h"
#include "ingress/http/utf8.h"

namespace ganglion::http {
namespace {

// Objects with more names than this are checked with a hash set.
constexpr std::size_t kFewNames = 16;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

class Checker {
 public:
  Checker(std::string_view text, const JsonLimits& limits) : text_(text), limits_(limits) {}

  Result<void> run() {
    skip_space();
    if (!value()) return std::unexpected(error_);
    while (!open_.empty()) {
      if (!(open_.back().is_object ? object_step() : array_step())) return std::unexpected(error_);
    }
    skip_space();
    if (at_ != text_.size()) broken("there is something after the value");
    if (!error_.code.empty()) return std::unexpected(error_);
    return {};
  }

 private:
  struct Container {
    bool is_object = false;
    bool empty = true;
    std::vector<std::string> names = {};
    std::unordered_set<std::string> many_names = {};
  };

  bool broken(const char* what, const char* code = "malformed_json") {
    error_ = {code, std::string(what) + " (at byte " + std::to_string(at_) + ")"};
    return false;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  // One scalar, or the opening of a container, whose rest the steps read.
  bool value() {
    if (++values_ > limits_.values) return broken("there are too many values", "json_too_large");
    switch (peek()) {
      case '{':
      case '[':
        if (open_.size() == limits_.depth) return broken("the nesting is too deep", "json_too_deep");
        open_.push_back({.is_object = text_[at_] == '{'});
        ++at_;
        return true;
      case '"':
        return string(nullptr);
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        return number();
    }
  }

  bool array_step() {
    skip_space();
    if (take(']')) {
      open_.pop_back();
      return true;
    }
    if (!open_.back().empty) {
      if (!take(',')) return broken("expected , or ]");
      skip_space();
    }
    open_.back().empty = false;
    return value();
  }

  bool object_step() {
    skip_space();
    if (take('}')) {
      open_.pop_back();
      return true;
    }
    if (!open_.back().empty) {
      if (!take(',')) return broken("expected , or }");
      skip_space();
    }
    open_.back().empty = false;
    if (peek() != '"') return broken("expected a name in quotes");
    std::string name;
    if (!string(&name)) return false;
    if (!note_name(std::move(name))) return broken("a name appears twice in one object", "duplicate_key");
    skip_space();
    if (!take(':')) return broken("expected :");
    skip_space();
    return value();
  }

  bool note_name(std::string name) {
    Container& object = open_.back();
    if (object.many_names.empty()) {
      if (std::ranges::find(object.names, name) != object.names.end()) return false;
      object.names.push_back(std::move(name));
      if (object.names.size() <= kFewNames) return true;
      object.many_names.insert(object.names.begin(), object.names.end());
      return true;
    }
    return object.many_names.insert(std::move(name)).second;
  }

  bool literal(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return broken("expected a value");
    at_ += word.size();
    return true;
  }

  bool digits() {
    if (!is_digit(peek())) return false;
    while (is_digit(peek())) ++at_;
    return true;
  }

  bool number() {
    const bool negative = take('-');
    if (peek() == '0') {
      ++at_;
    } else if (!digits()) {
      return broken(negative ? "expected a digit" : "expected a value");
    }
    if (take('.') && !digits()) return broken("expected a digit after the point");
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (!digits()) return broken("expected a digit in the exponent");
    }
    return true;
  }

  // Appends the decoded text to `out`, if there is one.
  bool string(std::string* out) {
    ++at_;
    while (true) {
      const std::size_t plain_to = end_of_plain(text_, at_);
      if (out) out->append(text_, at_, plain_to - at_);
      at_ = plain_to;
      if (at_ >= text_.size()) return broken("a string has no end");
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c == '\\') {
        if (!escape(out)) return false;
        continue;
      }
      if (static_cast<unsigned char>(c) < 0x20)
        return broken("a control character in a string must be escaped");
      const std::size_t length = utf8_sequence(text_, at_);
      if (length == 0) return broken("the text is not UTF-8");
      if (out) out->append(text_, at_, length);
      at_ += length;
    }
  }

  bool escape(std::string* out) {
    static constexpr std::string_view kShort = "\"\\/bfnrt";
    static constexpr std::string_view kMeaning = "\"\\/\b\f\n\r\t";
    ++at_;
    if (const std::size_t which = kShort.find(peek());
        at_ < text_.size() && which != std::string_view::npos) {
      ++at_;
      if (out) *out += kMeaning[which];
      return true;
    }
    if (!take('u')) return broken("an unknown escape");
    unsigned code = 0;
    if (!hex4(code)) return false;
    if (code >= 0xDC00 && code <= 0xDFFF) return broken("an unpaired surrogate");
    if (code >= 0xD800 && code <= 0xDBFF) {
      unsigned low = 0;
      if (!take('\\') || !take('u')) return broken("an unpaired surrogate");
      if (!hex4(low)) return false;
      if (low < 0xDC00 || low > 0xDFFF) return broken("an unpaired surrogate");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    if (out) append_utf8(*out, code);
    return true;
  }

  bool hex4(unsigned& code) {
    for (int i = 0; i < 4; ++i) {
      const int digit = hex_value(peek());
      if (digit < 0) return broken("expected four hex digits");
      code = code * 16 + static_cast<unsigned>(digit);
      ++at_;
    }
    return true;
  }

  const std::string_view text_;
  const JsonLimits limits_;
  std::size_t at_ = 0;
  std::size_t values_ = 0;
  std::vector<Container> open_;
  Error error_;
};

}  // namespace

Result<void> check_json(std::string_view text, const JsonLimits& limits) {
  return Checker(text, limits).run();
}

}  // namespace ganglion::http
