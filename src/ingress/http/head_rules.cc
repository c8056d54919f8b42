#include "ingress/http/head_rules.h"

#include <algorithm>

#include "ingress/http/message.h"

namespace ganglion::http {
namespace {

ReadFault malformed(std::string detail) {
  return {400, "malformed_request", std::move(detail)};
}

bool is_token_char(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_char);
}

bool is_visible(char c) {
  return c > ' ' && c < '\x7f';
}

// Bytes above 127 are opaque (obs-text); control characters but the tab are not allowed.
bool is_field_value_char(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<ReadFault> check_request_line(std::string_view line, const ReaderLimits& limits) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return malformed("the request line must be: method, target, version");
  }
  if (!is_token(line.substr(0, first))) return malformed("the method is not a token");
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.size() > limits.target) {
    return ReadFault{414, "target_too_long",
                     "the request target has more than " + std::to_string(limits.target) + " bytes"};
  }
  if (target.empty() || !std::ranges::all_of(target, is_visible)) {
    return malformed("the request target has a space, a control character or a byte above 127");
  }
  const std::string_view version = line.substr(last + 1);
  const bool well_formed = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' &&
                           version[5] >= '0' && version[5] <= '9' && version[7] >= '0' && version[7] <= '9';
  if (!well_formed) return malformed("the request line must end with a version such as HTTP/1.1");
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return ReadFault{505, "version_not_supported", "this server speaks HTTP/1.1"};
  }
  return std::nullopt;
}

// The fields that decide where the message ends and whom it is for.
struct Framing {
  bool http_1_1 = false;
  int hosts = 0;
  int lengths = 0;
  int codings = 0;
  std::string_view coding;

  std::optional<ReadFault> note(std::string_view name, std::string_view value) {
    if (equal_ignoring_case(name, "host")) {
      ++hosts;
    } else if (equal_ignoring_case(name, "content-length")) {
      ++lengths;
      const bool digits =
          !value.empty() && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
      if (!digits) return malformed("Content-Length must be a decimal number");
      if (value.size() > 18) return ReadFault{413, "too_large", "Content-Length is beyond any limit"};
    } else if (equal_ignoring_case(name, "transfer-encoding")) {
      ++codings;
      coding = value;
    }
    return std::nullopt;
  }

  std::optional<ReadFault> judge() const {
    if (hosts > 1) return malformed("there is more than one Host");
    if (hosts == 0 && http_1_1) return malformed("there is no Host");
    if (lengths > 1) return malformed("there is more than one Content-Length");
    if (codings > 1) return malformed("there is more than one Transfer-Encoding");
    if (lengths > 0 && codings > 0)
      return malformed("Content-Length and Transfer-Encoding exclude each other");
    if (codings > 0 && !http_1_1) return malformed("HTTP/1.0 knows no Transfer-Encoding");
    if (codings > 0 && !equal_ignoring_case(coding, "chunked")) {
      return malformed("the only Transfer-Encoding that is understood is chunked");
    }
    return std::nullopt;
  }
};

std::optional<ReadFault> check_field(std::string_view line, Framing& framing) {
  if (line.front() == ' ' || line.front() == '\t') return malformed("a header line is folded");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return malformed("a header line has no colon");
  const std::string_view name = line.substr(0, colon);
  if (!is_token(name)) return malformed("a header's name is not a token directly before its colon");
  const std::string_view value = trim(line.substr(colon + 1));
  if (!std::ranges::all_of(value, is_field_value_char)) {
    return malformed("the value of " + std::string(name) + " has a control character");
  }
  return framing.note(name, value);
}

}  // namespace

bool has_bare_line_feed(std::string_view bytes, char previous) {
  for (std::size_t at = bytes.find('\n'); at != std::string_view::npos; at = bytes.find('\n', at + 1)) {
    if ((at == 0 ? previous : bytes[at - 1]) != '\r') return true;
  }
  return false;
}

std::optional<ReadFault> check_head(std::string_view head, const ReaderLimits& limits) {
  if (has_bare_line_feed(head, 0)) return malformed("a line ends with LF alone");
  const std::size_t first_end = head.find("\r\n");
  if (first_end == std::string_view::npos || !head.ends_with("\r\n\r\n"))
    return malformed("the head is cut off");
  const std::string_view request_line = head.substr(0, first_end);
  if (auto fault = check_request_line(request_line, limits)) return fault;

  Framing framing;
  framing.http_1_1 = request_line.ends_with("1.1");
  std::size_t fields = 0;
  std::string_view rest = head.substr(first_end + 2);
  while (true) {
    const std::size_t end = rest.find("\r\n");
    const std::string_view line = rest.substr(0, end);
    if (line.empty()) break;
    if (++fields > limits.fields) {
      return ReadFault{431, "headers_too_large",
                       "there are more than " + std::to_string(limits.fields) + " headers"};
    }
    if (auto fault = check_field(line, framing)) return fault;
    rest.remove_prefix(end + 2);
  }
  return framing.judge();
}

}  // namespace ganglion::http
