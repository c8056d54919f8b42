#pragma once

// YAML as a tree that remembers where everything stood: libyaml's events, with the scalars of YAML 1.2's core
// schema
// (`yes` and `on` are text). Every node and key knows its line and column, so that whoever reads the tree can
// point at what is wrong; what is wrong with the YAML itself (syntax, duplicate keys, tags, bounds) is
// reported here.
//
// Aliases are expanded by copying, within bounds: a file of a few bytes that would unfold into gigabytes is
// an error.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ganglion::project {

inline constexpr std::size_t kMaxYamlDepth = 64;
inline constexpr std::size_t kMaxYamlNodes = 200'000;         // aliases expanded
inline constexpr std::size_t kMaxYamlScalarBytes = 16 << 20;  // of all scalars, aliases expanded
inline constexpr std::size_t kMaxYamlAliases = 1'000;

// From 1; columns count characters, as editors do.
struct Position {
  int line = 1;
  int column = 1;

  auto operator<=>(const Position&) const = default;
};

enum class YamlKind { null, boolean, integer, number, text, list, map };
enum class YamlStyle { plain, single_quoted, double_quoted, block };

struct YamlEntry;

struct YamlNode {
  YamlKind kind = YamlKind::null;
  Position position;
  std::string text;  // of a scalar, as written, escapes resolved
  YamlStyle style = YamlStyle::plain;
  bool one_line = true;            // a scalar that begins and ends on one line
  std::vector<YamlNode> items;     // of a list
  std::vector<YamlEntry> entries;  // of a map, in order

  // The value of a map's key, or null.
  const YamlEntry* find(std::string_view key) const;
  bool is_scalar() const { return kind != YamlKind::list && kind != YamlKind::map; }
};

struct YamlEntry {
  std::string key;
  Position position;  // of the key
  YamlNode value;
};

// Scalars as values; each for its own kind. An integer beyond 64 bits is a number.
bool boolean_of(const YamlNode& node);
std::optional<std::int64_t> integer_of(const YamlNode& node);
double number_of(const YamlNode& node);

struct YamlProblem {
  Position position;
  std::string message;
};

struct YamlDocument {
  std::optional<YamlNode> root;  // none where the file is empty or its syntax is broken
  std::vector<YamlProblem> problems;
};

YamlDocument parse_yaml(std::string_view source);

// Finds the text that stands at a position without reading the file from its beginning each time.
class SourceIndex {
 public:
  explicit SourceIndex(std::string_view source);

  // From the position to the end of the file.
  std::string_view from(Position position) const;

 private:
  struct Mark {
    Position position;
    std::size_t offset;
  };

  std::string_view source_;
  std::vector<Mark> marks_;  // the beginning of every line, and places in long ones
};

// Where in the file byte `offset` of a scalar's text stands: exact where the scalar is on one line, not a
// block and not longer than kMaxLocatedBytes, else its beginning.
inline constexpr std::size_t kMaxLocatedBytes = 64 * 1024;
Position position_in(const YamlNode& scalar, std::size_t offset, const SourceIndex& source);

}  // namespace ganglion::project
