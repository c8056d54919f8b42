#include "project/state_access.h"

#include <vector>

#include "core/topic.h"

namespace ganglion::project {
namespace {

// Where the key ends and the path inside its value begins isn't known from the expression: any beginning of
// it may be the key.
bool may_read(const StateAccess& access, const std::vector<std::string>& path) {
  std::string key;
  for (const std::string& part : path) {
    if (!key.empty()) key += '.';
    key += part;
    if (is_topic(key) && any_matches(access.read, key)) return true;
  }
  return false;
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
