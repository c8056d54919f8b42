#include "core/schema/uri.h"

#include <cctype>
#include <charconv>
#include <vector>

namespace ganglion::schema {
namespace {

struct Parts {
  std::string_view scheme;     // without ':'
  std::string_view authority;  // with "//"; empty where there is none
  std::string_view path;
  std::string_view query;  // with '?'
};

Parts split(std::string_view text) {
  Parts parts;
  const std::size_t colon = text.find_first_of(":/?");
  if (colon != std::string_view::npos && text[colon] == ':') {
    parts.scheme = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (text.starts_with("//")) {
    parts.authority = text.substr(0, text.find_first_of("/?", 2));
    text.remove_prefix(parts.authority.size());
  }
  parts.path = text.substr(0, text.find('?'));
  parts.query = text.substr(parts.path.size());
  return parts;
}

// RFC 3986, section 5.2.4.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  const bool absolute = path.starts_with('/');
  if (absolute) path.remove_prefix(1);
  bool ends_in_directory = false;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    ends_in_directory = segment == "." || segment == "..";
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (segment != ".") {
      kept.push_back(segment);
    }
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  std::string out = absolute ? "/" : "";
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i > 0) out += '/';
    out += kept[i];
  }
  if (ends_in_directory && !kept.empty()) out += '/';
  return out;
}

std::string resolve_location(std::string_view base_text, std::string_view reference_text) {
  if (reference_text.empty()) return std::string(base_text);
  const Parts base = split(base_text);
  const Parts reference = split(reference_text);
  if (!reference.scheme.empty()) return std::string(reference_text);
  std::string out;
  if (!base.scheme.empty()) out.append(base.scheme).append(":");
  if (!reference.authority.empty()) return out.append(reference_text);
  out += base.authority;
  if (reference.path.empty()) return out.append(base.path).append(reference.query);
  std::string path(reference.path);
  if (!path.starts_with('/')) {
    const std::size_t directory = base.path.rfind('/');
    if (directory != std::string_view::npos) {
      path.insert(0, base.path.substr(0, directory + 1));
    } else if (!base.authority.empty()) {
      path.insert(0, "/");
    }
  }
  return out.append(without_dot_segments(path)).append(reference.query);
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc() || digits.size() != 2 || end != digits.data() + 2) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

}  // namespace

std::optional<Uri> resolve_uri(std::string_view base, std::string_view reference) {
  const std::size_t hash = reference.find('#');
  const std::string_view fragment =
      hash == std::string_view::npos ? std::string_view() : reference.substr(hash + 1);
  auto decoded = percent_decoded(fragment);
  if (!decoded) return std::nullopt;
  return Uri{resolve_location(base.substr(0, base.find('#')), reference.substr(0, hash)),
             std::move(*decoded)};
}

}  // namespace ganglion::schema
