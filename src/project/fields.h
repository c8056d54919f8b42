#pragma once

// Reading the tree key by key. A Field is a value with the path and position that an error about it names;
// Fields are the keys of a map, each taken once. What is left over at the end is unknown, or belongs to what
// is still to come.

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "project/project.h"
#include "project/suggestion.h"
#include "project/yaml.h"

namespace ganglion::project {

struct Field {
  std::string path;
  Position position;  // of its key; of the value itself in a list
  const YamlNode* value;

  Field item(std::size_t index) const;
};

// Collects what is wrong. Many more than are shown are kept, because they are found out of order; a file with
// that many is beyond repair, and the rest are only counted: no position is looked up and no suggestion made
// for them.
class Diagnostics {
 public:
  static constexpr std::size_t kMaxKept = 4 * kMaxDiagnostics;
  static constexpr std::size_t kMaxCandidates = 1'000;  // names compared for one suggestion

  Diagnostics(std::string_view file, std::string_view source) : file_(file), source_(source) {}

  void add(Position position, std::string path, std::string message);
  // At a byte of the field's text.
  void add_inside(const Field& field, std::size_t offset, std::string message);
  bool empty() const { return found_.empty(); }
  bool full() const { return found_.size() >= kMaxKept; }

  // The nearest of the names (a map's keys) as the end of a message; see suggestion.h.
  template <typename Map>
  std::string nearest(std::string_view name, const Map& known) const {
    if (full()) return "";
    std::vector<std::string> names;
    for (const auto& entry : known) {
      if (names.size() == kMaxCandidates) break;
      names.push_back(entry.first);
    }
    return did_you_mean(name, names);
  }

  // In the order of the file, at most kMaxDiagnostics and a line for the rest.
  std::vector<Diagnostic> take();

 private:
  std::string file_;
  SourceIndex source_;
  std::vector<Diagnostic> found_;
  std::size_t beyond_ = 0;
};

class Fields {
 public:
  // Reports where the field is no map; there are no keys then.
  Fields(Field owner, Diagnostics& diagnostics);

  // Nothing where the key is absent.
  std::optional<Field> take(std::string_view key);
  // The same as for every key of the map, in order.
  std::vector<std::pair<std::string, Field>> take_all();
  // Keys that the format has and this version doesn't.
  void refuse(std::initializer_list<std::string_view> keys);
  // Known here, but only so that a misspelling of them is recognised.
  void allow(std::initializer_list<std::string_view> keys);
  // Reports the keys that nobody took.
  void finish();

  const Field& owner() const { return owner_; }

 private:
  Field field_of(const YamlEntry& entry) const;

  Field owner_;
  Diagnostics& diagnostics_;
  std::vector<std::string> known_;
};

std::string not_available(std::string_view what);

// "a list", "the text \"x\"": for "expected …, got …".
std::string describe(const YamlNode& node);

// Each reports what is wrong with the field.
std::optional<std::string> read_text(const Field& field, Diagnostics& diagnostics);
std::optional<std::int64_t> read_integer(const Field& field, std::int64_t least, std::int64_t most,
                                         Diagnostics& diagnostics);
// The bounds are whole.
std::optional<double> read_number(const Field& field, double least, double most, Diagnostics& diagnostics);
std::optional<Duration> read_duration(const Field& field, Diagnostics& diagnostics);
// A duration of at least a millisecond.
std::optional<Duration> read_timeout(const Field& field, Diagnostics& diagnostics);
std::vector<std::string> read_command(const Field& field, Diagnostics& diagnostics);
std::map<std::string, std::string> read_environment(const Field& field, Diagnostics& diagnostics);

}  // namespace ganglion::project
