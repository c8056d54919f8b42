#include "cli/json_list.h"

#include <cstddef>

namespace ganglion::cli {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t start = text.find_first_not_of(kBlank);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kBlank) - start + 1);
}

}  // namespace

std::vector<std::string_view> elements_of(std::string_view json) {
  std::vector<std::string_view> elements;
  json = trimmed(json);
  if (!json.starts_with('[') || !json.ends_with(']') || json.size() < 2) return elements;
  json = json.substr(1, json.size() - 2);
  if (trimmed(json).empty()) return elements;
  std::size_t depth = 0, start = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      elements.push_back(trimmed(json.substr(start, i - start)));
      start = i + 1;
    }
  }
  elements.push_back(trimmed(json.substr(start)));
  return elements;
}

std::string list_text(const std::vector<std::string_view>& elements) {
  std::string list = "[";
  for (const std::string_view element : elements) {
    if (list.size() > 1) list += ",\n ";
    list += element;
  }
  return list + "]\n";
}

}  // namespace ganglion::cli
