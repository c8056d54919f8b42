#include "base/url_parts.h"

namespace ganglion {

std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view taken = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return taken;
}

std::optional<std::string> decode_percent(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    unsigned char byte = 0;
    const std::string_view digits = text.substr(at + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2) return std::nullopt;
    decoded += static_cast<char>(byte);
    at += 2;
  }
  return decoded;
}

std::expected<HostPort, std::string_view> parse_host_port(std::string_view text, std::uint16_t default_port) {
  HostPort parsed{.host = {}, .port = default_port};
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    text.remove_prefix(1);
    parsed.host = take_until(text, ']');
    has_port = text.starts_with(':');
    if (has_port) port = text.substr(1);
  } else {
    has_port = text.contains(':');
    parsed.host = take_until(text, ':');
    port = text;
  }
  if (parsed.host.empty()) return std::unexpected("names no host");
  if (!has_port) return parsed;
  const auto number = parse_number<std::uint16_t>(port);
  if (!number || *number == 0) return std::unexpected("has a port that is no number from 1 to 65535");
  parsed.port = *number;
  return parsed;
}

std::expected<std::string, std::string_view> parse_prefix_query(std::string_view query) {
  std::string_view prefix;
  while (!query.empty()) {
    prefix = take_until(query, '&');
    if (take_until(prefix, '=') != "prefix") return std::unexpected("has a parameter other than `prefix`");
    const bool plain =
        prefix.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
        std::string_view::npos;
    if (prefix.empty() || prefix.size() > kMaxUrlPrefix || !plain)
      return std::unexpected("has a prefix that is not of 1 to 64 letters, digits, '_' or '-'");
  }
  return std::string(prefix);
}

}  // namespace ganglion
