#pragma once

// JSON as text, for what the engine itself writes: journal rows, API answers. Values that are JSON already
// (payloads) are copied as they are, never parsed and printed again, so that a user's bytes come back as they
// went in.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ganglion {

// Appends `text` (UTF-8) as a JSON string with its quotes.
void append_json_string(std::string& out, std::string_view text);

// Writes one object, member by member: `JsonObject().add("seq", 1).add_raw("data", bytes).finish()`.
class JsonObject {
 public:
  JsonObject() {
    text_.reserve(kUsualSize);
    text_ += '{';
  }

  JsonObject& add(std::string_view name, std::string_view text);
  JsonObject& add(std::string_view name, const char* text) { return add(name, std::string_view(text)); }
  JsonObject& add(std::string_view name, std::int64_t number);
  JsonObject& add(std::string_view name, bool value);
  JsonObject& add_number(std::string_view name, double number);
  // `json` is a JSON value.
  JsonObject& add_raw(std::string_view name, std::string_view json);

  // Leaves the writer empty: once only.
  std::string finish();

 private:
  void name(std::string_view name);
  static constexpr std::size_t kUsualSize = 240;  // bytes: most objects need no more than one allocation

  std::string text_;
};

// Reads one object that is known to be valid JSON, member by member, without a copy:
//   JsonMembers members(text);
//   while (auto member = members.next()) …
// Stops at the first byte that doesn't fit; `intact()` then says no.
class JsonMembers {
 public:
  struct Member {
    std::string_view name;  // between its quotes, escapes as written
    std::string_view value;
  };

  explicit JsonMembers(std::string_view object);

  std::optional<Member> next();
  bool intact() const { return intact_; }

 private:
  void skip_space();
  std::optional<std::string_view> take_value();
  std::optional<std::string_view> take_string();
  std::optional<std::string_view> take_scalar();

  std::string_view rest_;
  bool intact_ = true;
  bool first_ = true;
};

// The text of a JSON string with its quotes.
Result<std::string> read_json_string(std::string_view json);

}  // namespace ganglion
