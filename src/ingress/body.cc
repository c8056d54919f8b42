#include "ingress/body.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/json_text.h"
#include "base/plain_text.h"
#include "ingress/http/json_check.h"

namespace ganglion::ingress {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

// The elements of an array that is known to be valid.
std::vector<std::string_view> elements_of(std::string_view array) {
  std::vector<std::string_view> elements;
  const std::string_view inner = trim(array.substr(1, array.size() - 2));
  if (inner.empty()) return elements;
  std::size_t depth = 0;
  std::size_t start = 0;
  for (std::size_t at = 0; at < inner.size(); ++at) {
    const char c = inner[at];
    if (c == '"') at = end_of_string(inner, at) - 1;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (c == ',' && depth == 0) {
      elements.push_back(trim(inner.substr(start, at - start)));
      start = at + 1;
    }
  }
  elements.push_back(trim(inner.substr(start)));
  return elements;
}

}  // namespace

bool has_media_type(const http::Request& request, std::initializer_list<std::string_view> types) {
  const std::string_view given = request.header("content-type").value_or("");
  const std::string_view type = trim(given.substr(0, given.find(';')));
  return std::ranges::any_of(types,
                             [&](std::string_view known) { return http::equal_ignoring_case(known, type); });
}

std::expected<std::string_view, http::Problem> json_body(const http::Request& request, EmptyBody empty) {
  if (request.body.empty() && empty == EmptyBody::allowed) return "{}";
  if (!has_media_type(request, {"application/json"})) {
    return std::unexpected(http::Problem{.status = 415,
                                         .code = "unsupported_media_type",
                                         .detail = "send the body with Content-Type: application/json"});
  }
  if (auto checked = http::check_json(request.body); !checked) {
    return std::unexpected(http::Problem{
        .status = 400, .code = checked.error().code, .detail = "the body: " + checked.error().message});
  }
  return trim(request.body);
}

std::string pointer_to(const std::string& path, std::string_view member) {
  std::string pointer = path + "/";
  for (const char c : member) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

ObjectReader::ObjectReader(std::string_view json, std::string path, std::vector<http::FieldError>& errors)
    : path_(std::move(path)), errors_(errors) {
  if (!json.starts_with('{')) {
    errors_.push_back({path_, "must be an object"});
    return;
  }
  JsonMembers members(json);
  while (const auto member = members.next()) {
    auto name = read_json_string("\"" + std::string(member->name) + "\"");
    if (name) members_.push_back({*std::move(name), member->value});
  }
}

ObjectReader::Member* ObjectReader::find(std::string_view name) {
  const auto found = std::ranges::find(members_, name, &Member::name);
  if (found == members_.end()) return nullptr;
  found->taken = true;
  return &*found;
}

void ObjectReader::error(std::string_view name, std::string message) {
  if (errors_.size() >= kMaxErrors) return;
  errors_.push_back({pointer_to(path_, name), std::move(message)});
}

std::optional<std::string_view> ObjectReader::present(std::string_view name, Need need) {
  const Member* member = find(name);
  if (member != nullptr && member->value != "null") return member->value;
  if (need == Need::required) error(name, "is required");
  return std::nullopt;
}

std::optional<std::string> ObjectReader::text(std::string_view name, Need need, std::size_t longest) {
  const auto value = present(name, need);
  if (!value) return std::nullopt;
  auto text = value->starts_with('"') ? read_json_string(*value) : fail("", "");
  if (!text) {
    error(name, "must be a string");
    return std::nullopt;
  }
  if (text->empty() || text->size() > longest) {
    error(name, "must have 1 to " + std::to_string(longest) + " bytes");
    return std::nullopt;
  }
  return *std::move(text);
}

std::optional<std::int64_t> ObjectReader::integer(std::string_view name, std::int64_t low,
                                                  std::int64_t high) {
  const auto value = present(name, Need::optional);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (failed != std::errc() || end != value->data() + value->size() || number < low || number > high) {
    error(name, "must be an integer from " + std::to_string(low) + " to " + std::to_string(high));
    return std::nullopt;
  }
  return number;
}

std::optional<double> ObjectReader::number(std::string_view name) {
  const auto value = present(name, Need::optional);
  if (!value) return std::nullopt;
  double number = 0;
  const auto [end, failed] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (failed != std::errc() || end != value->data() + value->size()) {
    error(name, "must be a number");
    return std::nullopt;
  }
  return number;
}

std::optional<bool> ObjectReader::boolean(std::string_view name) {
  const auto value = present(name, Need::optional);
  if (!value) return std::nullopt;
  if (*value == "true") return true;
  if (*value != "false") error(name, "must be true or false");
  return false;
}

std::optional<Duration> ObjectReader::duration(std::string_view name, Duration longest) {
  if (!present(name, Need::optional)) return std::nullopt;
  const auto text = this->text(name, Need::optional, 64);
  if (!text) return std::nullopt;
  const auto duration = parse_duration(*text);
  if (!duration || *duration > longest) {
    error(name, "must be a duration such as 30s, at most " + format_duration(longest));
    return std::nullopt;
  }
  return *duration;
}

std::optional<std::string_view> ObjectReader::raw(std::string_view name) {
  const Member* member = find(name);
  if (member == nullptr) return std::nullopt;
  return member->value;
}

std::optional<std::string_view> ObjectReader::object(std::string_view name, Need need) {
  const auto value = present(name, need);
  if (!value) return std::nullopt;
  if (value->starts_with('{')) return value;
  error(name, "must be an object");
  return std::nullopt;
}

std::optional<std::vector<std::string_view>> ObjectReader::array(std::string_view name, Need need,
                                                                 std::size_t most) {
  const auto value = present(name, need);
  if (!value) return std::nullopt;
  if (!value->starts_with('[')) {
    error(name, "must be an array");
    return std::nullopt;
  }
  auto elements = elements_of(*value);
  if (elements.size() > most) {
    error(name, "must have at most " + std::to_string(most) + " elements");
    return std::nullopt;
  }
  return elements;
}

void ObjectReader::finish() {
  for (const Member& member : members_) {
    if (!member.taken) error(member.name, "is not known here");
  }
}

}  // namespace ganglion::ingress
