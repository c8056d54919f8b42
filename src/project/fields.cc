#include "project/fields.h"

#include <algorithm>
#include <cctype>
#include <tuple>

namespace ganglion::project {
namespace {

constexpr std::size_t kShownText = 60;

// Parents come before children; the root's own keys have no dot in front.
std::string joined(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

std::string Diagnostic::text() const {
  std::string out = file;
  if (line > 0) out += ":" + std::to_string(line) + ":" + std::to_string(column);
  out += ": ";
  if (!path.empty()) out += path + ": ";
  out += message;
  // Names come from the file: none may clear the terminal or begin a line.
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return out;
}

void Diagnostics::add(Position position, std::string path, std::string message) {
  if (full()) {
    ++beyond_;
    return;
  }
  found_.push_back({file_, position.line, position.column, std::move(path), std::move(message)});
}

void Diagnostics::add_inside(const Field& field, std::size_t offset, std::string message) {
  const Position position = full() ? field.position : position_in(*field.value, offset, source_);
  add(position, field.path, std::move(message));
}

std::vector<Diagnostic> Diagnostics::take() {
  std::ranges::sort(found_, {},
                    [](const Diagnostic& d) { return std::tie(d.line, d.column, d.path, d.message); });
  if (found_.size() > kMaxDiagnostics) {
    const std::size_t rest = found_.size() - kMaxDiagnostics + beyond_;
    found_.resize(kMaxDiagnostics);
    found_.push_back({file_, 0, 0, "", "and " + std::to_string(rest) + " more"});
  }
  return std::move(found_);
}

Field Field::item(std::size_t index) const {
  const YamlNode& node = value->items[index];
  return {path + "[" + std::to_string(index) + "]", node.position, &node};
}

Fields::Fields(Field owner, Diagnostics& diagnostics) : owner_(std::move(owner)), diagnostics_(diagnostics) {
  if (owner_.value->kind != YamlKind::map) {
    diagnostics_.add(owner_.position, owner_.path, "expected a mapping, got " + describe(*owner_.value));
  }
}

Field Fields::field_of(const YamlEntry& entry) const {
  return {joined(owner_.path, entry.key), entry.position, &entry.value};
}

std::optional<Field> Fields::take(std::string_view key) {
  known_.emplace_back(key);
  const YamlEntry* entry = owner_.value->find(key);
  return entry == nullptr ? std::nullopt : std::optional(field_of(*entry));
}

std::vector<std::pair<std::string, Field>> Fields::take_all() {
  std::vector<std::pair<std::string, Field>> all;
  for (const YamlEntry& entry : owner_.value->entries) all.emplace_back(entry.key, field_of(entry));
  return all;
}

void Fields::refuse(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    if (const auto field = take(key)) {
      diagnostics_.add(field->position, field->path, not_available("\"" + std::string(key) + "\""));
    }
  }
}

void Fields::allow(std::initializer_list<std::string_view> keys) {
  known_.insert(known_.end(), keys.begin(), keys.end());
}

void Fields::finish() {
  for (const YamlEntry& entry : owner_.value->entries) {
    if (contains(known_, entry.key)) continue;
    const Field field = field_of(entry);
    if (entry.key == "<<") {
      diagnostics_.add(field.position, field.path, "merge keys are not part of YAML 1.2; repeat the keys");
      continue;
    }
    diagnostics_.add(
        field.position, field.path,
        "unknown key \"" + entry.key + "\"" + (diagnostics_.full() ? "" : did_you_mean(entry.key, known_)));
  }
}

std::string not_available(std::string_view what) {
  return std::string(what) + " is not available yet";
}

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlKind::null:
      return "nothing";
    case YamlKind::boolean:
      return "the boolean " + node.text;
    case YamlKind::integer:
    case YamlKind::number:
      return "the number " + node.text.substr(0, kShownText);
    case YamlKind::text:
      return "the text \"" + node.text.substr(0, kShownText) + (node.text.size() > kShownText ? "…\"" : "\"");
    case YamlKind::list:
      return "a list";
    case YamlKind::map:
      return "a mapping";
  }
  return "";
}

