#include "sim/scenario/recorded_line.h"

#include <boost/json.hpp>
#include <charconv>

#include "base/json_text.h"

namespace ganglion::scenario {
namespace {

constexpr std::size_t kMaxDepth = 160;  // of a payload and what a journal puts around it

std::optional<boost::json::value> parsed(std::string_view json) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  auto value = boost::json::parse(json, error, {}, options);
  if (error) return std::nullopt;
  return value;
}

}  // namespace

Result<RecordedObject> RecordedObject::parse(std::string_view json) {
  const auto value = parsed(json);
  if (!value || !value->is_object()) return fail("invalid_json", "not a JSON object");
  return of_valid(json);
}

RecordedObject RecordedObject::of_valid(std::string_view json) {
  RecordedObject object;
  JsonMembers members(json);
  while (const auto member = members.next()) object.members_.insert_or_assign(member->name, member->value);
  return object;
}

std::string_view RecordedObject::raw(std::string_view name) const {
  const auto member = members_.find(name);
  return member == members_.end() || member->second == "null" ? std::string_view() : member->second;
}

Payload RecordedObject::payload(std::string_view name) const {
  const std::string_view json = raw(name);
  return json.empty() ? Payload() : Payload(std::string(json));
}

std::optional<std::string> RecordedObject::text(std::string_view name) const {
  auto text = read_json_string(raw(name));
  return text ? std::optional(*std::move(text)) : std::nullopt;
}

std::optional<std::int64_t> RecordedObject::integer(std::string_view name) const {
  const std::string_view json = raw(name);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), value);
  if (error != std::errc() || end != json.data() + json.size()) return std::nullopt;
  return value;
}

std::optional<Timestamp> RecordedObject::time(std::string_view name) const {
  const auto written = text(name);
  const auto time = written ? parse_rfc3339(*written) : fail("missing", "");
  return time ? std::optional(*time) : std::nullopt;
}

std::map<std::string, std::string> RecordedObject::texts() const {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : members_) {
    auto text = read_json_string(value);
    auto key = read_json_string('"' + std::string(name) + '"');
    if (text && key) texts.emplace(*std::move(key), *std::move(text));
  }
  return texts;
}

std::string normal_json(std::string_view json) {
  const auto value = parsed(json);
  return value ? boost::json::serialize(*value) : std::string(json);
}

}  // namespace ganglion::scenario
