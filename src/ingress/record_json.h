#pragma once

// Records of the store (approvals, dead letters) as the API shows them: with exactly the members of the
// reference, null where the record has none.

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/json_text.h"
#include "ports/store.h"

namespace ganglion::ingress {

// The members of a record's data, as JSON values; the views are into the record.
class RecordData {
 public:
  explicit RecordData(const Record& record);

  // null for one that isn't there.
  std::string_view member(std::string_view name) const;
  // The text of a string, empty for anything else.
  std::string text(std::string_view name) const;

 private:
  std::map<std::string_view, std::string_view> members_;
};

// Adds these members, in this order.
void add_members(JsonObject& object, const RecordData& data, std::span<const std::string_view> names);

}  // namespace ganglion::ingress
