#include "project/secrets.h"

#include <algorithm>
#include <cctype>

namespace ganglion::project {
namespace {

constexpr std::string_view kOpen = "${{";
constexpr std::string_view kClose = "}}";
constexpr std::string_view kSecrets = "secrets.";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool is_secret(std::string_view inside) {
  inside = trimmed(inside);
  if (!inside.starts_with(kSecrets)) return false;
  const std::string_view name = inside.substr(kSecrets.size());
  const auto fits = [](unsigned char c) { return c < 0x80 && (std::isalnum(c) != 0 || c == '_'); };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::ranges::all_of(name, fits);
}

void check_secrets(const Field& field, Diagnostics& diagnostics) {
  const std::string_view text = field.value->text;
  for (std::size_t at = 0; (at = text.find(kOpen, at)) != std::string_view::npos;) {
    const std::size_t inside = at + kOpen.size();
    const std::size_t end = text.find(kClose, inside);
    if (end == std::string_view::npos || !is_secret(text.substr(inside, end - inside))) {
      diagnostics.add_inside(field, at,
                             end == std::string_view::npos ? "\"${{\" has no \"}}\""
                                                           : "only ${{ secrets.NAME }} may stand here");
    }
    at = end == std::string_view::npos ? text.size() : end + kClose.size();
  }
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

bool is_header_name(std::string_view name) {
  const auto fits = [](unsigned char c) {
    return c < 0x80 &&
           (std::isalnum(c) != 0 ||
            std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos);
  };
  return !name.empty() && std::ranges::all_of(name, fits);
}

}  // namespace

std::string read_url(const Field& field, Diagnostics& diagnostics) {
  const auto url = read_text(field, diagnostics);
  if (!url) return "";
  check_secrets(field, diagnostics);
  const std::size_t space = url->find(' ');
  const bool has_secret = url->find(kOpen) != std::string::npos;
  const bool has_scheme = url->starts_with("http://") || url->starts_with("https://");
  if (!has_scheme && !url->starts_with(kOpen)) {
    diagnostics.add(field.position, field.path, "expected a URL that begins with http:// or https://");
  } else if (has_control(*url) || (space != std::string::npos && !has_secret)) {
    diagnostics.add(field.position, field.path, "a URL has no spaces or control characters");
  } else if (*url == "http://" || *url == "https://") {
    diagnostics.add(field.position, field.path, "the URL names no host");
  }
  return *url;
}

std::map<std::string, std::string> read_headers(const Field& field, Diagnostics& diagnostics) {
  std::map<std::string, std::string> headers;
  for (const auto& [name, header] : Fields(field, diagnostics).take_all()) {
    if (!is_header_name(name)) diagnostics.add(header.position, header.path, "no name for an HTTP header");
    const YamlNode& value = *header.value;
    if (!value.is_scalar() || value.kind == YamlKind::null) {
      diagnostics.add(header.position, header.path, "expected text, got " + describe(value));
      continue;
    }
    if (has_control(value.text)) {
      diagnostics.add(header.position, header.path, "a header has no line breaks or control characters");
    }
    check_secrets(header, diagnostics);
    headers.emplace(name, value.text);
  }
  return headers;
}

}  // namespace ganglion::project
