#include "ingress/record_json.h"

namespace ganglion::ingress {

RecordData::RecordData(const Record& record) {
  JsonMembers members(record.data);
  while (const auto member = members.next()) members_.emplace(member->name, member->value);
}

std::string_view RecordData::member(std::string_view name) const {
  const auto found = members_.find(name);
  return found == members_.end() ? std::string_view("null") : found->second;
}

std::string RecordData::text(std::string_view name) const {
  const std::string_view value = member(name);
  if (!value.starts_with('"')) return {};
  return read_json_string(value).value_or("");
}

void add_members(JsonObject& object, const RecordData& data, std::span<const std::string_view> names) {
  for (const std::string_view name : names) object.add_raw(name, data.member(name));
}

}  // namespace ganglion::ingress
