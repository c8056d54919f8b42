// From an offset in a scalar's text back to the place in the file.

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "project/yaml.h"

namespace ganglion::project {
namespace {

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

int count_characters(std::string_view text) {
  return static_cast<int>(std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

// The bytes of a line break at the front of `text`; what libyaml takes for one.
std::size_t line_break_length(std::string_view text) {
  if (text.starts_with("\r\n")) return 2;
  if (text.starts_with('\n') || text.starts_with('\r')) return 1;
  if (text.starts_with("\xC2\x85")) return 2;
  if (text.starts_with("\xE2\x80\xA8") || text.starts_with("\xE2\x80\xA9")) return 3;
  return 0;
}

// The byte after the character at `offset`.
std::size_t next_character(std::string_view source, std::size_t offset) {
  do ++offset;
  while (offset < source.size() && is_continuation(source[offset]));
  return offset;
}

constexpr int kMarkEvery = 1024;  // characters of a line

std::size_t utf8_length(unsigned long code) {
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

// How many bytes of the file, and of the text, the character at the front of a quoted scalar takes.
struct Taken {
  std::size_t written;
  std::size_t meant;
};

Taken take_quoted(std::string_view rest, YamlStyle style) {
  if (style == YamlStyle::single_quoted) return rest.starts_with("''") ? Taken{2, 1} : Taken{1, 1};
  if (!rest.starts_with('\\') || rest.size() < 2) return {1, 1};
  const std::size_t digits = rest[1] == 'x' ? 2 : rest[1] == 'u' ? 4 : rest[1] == 'U' ? 8 : 0;
  if (digits > 0) {
    const unsigned long code = std::strtoul(std::string(rest.substr(2, digits)).c_str(), nullptr, 16);
    return {2 + digits, utf8_length(code)};
  }
  if (rest[1] == 'N' || rest[1] == '_') return {2, 2};
  if (rest[1] == 'L' || rest[1] == 'P') return {2, 3};
  return {2, 1};
}

}  // namespace

SourceIndex::SourceIndex(std::string_view source) : source_(source) {
  Position position;
  std::size_t offset = source.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  marks_.push_back({position, offset});
  while (offset < source.size()) {
    if (const std::size_t length = line_break_length(source.substr(offset)); length > 0) {
      position = {position.line + 1, 1};
      offset += length;
      marks_.push_back({position, offset});
      continue;
    }
    offset = next_character(source, offset);
    if (++position.column % kMarkEvery == 0) marks_.push_back({position, offset});
  }
}

std::string_view SourceIndex::from(Position position) const {
  const auto after = std::ranges::upper_bound(marks_, position, {}, &Mark::position);
  const Mark& mark = after == marks_.begin() ? marks_.front() : *std::prev(after);
  std::size_t offset = mark.offset;
  for (int column = mark.position.column; column < position.column && offset < source_.size(); ++column) {
    offset = next_character(source_, offset);
  }
  return source_.substr(offset);
}

Position position_in(const YamlNode& scalar, std::size_t offset, const SourceIndex& source) {
  Position position = scalar.position;
  if (!scalar.one_line || scalar.style == YamlStyle::block || scalar.text.size() > kMaxLocatedBytes)
    return position;
  offset = std::min(offset, scalar.text.size());
  if (scalar.style == YamlStyle::plain) {
    position.column += count_characters(std::string_view(scalar.text).substr(0, offset));
    return position;
  }
  const std::string_view written = source.from(position);
  // The node's mark is where its tag or anchor stands, if it has one; the text begins after the quote.
  std::size_t at = written.find(scalar.style == YamlStyle::single_quoted ? '\'' : '"');
  if (at == std::string_view::npos) return position;
  ++at;
  for (std::size_t meant = 0; meant < offset && at < written.size();) {
    const Taken taken = take_quoted(written.substr(at), scalar.style);
    at += taken.written;
    meant += taken.meant;
  }
  position.column += count_characters(written.substr(0, std::min(at, written.size())));
  return position;
}

}  // namespace ganglion::project
