#include "project/mentions.h"

#include <algorithm>
#include <array>

#include "base/overloaded.h"
#include "core/expr/regex.h"

namespace ganglion::project {
namespace {

constexpr std::size_t kMaxRules = 1000;

const AgentDefinition* definition_of(std::string_view name, const Agents& agents) {
  const auto found = agents.find(std::string(name));
  return found != agents.end() && found->second ? &*found->second : nullptr;
}

const RouterAgent* router_of(std::string_view name, const Agents& agents) {
  const AgentDefinition* agent = definition_of(name, agents);
  return agent != nullptr ? std::get_if<RouterAgent>(&agent->backend) : nullptr;
}

void read_link(const Field& field, std::string_view whose, const Agents& agents,
               std::vector<std::string>& chain, Diagnostics& diagnostics) {
  const auto refuse = [&](std::string message) {
    diagnostics.add(field.position, field.path, std::move(message));
  };
  auto name = read_text(field, diagnostics);
  if (!name) return;
  if (std::ranges::find(chain, *name) != chain.end()) {
    return refuse("\"" + *name + "\" stands twice in the chain");
  }
  if (*name == kCacheFallback) {
    if (agents.contains(*name)) {
      return refuse("\"cache\" means the cache here, and there is an agent of that name; rename the agent");
    }
  } else if (!agents.contains(*name)) {
    std::string meant = did_you_mean(*name, std::array{std::string(kCacheFallback)});
    if (meant.empty()) meant = diagnostics.nearest(*name, agents);
    return refuse("no agent \"" + *name + "\"" + meant);
  } else if (*name == whose) {
    return refuse("\"" + *name +
                  "\" can't be its own fallback; another attempt of the same agent is \"retry\"");
  } else if (router_of(*name, agents) != nullptr) {
    return refuse("\"" + *name + "\" is a router, which can't stand in a fallback chain; name its targets");
  }
  chain.push_back(std::move(*name));
}

std::optional<std::string> read_target(const Field& field, const Agents& agents, Diagnostics& diagnostics) {
  auto name = read_agent_name(field, agents, diagnostics);
  if (name && router_of(*name, agents) != nullptr) {
    diagnostics.add(field.position, field.path,
                    "\"" + *name + "\" is a router; a router hands tasks to agents of other kinds");
    return std::nullopt;
  }
  return name;
}

std::optional<RouterAgent::Rule> read_rule(const Field& field, const Agents& agents,
                                           Diagnostics& diagnostics) {
  Fields fields(field, diagnostics);
  if (field.value->kind != YamlKind::map) return std::nullopt;
  const auto match = fields.take("match");
  const auto to = fields.take("to");
  fields.finish();
  if (!match || !to) {
    diagnostics.add(field.position, field.path,
                    "a rule needs \"match\" and \"to\", such as {match: '(?i)refund', to: billing}");
  }
  RouterAgent::Rule rule;
  if (match) {
    rule.match = read_text(*match, diagnostics).value_or("");
    if (auto regex = expr::Regex::compile(rule.match)) {
      rule.pattern = *std::move(regex);
    } else {
      diagnostics.add(match->position, match->path, regex.error().message + " (RE2)");
    }
  }
  if (to) rule.to = read_target(*to, agents, diagnostics).value_or("");
  return rule;
}

std::vector<RouterAgent::Rule> read_rules(const Field& field, const Agents& agents,
                                          Diagnostics& diagnostics) {
  std::vector<RouterAgent::Rule> rules;
  const auto& items = field.value->items;
  if (field.value->kind != YamlKind::list || items.empty()) {
    diagnostics.add(field.position, field.path,
                    "expected a list of rules, such as [{match: '(?i)refund', to: billing}], got " +
                        (field.value->kind == YamlKind::list ? "an empty list" : describe(*field.value)));
  } else if (items.size() > kMaxRules) {
    diagnostics.add(field.position, field.path, "more than " + std::to_string(kMaxRules) + " rules");
  } else {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (auto rule = read_rule(field.item(i), agents, diagnostics)) rules.push_back(std::move(*rule));
    }
  }
  return rules;
}

std::optional<std::string> read_classifier(const Field& field, const Agents& agents,
                                           Diagnostics& diagnostics) {
  auto name = read_agent_name(field, agents, diagnostics);
  const AgentDefinition* agent = name ? definition_of(*name, agents) : nullptr;
  if (agent == nullptr) return name;
  const bool fits =
      std::visit(Overloaded{[](const WorkerAgent&) { return true; }, [](const ProcessAgent&) { return true; },
                            [](const HttpAgent&) { return true; }, [](const HumanAgent&) { return false; },
                            [](const RouterAgent&) { return false; }},
                 agent->backend);
  if (!fits) {
    diagnostics.add(field.position, field.path,
                    "a classifier is an agent of kind worker, process or http; \"" + *name + "\" is not");
  }
  return name;
}

}  // namespace

