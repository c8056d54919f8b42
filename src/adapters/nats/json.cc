#include "adapters/nats/json.h"

#include "base/url_parts.h"

namespace ganglion::nats {

std::string_view member(std::string_view object, std::string_view name) {
  JsonMembers members(object);
  while (const auto found = members.next()) {
    if (found->name == name) return found->value;
  }
  return {};
}

std::string text_member(std::string_view object, std::string_view name) {
  const std::string_view json = member(object, name);
  return json.empty() ? std::string() : read_json_string(json).value_or("");
}

std::uint64_t number_member(std::string_view object, std::string_view name) {
  return parse_number<std::uint64_t>(member(object, name)).value_or(0);
}

std::optional<ApiError> api_error(std::string_view answer) {
  const std::string_view error = member(answer, "error");
  if (error.empty()) return std::nullopt;
  return ApiError{.code = static_cast<int>(number_member(error, "code")),
                  .number = static_cast<int>(number_member(error, "err_code")),
                  .description = text_member(error, "description")};
}

}  // namespace ganglion::nats
