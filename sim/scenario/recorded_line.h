#pragma once

// One line of a recording, taken apart: its members by name, as they stand there.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/payload.h"
#include "base/result.h"
#include "base/time.h"

namespace ganglion::scenario {

// The members of an object. Views into the text that it was made from.
class RecordedObject {
 public:
  // Error code `invalid_json`: not an object.
  static Result<RecordedObject> parse(std::string_view json);
  // Of text that is known to be JSON; without members where it is no object.
  static RecordedObject of_valid(std::string_view json);

  // Empty where there is none, or null.
  std::string_view raw(std::string_view name) const;
  bool has(std::string_view name) const { return !raw(name).empty(); }
  Payload payload(std::string_view name) const;
  // Nothing where the member is of another kind.
  std::optional<std::string> text(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;
  std::optional<Timestamp> time(std::string_view name) const;
  RecordedObject object(std::string_view name) const { return of_valid(raw(name)); }
  // Those of its members that are texts.
  std::map<std::string, std::string> texts() const;

 private:
  std::map<std::string_view, std::string_view> members_;
};

// Equal for values that are written differently but for space and escapes.
std::string normal_json(std::string_view json);

}  // namespace ganglion::scenario
