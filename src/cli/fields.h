#pragma once

// An object of an API answer, read by the names of its members. Its text is known to be valid JSON, and is
// only looked into, never copied: it must outlive what is read here.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ganglion::cli {

class Fields {
 public:
  // What is no object has no members.
  explicit Fields(std::string_view object);

  bool empty() const { return members_.empty(); }
  // Whether the member is there and not null.
  bool has(std::string_view name) const { return raw(name) != "null"; }

  // The member's bytes as they came; `null` where there is none.
  std::string_view raw(std::string_view name) const;
  // A string's text, another value's JSON, nothing for null.
  std::string text(std::string_view name) const;
  // Only of a string.
  std::optional<std::string> string(std::string_view name) const;
  // 0 for what is no number.
  double number(std::string_view name) const;
  bool is_true(std::string_view name) const { return raw(name) == "true"; }
  Fields object(std::string_view name) const { return Fields(raw(name)); }
  // The elements of a list, each with its bytes.
  std::vector<std::string_view> list(std::string_view name) const;
  // The same as texts, with `between`.
  std::string joined(std::string_view name, std::string_view between = ", ") const;
  // Where in a run something is that has a `step` and perhaps an `item`: `review`, or `review[3]`.
  std::string place() const;

 private:
  std::map<std::string_view, std::string_view> members_;
};

}  // namespace ganglion::cli
