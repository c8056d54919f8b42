#include "cli/fields.h"

#include <charconv>

#include "base/json_text.h"
#include "cli/json_list.h"

namespace ganglion::cli {
namespace {

std::string text_of(std::string_view json) {
  if (json == "null") return "";
  return read_json_string(json).value_or(std::string(json));
}

}  // namespace

Fields::Fields(std::string_view object) {
  JsonMembers reader(object);
  while (const auto member = reader.next()) members_.emplace(member->name, member->value);
}

std::string_view Fields::raw(std::string_view name) const {
  const auto found = members_.find(name);
  return found == members_.end() ? "null" : found->second;
}

std::string Fields::text(std::string_view name) const {
  return text_of(raw(name));
}

std::optional<std::string> Fields::string(std::string_view name) const {
  auto text = read_json_string(raw(name));
  if (!text) return std::nullopt;
  return *std::move(text);
}

double Fields::number(std::string_view name) const {
  const std::string_view text = raw(name);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

std::vector<std::string_view> Fields::list(std::string_view name) const {
  return elements_of(raw(name));
}

std::string Fields::joined(std::string_view name, std::string_view between) const {
  std::string all;
  for (const std::string_view element : list(name)) {
    all += (all.empty() ? "" : std::string(between)) + text_of(element);
  }
  return all;
}

std::string Fields::place() const {
  return text("step") + (has("item") ? "[" + text("item") + "]" : "");
}

}  // namespace ganglion::cli
