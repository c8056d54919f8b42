#include "agents/agent_output.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>

namespace ganglion::agents {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Checks and builds nothing.
struct NullHandler {
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  using Code = boost::json::error_code;
  using View = boost::json::string_view;
  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_key_part(View, std::size_t, Code&) { return true; }
  bool on_key(View, std::size_t, Code&) { return true; }
  bool on_string_part(View, std::size_t, Code&) { return true; }
  bool on_string(View, std::size_t, Code&) { return true; }
  bool on_number_part(View, Code&) { return true; }
  bool on_int64(std::int64_t, View, Code&) { return true; }
  bool on_uint64(std::uint64_t, View, Code&) { return true; }
  bool on_double(double, View, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(View, Code&) { return true; }
  bool on_comment(View, Code&) { return true; }
};

std::string_view trimmed(std::string_view bytes) {
  constexpr std::string_view kJsonSpace = " \t\r\n";
  const std::size_t first = bytes.find_first_not_of(kJsonSpace);
  if (first == std::string_view::npos) return {};
  return bytes.substr(first, bytes.find_last_not_of(kJsonSpace) - first + 1);
}

bool continues(std::string_view bytes, std::size_t at) {
  return at < bytes.size() && (static_cast<unsigned char>(bytes[at]) & 0xC0) == 0x80;
}

// Bytes of the valid sequence of RFC 3629 that `bytes` starts with; 0 if it starts with none.
std::size_t sequence_length(std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4 || !continues(bytes, 1)) return 0;
  if (first < 0xE0) return 2;
  const auto second = static_cast<unsigned char>(bytes[1]);
  if (!continues(bytes, 2)) return 0;
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (!continues(bytes, 3) || (first == 0xF0 && second < 0x90) || (first == 0xF4 && second >= 0x90)) return 0;
  return 4;
}

bool is_unwanted_control(char byte) {
  const auto code = static_cast<unsigned char>(byte);
  return (code < 0x20 && byte != '\n' && byte != '\t') || code == 0x7F;
}

}  // namespace

Result<Payload> read_output(std::string_view bytes) {
  const std::string_view value = trimmed(bytes);
  if (value.empty()) return fail("invalid_output", "the output is empty; one JSON value was expected");
  boost::json::parse_options options;
  options.max_depth = kMaxOutputDepth;
  boost::json::basic_parser<NullHandler> parser(options);
  boost::json::error_code error;
  const std::size_t read = parser.write_some(false, value.data(), value.size(), error);
  if (error) {
    return fail("invalid_output",
                "the output is not JSON: " + error.message() + " near byte " + std::to_string(read));
  }
  if (read < value.size()) {
    return fail("invalid_output", "the output goes on after its JSON value, at byte " + std::to_string(read));
  }
  return Payload(std::string(value));
}

std::string readable(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const std::size_t length = sequence_length(bytes);
    if (length == 0) {
      text += kReplacement;
    } else if (is_unwanted_control(bytes[0])) {
      text += '?';
    } else {
      text += bytes.substr(0, length);
    }
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

void Tail::append(std::string_view bytes) {
  if (bytes.size() > limit_) {
    cut_ = true;
    bytes = bytes.substr(bytes.size() - limit_);
  }
  bytes_ += bytes;
  // Twice the limit, so that cutting costs little per byte.
  if (bytes_.size() > 2 * limit_) {
    cut_ = true;
    bytes_.erase(0, bytes_.size() - limit_);
  }
}

std::string Tail::text() const {
  std::string_view last = bytes_;
  bool cut = cut_;
  if (last.size() > limit_) {
    cut = true;
    last.remove_prefix(last.size() - limit_);
  }
  // Not in the middle of a character.
  while (cut && continues(last, 0)) last.remove_prefix(1);
  std::string text = readable(trimmed(last));
  return cut ? "…" + text : text;
}

}  // namespace ganglion::agents
