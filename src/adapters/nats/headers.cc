#include "adapters/nats/headers.h"

#include "base/url_parts.h"

namespace ganglion::nats {
namespace {

constexpr std::string_view kVersion = "NATS/1.0";
constexpr std::string_view kEndOfLine = "\r\n";

void append_encoded(std::string& text, std::string_view value) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char letter : value) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte > ' ' && byte < 0x7f && letter != '%') {
      text += letter;
    } else {
      text += '%';
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
  }
}

void append_header(std::string& text, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  text += name;
  text += ": ";
  append_encoded(text, value);
  text += kEndOfLine;
}

std::string lines_of(const BusMessage& message) {
  std::string lines(kVersion);
  lines += kEndOfLine;
  append_header(lines, kId, message.id);
  append_header(lines, kType, message.type);
  append_header(lines, kReplyTo, message.reply_to);
  return lines;
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find(kEndOfLine);
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + kEndOfLine.size());
  return line;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Others may not have encoded it.
std::string decoded(std::string_view value) {
  auto text = decode_percent(value);
  return text ? std::move(*text) : std::string(value);
}

// Behind the version.
std::string_view status_line(std::string_view headers) {
  std::string_view line = take_line(headers);
  if (!line.starts_with(kVersion)) return {};
  return trimmed(line.substr(kVersion.size()));
}

}  // namespace

std::string headers_of(const BusMessage& message) {
  return lines_of(message).append(kEndOfLine);
}

std::string dead_headers_of(const BusMessage& message, std::string_view reason) {
  std::string lines = lines_of(message);
  append_header(lines, kReason, reason.substr(0, kMaxBusProperty));
  return lines.append(kEndOfLine);
}

BusMessage message_of(std::string_view headers, std::string_view body) {
  return {.id = decoded(header(headers, kId)),
          .type = decoded(header(headers, kType)),
          .reply_to = decoded(header(headers, kReplyTo)),
          .body = std::string(body)};
}

int status_of(std::string_view headers) {
  std::string_view line = status_line(headers);
  return parse_number<int>(take_until(line, ' ')).value_or(0);
}

std::string_view status_text(std::string_view headers) {
  std::string_view line = status_line(headers);
  take_until(line, ' ');
  return trimmed(line);
}

std::string_view header(std::string_view headers, std::string_view name) {
  while (!headers.empty()) {
    std::string_view line = take_line(headers);
    if (take_until(line, ':') == name) return trimmed(line);
  }
  return {};
}

}  // namespace ganglion::nats