std::optional<std::string> read_agent_name(const Field& field, const Agents& agents,
                                           Diagnostics& diagnostics) {
  auto name = read_text(field, diagnostics);
  if (!name || agents.contains(*name)) return name;
  diagnostics.add(field.position, field.path,
                  "no agent \"" + *name + "\"" + diagnostics.nearest(*name, agents));
  return std::nullopt;
}

std::vector<std::string> read_fallback(const Field& field, std::string_view whose, const Agents& agents,
                                       Diagnostics& diagnostics) {
  std::vector<std::string> chain;
  const auto& items = field.value->items;
  if (field.value->kind != YamlKind::list) {
    diagnostics.add(
        field.position, field.path,
        "expected a list of agents and cache, such as [backup, cache], got " + describe(*field.value));
  } else if (items.size() > kMaxFallbacks) {
    diagnostics.add(
        field.position, field.path,
        std::to_string(items.size()) + " fallbacks; a chain has at most " + std::to_string(kMaxFallbacks));
  } else {
    for (std::size_t i = 0; i < items.size(); ++i) {
      read_link(field.item(i), whose, agents, chain, diagnostics);
    }
  }
  return chain;
}

RouterAgent read_router(const Field& owner, const RouterFields& fields, const Agents& agents,
                        Diagnostics& diagnostics) {
  RouterAgent router;
  if (fields.rules) router.rules = read_rules(*fields.rules, agents, diagnostics);
  if (fields.classifier) router.classifier = read_classifier(*fields.classifier, agents, diagnostics);
  if (fields.otherwise) router.otherwise = read_target(*fields.otherwise, agents, diagnostics);
  if (!fields.rules && !fields.classifier) {
    diagnostics.add(owner.position, owner.path,
                    "an agent of kind router needs \"rules\", a \"classifier\" or both");
  } else if (!fields.rules && !fields.otherwise) {
    diagnostics.add(
        fields.classifier->position, fields.classifier->path,
        "the classifier chooses among the agents of \"rules\" and \"default\", and there are none");
  }
  return router;
}

std::set<std::string> performers_of(const std::string& agent,
                                    const std::optional<std::vector<std::string>>& fallback,
                                    const Agents& agents) {
  std::set<std::string> all;
  std::vector<std::string> next = {agent};
  if (fallback) next.insert(next.end(), fallback->begin(), fallback->end());
  while (!next.empty()) {
    const std::string name = std::move(next.back());
    next.pop_back();
    const AgentDefinition* definition = definition_of(name, agents);
    if (definition == nullptr || !all.insert(name).second) continue;
    // A chain has no chains: only that of the agent itself counts, or of those that a router hands it to.
    const bool first = name == agent || router_of(agent, agents) != nullptr;
    if (!fallback && first) {
      next.insert(next.end(), definition->fallback.begin(), definition->fallback.end());
    }
    const auto* router = std::get_if<RouterAgent>(&definition->backend);
    if (router == nullptr) continue;
    for (const RouterAgent::Rule& rule : router->rules) next.push_back(rule.to);
    if (router->classifier) next.push_back(*router->classifier);
    if (router->otherwise) next.push_back(*router->otherwise);
  }
  return all;
}

}  // namespace ganglion::project
