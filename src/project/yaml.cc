#include "project/yaml.h"

#include <yaml.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "project/yaml_scalar.h"

namespace ganglion::project {
namespace {

Position position_of(const yaml_mark_t& mark) {
  return {static_cast<int>(mark.line) + 1, static_cast<int>(mark.column) + 1};
}

// One event, freed when it goes.
class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { yaml_event_delete(&event_); }

  yaml_event_t* get() { return &event_; }
  yaml_event_type_t type() const { return event_.type; }
  Position position() const { return position_of(event_.start_mark); }
  const yaml_event_t& raw() const { return event_; }

 private:
  yaml_event_t event_{};
};

std::string_view text_of(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

// What copying a node costs.
struct Weight {
  std::size_t nodes = 0;
  std::size_t bytes = 0;
  std::size_t depth = 0;
};

Weight weight_of(const YamlNode& node) {
  Weight weight{1, node.text.size(), 1};
  const auto add = [&](const YamlNode& child, std::size_t key) {
    const Weight inner = weight_of(child);
    weight.nodes += inner.nodes;
    weight.bytes += inner.bytes + key;
    weight.depth = std::max(weight.depth, inner.depth + 1);
  };
  for (const YamlNode& item : node.items) add(item, 0);
  for (const YamlEntry& entry : node.entries) add(entry.value, entry.key.size());
  return weight;
}

class TreeBuilder {
 public:
  explicit TreeBuilder(std::string_view source) : source_(source) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(source.data()),
                                 source.size());
  }
  TreeBuilder(const TreeBuilder&) = delete;
  TreeBuilder& operator=(const TreeBuilder&) = delete;
  ~TreeBuilder() { yaml_parser_delete(&parser_); }

  YamlDocument run();

 private:
  struct Anchor {
    YamlNode node;
    Weight weight;
  };

  // Each of these is false once the file can't be read on; a problem then says why.
  bool next(Event& event);
  bool build(const Event& event, std::size_t depth, YamlNode& out);
  bool build_scalar(const Event& event, YamlNode& out);
  bool build_list(const Event& event, std::size_t depth, YamlNode& out);
  bool build_map(const Event& event, std::size_t depth, YamlNode& out);
  bool build_entry(const Event& key, std::size_t depth, YamlNode& map);
  bool expand_alias(const Event& event, std::size_t depth, YamlNode& out);
  bool spend(const Weight& weight, Position position);
  bool remember(const yaml_char_t* anchor, const YamlNode& node);
  void report_syntax();
  bool stop(Position position, std::string message);

  std::string_view source_;
  yaml_parser_t parser_{};
  YamlDocument document_;
  std::map<std::string, Anchor, std::less<>> anchors_;
  // The keys of every map being built, with their lines, to find duplicates without reading the map again.
  std::vector<std::unordered_map<std::string, int>> keys_;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
  std::size_t aliases_ = 0;
};

YamlDocument TreeBuilder::run() {
  bool seen = false;
  while (true) {
    Event event;
    if (!next(event)) return std::move(document_);
    if (event.type() == YAML_STREAM_END_EVENT) return std::move(document_);
    if (event.type() == YAML_STREAM_START_EVENT || event.type() == YAML_DOCUMENT_END_EVENT) continue;
    if (event.type() == YAML_DOCUMENT_START_EVENT) {
      if (seen) {
        stop(event.position(), "a second document begins here; a project is one document");
        return std::move(document_);
      }
      seen = true;
      continue;
    }
    YamlNode root;
    if (!build(event, 1, root)) return std::move(document_);
    document_.root = std::move(root);
  }
}

bool TreeBuilder::next(Event& event) {
  if (yaml_parser_parse(&parser_, event.get()) != 0) return true;
  report_syntax();
  return false;
}

bool TreeBuilder::build(const Event& event, std::size_t depth, YamlNode& out) {
  out.position = event.position();
  if (depth > kMaxYamlDepth) {
    return stop(out.position, "nested more than " + std::to_string(kMaxYamlDepth) + " levels deep");
  }
  if (event.type() == YAML_ALIAS_EVENT) return expand_alias(event, depth, out);
  if (!spend({1, 0, 1}, out.position)) return false;
  if (event.type() == YAML_SCALAR_EVENT) return build_scalar(event, out);
  if (event.type() == YAML_SEQUENCE_START_EVENT) return build_list(event, depth, out);
  return build_map(event, depth, out);
}

bool TreeBuilder::build_scalar(const Event& event, YamlNode& out) {
  const auto& scalar = event.raw().data.scalar;
  out.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
  if (!spend({0, out.text.size(), 0}, out.position)) return false;
  out.one_line = event.raw().start_mark.line == event.raw().end_mark.line;
  switch (scalar.style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
      out.style = YamlStyle::single_quoted;
      break;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
      out.style = YamlStyle::double_quoted;
      break;
    case YAML_LITERAL_SCALAR_STYLE:
    case YAML_FOLDED_SCALAR_STYLE:
      out.style = YamlStyle::block;
      break;
    case YAML_PLAIN_SCALAR_STYLE:
    case YAML_ANY_SCALAR_STYLE:
      break;
  }
  const std::string_view tag = text_of(scalar.tag);
  if (!tag.empty() && tag != YAML_STR_TAG && tag != "!") {
    document_.problems.push_back({out.position, "the tag " + std::string(tag) + " is not supported"});
  }
  out.kind = tag.empty() && out.style == YamlStyle::plain ? kind_of_plain(out.text) : YamlKind::text;
  return remember(scalar.anchor, out);
}

