#include "ingress/http/target.h"

#include <algorithm>

#include "ingress/http/utf8.h"

namespace ganglion::http {
namespace {

constexpr std::size_t kMaxParameters = 64;

enum class Plus { literal, space };

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

Result<std::string> decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+' && plus == Plus::space) {
      out += ' ';
    } else if (text[at] != '%') {
      out += text[at];
    } else {
      const auto high = at + 1 < text.size() ? hex_digit(text[at + 1]) : std::nullopt;
      const auto low = at + 2 < text.size() ? hex_digit(text[at + 2]) : std::nullopt;
      if (!high || !low)
        return fail("malformed_request", "a % in the target is not followed by two hex digits");
      out += static_cast<char>(*high * 16 + *low);
      at += 2;
    }
  }
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  if (std::ranges::any_of(out, is_control))
    return fail("malformed_request", "the target has a control character");
  if (!is_utf8(out)) return fail("malformed_request", "the target is not UTF-8");
  return out;
}

// Calls `part(piece)` for each piece between separators; stops at the first error.
template <typename Part>
Result<void> split(std::string_view text, char separator, Part part) {
  while (true) {
    const std::size_t end = text.find(separator);
    if (auto done = part(text.substr(0, end)); !done) return done;
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<std::string_view> Target::parameter(std::string_view name) const {
  const auto found =
      std::ranges::find(query, name, [](const auto& entry) { return std::string_view(entry.first); });
  if (found == query.end()) return std::nullopt;
  return found->second;
}

Result<Target> parse_target(std::string_view target) {
  if (const std::size_t scheme = target.find("://");
      !target.starts_with('/') && scheme != std::string_view::npos) {
    target.remove_prefix(scheme + 3);
    const std::size_t path = target.find_first_of("/?");
    target = path == std::string_view::npos || target[path] == '?' ? "/" : target.substr(path);
  }
  if (!target.starts_with('/')) return fail("malformed_request", "the target must start with /");
  target = target.substr(0, target.find('#'));
  const std::size_t question = target.find('?');
  const std::string_view path =
      target.substr(1, question == std::string_view::npos ? question : question - 1);

  Target parsed;
  auto done = split(path, '/', [&](std::string_view piece) -> Result<void> {
    auto segment = decode(piece, Plus::literal);
    if (!segment) return std::unexpected(segment.error());
    parsed.segments.push_back(*std::move(segment));
    return {};
  });
  if (!done) return std::unexpected(done.error());
  if (question == std::string_view::npos) return parsed;

  done = split(target.substr(question + 1), '&', [&](std::string_view piece) -> Result<void> {
    if (piece.empty()) return {};
    if (parsed.query.size() == kMaxParameters)
      return fail("malformed_request", "the query has too many parameters");
    const std::size_t equals = piece.find('=');
    auto name = decode(piece.substr(0, equals), Plus::space);
    if (!name) return std::unexpected(name.error());
    auto value = decode(equals == std::string_view::npos ? "" : piece.substr(equals + 1), Plus::space);
    if (!value) return std::unexpected(value.error());
    parsed.query.emplace_back(*std::move(name), *std::move(value));
    return {};
  });
  if (!done) return std::unexpected(done.error());
  return parsed;
}

}  // namespace ganglion::http
