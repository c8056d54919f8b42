#include "project/state_access.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "core/topic.h"

namespace ganglion::project {
namespace {

// As many words of the pattern, if it has more.
std::optional<std::string_view> beginning(std::string_view pattern, std::size_t words) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < words; ++i) {
    end = pattern.find('.', end == 0 ? 0 : end + 1);
    if (end == std::string_view::npos) return std::nullopt;
  }
  return pattern.substr(0, end);
}

// Where the key ends and the path inside its value begins isn't known from the expression: any beginning of
// it may be the key. And all of it may be the beginning of keys: then it stands for those that may be read.
bool may_read(const StateAccess& access, const std::vector<std::string>& path) {
  std::string key;
  for (const std::string& part : path) {
    if (!key.empty()) key += '.';
    key += part;
    if (!is_topic(key)) return false;
    if (any_matches(access.read, key)) return true;
  }
  const auto words = static_cast<std::size_t>(std::ranges::count(key, '.')) + 1;
  return std::ranges::any_of(access.read, [&](const std::string& pattern) {
    const auto first = beginning(pattern, words);
    return first && topic_matches(*first, key);
  });
}

std::string dotted(const std::vector<std::string>& path) {
  std::string out;
  for (const std::string& part : path) out += (out.empty() ? "" : ".") + part;
  return out;
}

}  // namespace

void check_state_access(std::span<const StateMention> mentions, const std::set<std::string>& readers,
                        const Agents& agents, Diagnostics& diagnostics) {
  for (const StateMention& mention : mentions) {
    if (mention.path.empty()) continue;
    for (const std::string& reader : readers) {
      const auto agent = agents.find(reader);
      if (agent == agents.end() || !agent->second || may_read(agent->second->state, mention.path)) continue;
      diagnostics.add_inside(mention.field, mention.offset,
                             "agent \"" + reader + "\" may not read \"" + dotted(mention.path) +
                                 "\" of the state; its state.read would have to allow it");
      break;
    }
  }
}

}  // namespace ganglion::project
