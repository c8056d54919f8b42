#pragma once

// Pieces of which URLs of servers are made; each adapter has its own forms of them.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace ganglion {

// Takes what stands before the separator, or all of it.
std::string_view take_until(std::string_view& text, char separator);

// Nothing where a % isn't followed by two hexadecimal digits.
std::optional<std::string> decode_percent(std::string_view text);

struct HostPort {
  std::string host;  // a name, or an address without brackets
  std::uint16_t port = 0;

  std::string text() const { return host + ":" + std::to_string(port); }
  bool operator==(const HostPort&) const = default;
};
// HOST[:PORT], where the host may be an IPv6 address in brackets. The error ends a sentence on the URL.
std::expected<HostPort, std::string_view> parse_host_port(std::string_view text, std::uint16_t default_port);

inline constexpr std::size_t kMaxUrlPrefix = 64;  // bytes: names made with it are names to every broker

// `prefix=…`, by which installations share a broker: letters, digits, '_' and '-'; empty for an empty query.
// The error ends a sentence on the URL.
std::expected<std::string, std::string_view> parse_prefix_query(std::string_view query);

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace ganglion