bool TreeBuilder::build_list(const Event& event, std::size_t depth, YamlNode& out) {
  out.kind = YamlKind::list;
  const auto& start = event.raw().data.sequence_start;
  if (const auto tag = text_of(start.tag); !tag.empty() && tag != YAML_SEQ_TAG) {
    document_.problems.push_back({out.position, "the tag " + std::string(tag) + " is not supported"});
  }
  while (true) {
    Event item;
    if (!next(item)) return false;
    if (item.type() == YAML_SEQUENCE_END_EVENT) break;
    if (!build(item, depth + 1, out.items.emplace_back())) return false;
  }
  return remember(start.anchor, out);
}

bool TreeBuilder::build_map(const Event& event, std::size_t depth, YamlNode& out) {
  out.kind = YamlKind::map;
  const auto& start = event.raw().data.mapping_start;
  if (const auto tag = text_of(start.tag); !tag.empty() && tag != YAML_MAP_TAG) {
    document_.problems.push_back({out.position, "the tag " + std::string(tag) + " is not supported"});
  }
  keys_.emplace_back();
  while (true) {
    Event key;
    if (!next(key)) return false;
    if (key.type() == YAML_MAPPING_END_EVENT) break;
    if (!build_entry(key, depth, out)) return false;
  }
  keys_.pop_back();
  return remember(start.anchor, out);
}

bool TreeBuilder::build_entry(const Event& key, std::size_t depth, YamlNode& map) {
  YamlNode name;
  if (!build(key, depth + 1, name)) return false;
  if (!name.is_scalar()) {
    document_.problems.push_back({name.position, "a key must be text, not a list or a mapping"});
  } else if (name.kind == YamlKind::null) {
    document_.problems.push_back({name.position, "a key is empty"});
  } else if (const auto [first, is_new] = keys_.back().emplace(name.text, name.position.line); !is_new) {
    document_.problems.push_back({name.position, "duplicate key \"" + name.text + "\"; it was on line " +
                                                     std::to_string(first->second) + " before"});
  }
  Event value;
  if (!next(value)) return false;
  YamlEntry entry{std::move(name.text), key.position(), {}};
  if (!build(value, depth + 1, entry.value)) return false;
  map.entries.push_back(std::move(entry));
  return true;
}

bool TreeBuilder::expand_alias(const Event& event, std::size_t depth, YamlNode& out) {
  const std::string_view name = text_of(event.raw().data.alias.anchor);
  const Position position = event.position();
  const auto anchor = anchors_.find(name);
  if (anchor == anchors_.end())
    return stop(position, "no anchor &" + std::string(name) + " before this alias");
  if (++aliases_ > kMaxYamlAliases) {
    return stop(position, "more than " + std::to_string(kMaxYamlAliases) + " aliases");
  }
  if (depth + anchor->second.weight.depth - 1 > kMaxYamlDepth) {
    return stop(position, "nested more than " + std::to_string(kMaxYamlDepth) + " levels deep");
  }
  if (!spend(anchor->second.weight, position)) return false;
  out = anchor->second.node;
  return true;
}

bool TreeBuilder::spend(const Weight& weight, Position position) {
  nodes_ += weight.nodes;
  bytes_ += weight.bytes;
  if (nodes_ > kMaxYamlNodes) {
    return stop(position, "more than " + std::to_string(kMaxYamlNodes) + " values, aliases expanded");
  }
  if (bytes_ > kMaxYamlScalarBytes) {
    return stop(position,
                "more than " + std::to_string(kMaxYamlScalarBytes) + " bytes of text, aliases expanded");
  }
  return true;
}

bool TreeBuilder::remember(const yaml_char_t* anchor, const YamlNode& node) {
  if (anchor == nullptr) return true;
  const Weight weight = weight_of(node);
  // The copy kept for the aliases counts as well.
  if (!spend(weight, node.position)) return false;
  anchors_.insert_or_assign(std::string(text_of(anchor)), Anchor{node, weight});
  return true;
}

void TreeBuilder::report_syntax() {
  std::string message = parser_.problem == nullptr ? "not YAML" : parser_.problem;
  Position position = position_of(parser_.problem_mark);
  if (parser_.error == YAML_READER_ERROR) {
    // The reader knows only how many bytes it had read.
    const std::string_view before = source_.substr(0, std::min(parser_.problem_offset, source_.size()));
    const std::size_t line_start = before.rfind('\n') + 1;
    position.line = static_cast<int>(std::ranges::count(before, '\n')) + 1;
    position.column = static_cast<int>(before.size() - line_start) + 1;
    if (message == "control characters are not allowed")
      message = "a control character, which YAML does not allow";
  } else if (parser_.context != nullptr) {
    message += std::string(" (") + parser_.context + " on line " +
               std::to_string(parser_.context_mark.line + 1) + ")";
    // What comes to mind with a pattern of topics.
    if (std::string_view(parser_.context) == "while scanning an alias") {
      message += "; a text that begins with * stands in quotes";
    }
  }
  stop(position, std::move(message));
}

bool TreeBuilder::stop(Position position, std::string message) {
  document_.root.reset();
  document_.problems.push_back({position, std::move(message)});
  return false;
}

}  // namespace

const YamlEntry* YamlNode::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &YamlEntry::key);
  return found == entries.end() ? nullptr : &*found;
}

YamlDocument parse_yaml(std::string_view source) {
  // A byte order mark is no character of the first line.
  if (source.starts_with("\xEF\xBB\xBF")) source.remove_prefix(3);
  return TreeBuilder(source).run();
}

}  // namespace ganglion::project
