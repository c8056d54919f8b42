#include "ingress/query.h"

#include <charconv>

#include "ingress/problems.h"

namespace ganglion::ingress {

http::Target query_of(std::string_view target) {
  return http::parse_target(target).value_or(http::Target{});
}

std::expected<std::uint64_t, http::Problem> sequence_of(std::string_view text, const char* name) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  if (text.empty() || failed != std::errc() || end != text.data() + text.size() || value > kMost) {
    return std::unexpected(invalid_parameter(name, "must be a whole number, not negative"));
  }
  return value;
}

std::expected<std::uint32_t, http::Problem> limit_of(const http::Target& target) {
  const auto text = target.parameter("limit");
  if (!text) return kDefaultLimit;
  const auto value = sequence_of(*text, "limit");
  if (!value || *value < 1 || *value > kMaxLimit) {
    return std::unexpected(invalid_parameter("limit", "must be from 1 to " + std::to_string(kMaxLimit)));
  }
  return static_cast<std::uint32_t>(*value);
}

std::expected<std::optional<Duration>, http::Problem> wait_of(const http::Target& target, Duration longest) {
  const auto text = target.parameter("wait");
  if (!text) return std::nullopt;
  const auto wait = parse_duration(*text);
  if (!wait || *wait > longest) {
    return std::unexpected(
        invalid_parameter("wait", "must be a duration such as 30s, at most " + format_duration(longest)));
  }
  return *wait;
}

}  // namespace ganglion::ingress