std::optional<std::string> read_text(const Field& field, Diagnostics& diagnostics) {
  if (field.value->kind == YamlKind::text) return field.value->text;
  diagnostics.add(field.position, field.path, "expected text, got " + describe(*field.value));
  return std::nullopt;
}

std::optional<std::int64_t> read_integer(const Field& field, std::int64_t least, std::int64_t most,
                                         Diagnostics& diagnostics) {
  const auto value = field.value->kind == YamlKind::integer ? integer_of(*field.value) : std::nullopt;
  if (value && *value >= least && *value <= most) return value;
  diagnostics.add(field.position, field.path,
                  "expected a whole number from " + std::to_string(least) + " to " + std::to_string(most) +
                      ", got " + describe(*field.value));
  return std::nullopt;
}

std::optional<double> read_number(const Field& field, double least, double most, Diagnostics& diagnostics) {
  if (field.value->kind == YamlKind::integer || field.value->kind == YamlKind::number) {
    const double value = number_of(*field.value);
    if (value >= least && value <= most) return value;
  }
  diagnostics.add(field.position, field.path,
                  "expected a number from " + std::to_string(static_cast<std::int64_t>(least)) + " to " +
                      std::to_string(static_cast<std::int64_t>(most)) + ", got " + describe(*field.value));
  return std::nullopt;
}

std::optional<Duration> read_duration(const Field& field, Diagnostics& diagnostics) {
  if (field.value->kind == YamlKind::text) {
    if (const auto duration = parse_duration(field.value->text)) return *duration;
  }
  diagnostics.add(field.position, field.path,
                  "expected a duration such as 200ms, 30s, 15m, 24h or 7d, got " + describe(*field.value));
  return std::nullopt;
}

std::optional<Duration> read_timeout(const Field& field, Diagnostics& diagnostics) {
  const auto duration = read_duration(field, diagnostics);
  if (duration && *duration < Duration(1)) {
    diagnostics.add(field.position, field.path, "must be longer than 0");
    return std::nullopt;
  }
  return duration;
}

namespace {

// Scalars that are taken as text: `8080` and `true` need no quotes in a command or an environment.
std::optional<std::string> read_word(const Field& field, Diagnostics& diagnostics) {
  const YamlNode& node = *field.value;
  if (!node.is_scalar() || node.kind == YamlKind::null) {
    diagnostics.add(field.position, field.path, "expected text, got " + describe(node));
    return std::nullopt;
  }
  if (node.text.find('\0') != std::string::npos) {
    diagnostics.add(field.position, field.path, "must not contain a zero byte");
    return std::nullopt;
  }
  if (const std::size_t at = node.text.find("${{"); at != std::string::npos) {
    diagnostics.add_inside(field, at, "expressions are not evaluated here");
    return std::nullopt;
  }
  return node.text;
}

bool is_variable_name(std::string_view name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::ranges::all_of(name, fits);
}

}  // namespace

std::vector<std::string> read_command(const Field& field, Diagnostics& diagnostics) {
  std::vector<std::string> command;
  if (field.value->kind != YamlKind::list || field.value->items.empty()) {
    diagnostics.add(field.position, field.path,
                    "expected a list of the program and its arguments, such as [python3, agent.py], got " +
                        (field.value->kind == YamlKind::list ? "an empty list" : describe(*field.value)));
    return command;
  }
  for (std::size_t i = 0; i < field.value->items.size(); ++i) {
    if (auto word = read_word(field.item(i), diagnostics)) command.push_back(std::move(*word));
  }
  if (command.size() == field.value->items.size() && command.front().empty()) {
    diagnostics.add(field.item(0).position, field.item(0).path, "the program's name is empty");
  }
  return command;
}

std::map<std::string, std::string> read_environment(const Field& field, Diagnostics& diagnostics) {
  std::map<std::string, std::string> variables;
  for (const auto& [name, variable] : Fields(field, diagnostics).take_all()) {
    if (!is_variable_name(name)) {
      diagnostics.add(variable.position, variable.path,
                      "no name for an environment variable: letters, digits and '_', a letter or '_' first");
    }
    if (auto word = read_word(variable, diagnostics)) variables.emplace(name, std::move(*word));
  }
  return variables;
}

}  // namespace ganglion::project
