#include "project/names.h"

#include <algorithm>
#include <cctype>

#include "core/topic.h"
#include "core/workflow.h"

namespace ganglion::project {
namespace {

constexpr std::string_view kWords = "words of letters, digits, '_' and '-', joined by '.'";

void refuse_name(const Field& field, std::string_view text, const std::string& what,
                 Diagnostics& diagnostics) {
  const std::size_t at = text.find("${{");
  if (at != std::string_view::npos) {
    diagnostics.add(field.position, field.path, what + "; expressions are not evaluated here");
  } else {
    diagnostics.add(field.position, field.path, what);
  }
}

}  // namespace

bool is_name(std::string_view name) {
  const auto starts = [](unsigned char c) { return c < 0x80 && (std::isalpha(c) != 0 || c == '_'); };
  const auto goes_on = [&](unsigned char c) { return starts(c) || std::isdigit(c) != 0 || c == '-'; };
  return !name.empty() && name.size() <= kMaxNameBytes && starts(static_cast<unsigned char>(name.front())) &&
         std::ranges::all_of(name, goes_on);
}

void check_name(const std::string& name, const Field& field, Diagnostics& diagnostics) {
  if (is_name(name)) return;
  if (name.size() > kMaxNameBytes) {
    diagnostics.add(field.position, field.path,
                    "a name has at most " + std::to_string(kMaxNameBytes) + " bytes");
    return;
  }
  diagnostics.add(field.position, field.path,
                  "no name: names are letters, digits, '_' and '-', a letter or '_' first");
}

void check_topic(const std::string& topic, const Field& field, Diagnostics& diagnostics) {
  if (topic.size() > kMaxTopic) {
    diagnostics.add(field.position, field.path,
                    "a topic has at most " + std::to_string(kMaxTopic) + " bytes");
  } else if (!is_topic(topic)) {
    refuse_name(field, topic, "no topic: topics are " + std::string(kWords) + ", such as file.uploaded",
                diagnostics);
  }
}

std::optional<std::string> read_topic(const Field& field, Diagnostics& diagnostics) {
  auto topic = read_text(field, diagnostics);
  if (topic) check_topic(*topic, field, diagnostics);
  return topic;
}

std::optional<std::string> read_pattern(const Field& field, Diagnostics& diagnostics) {
  auto pattern = read_text(field, diagnostics);
  if (!pattern) return std::nullopt;
  if (pattern->size() > kMaxTopic) {
    diagnostics.add(field.position, field.path,
                    "a pattern has at most " + std::to_string(kMaxTopic) + " bytes");
  } else if (!is_topic_pattern(*pattern)) {
    refuse_name(field, *pattern,
                "no pattern: patterns are " + std::string(kWords) +
                    ", where * stands for one word and ** at the end for one or more",
                diagnostics);
  }
  return pattern;
}

std::vector<std::string> read_patterns(const Field& field, Diagnostics& diagnostics) {
  std::vector<std::string> patterns;
  const auto& items = field.value->items;
  if (field.value->kind != YamlKind::list) {
    diagnostics.add(
        field.position, field.path,
        "expected a list of patterns, such as [case.status, file.*], got " + describe(*field.value));
  } else if (items.size() > kMaxPatterns) {
    diagnostics.add(field.position, field.path, "more than " + std::to_string(kMaxPatterns) + " patterns");
  } else {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (auto pattern = read_pattern(field.item(i), diagnostics)) patterns.push_back(std::move(*pattern));
    }
  }
  return patterns;
}

void check_state_key(const std::string& key, const Field& field, Diagnostics& diagnostics) {
  if (key.size() > kMaxStateKey) {
    diagnostics.add(field.position, field.path,
                    "a key of the state has at most " + std::to_string(kMaxStateKey) + " bytes");
  } else if (!is_topic(key)) {
    refuse_name(field, key, "no key of the state: keys are " + std::string(kWords) + ", such as case.status",
                diagnostics);
  }
}

std::vector<std::string> read_people(const Field& field, Diagnostics& diagnostics) {
  std::vector<std::string> people;
  const auto& items = field.value->items;
  if (field.value->kind != YamlKind::list || items.empty()) {
    diagnostics.add(field.position, field.path,
                    "expected a list of who may decide, such as [release-managers], got " +
                        (field.value->kind == YamlKind::list ? "an empty list" : describe(*field.value)) +
                        "; without \"by\", anybody may");
    return people;
  }
  if (items.size() > kMaxPeople) {
    diagnostics.add(field.position, field.path, "more than " + std::to_string(kMaxPeople) + " names");
    return people;
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Field item = field.item(i);
    auto person = read_text(item, diagnostics);
    if (!person) continue;
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7F; };
    if (person->empty() || person->size() > kMaxPersonBytes || std::ranges::any_of(*person, is_control)) {
      diagnostics.add(item.position, item.path,
                      "who may decide is a text of 1 to " + std::to_string(kMaxPersonBytes) +
                          " bytes without control characters");
    } else if (const std::size_t at = person->find("${{"); at != std::string::npos) {
      diagnostics.add_inside(item, at, "expressions are not evaluated here");
    }
    people.push_back(std::move(*person));
  }
  return people;
}

}  // namespace ganglion::project
