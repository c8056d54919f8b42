#include "core/chain.h"

#include <algorithm>

#include "base/json_text.h"
#include "core/expr/value.h"
#include "core/run.h"

namespace ganglion {
namespace {

// A cached answer that only a fallback asks for.
constexpr Duration kRecallTtl = std::chrono::days(30);

void append_texts(const expr::Value& value, std::string& out) {
  switch (value.kind()) {
    case expr::Kind::string:
      if (!out.empty()) out += '\n';
      out += value.as_string();
      return;
    case expr::Kind::list:
      for (std::size_t i = 0; i < value.size(); ++i) append_texts(value.at(i), out);
      return;
    case expr::Kind::map:
      for (std::size_t i = 0; i < value.size(); ++i) append_texts(value.entry(i).second, out);
      return;
    case expr::Kind::null:
    case expr::Kind::boolean:
    case expr::Kind::integer:
    case expr::Kind::unsigned_integer:
    case expr::Kind::real:
    case expr::Kind::bytes:
    case expr::Kind::timestamp:
    case expr::Kind::duration:
    case expr::Kind::type:
      return;
  }
}

std::string named_agent(const Payload& answer) {
  const expr::Value value = expr::Value::json(answer);
  if (value.is(expr::Kind::string)) return value.as_string();
  if (!value.is(expr::Kind::map)) return {};
  const expr::Value* name = value.find("agent");
  return name && name->is(expr::Kind::string) ? name->as_string() : std::string();
}

}  // namespace

std::vector<Link> chain_of(const StepDefinition& step, const AgentDefinition& agent) {
  std::vector<Link> chain;
  if (step.cache) chain.push_back({TaskRole::cache, {}});
  chain.push_back({TaskRole::work, agent.name});
  for (const std::string& next : step.fallback ? *step.fallback : agent.fallback) {
    if (next == kCacheFallback) {
      chain.push_back({TaskRole::recall, {}});
    } else if (next != agent.name) {
      chain.push_back({TaskRole::work, next});
    }
  }
  return chain;
}

std::vector<Link> chain_of(const Run& run, StepIndex step, ItemIndex item) {
  const auto* call = std::get_if<AgentCall>(&run.definition(step).action);
  const TaskRecord* task = run.find_task(step, item);
  if (call == nullptr || task == nullptr) return {};
  std::string performer = call->agent;
  if (performer.empty() && task->details) performer = task->details->called;
  if (task->details && !task->details->routed.empty()) performer = task->details->routed;
  const auto agent = run.project().agents.find(performer);
  if (agent == run.project().agents.end()) return {};
  return chain_of(run.definition(step), agent->second);
}

std::vector<const AgentDefinition*> readers_of(const Project& project, const StepDefinition& step,
                                               const AgentDefinition& agent) {
  std::vector<const AgentDefinition*> readers;
  const auto add = [&](const std::string& name) -> const AgentDefinition* {
    const auto found = project.agents.find(name);
    if (found == project.agents.end()) return nullptr;
    readers.push_back(&found->second);
    return readers.back();
  };
  std::vector<const AgentDefinition*> performers = {&agent};
  readers.push_back(&agent);
  if (const auto* router = std::get_if<RouterAgent>(&agent.backend)) {
    for (const std::string& target : targets_of(*router)) performers.push_back(add(target));
    if (router->classifier) add(*router->classifier);
  }
  for (const AgentDefinition* performer : performers) {
    if (performer == nullptr) continue;
    for (const std::string& next : step.fallback ? *step.fallback : performer->fallback) add(next);
  }
  return readers;
}

std::optional<Duration> cache_ttl(const StepDefinition& step, const std::vector<Link>& chain) {
  const bool recalled =
      std::ranges::any_of(chain, [](const Link& link) { return link.role == TaskRole::recall; });
  if (!step.cache && !recalled) return std::nullopt;
  const Duration ttl = step.cache ? step.cache->ttl : Duration::zero();
  return recalled ? std::max(ttl, kRecallTtl) : ttl;
}

std::string text_of(const Payload& input) {
  std::string text;
  append_texts(expr::Value::json(input), text);
  return text;
}

std::optional<Route> route_by_rule(const RouterAgent& router, const Payload& input) {
  if (router.rules.empty()) return std::nullopt;
  const std::string text = text_of(input);
  for (const RouterAgent::Rule& rule : router.rules) {
    if (rule.pattern && rule.pattern->matches(text)) return Route{rule.to, RoutedBy::rule, rule.match};
  }
  return std::nullopt;
}

std::vector<std::string> targets_of(const RouterAgent& router) {
  std::vector<std::string> targets;
  const auto add = [&](const std::string& name) {
    if (std::ranges::find(targets, name) == targets.end()) targets.push_back(name);
  };
  for (const RouterAgent::Rule& rule : router.rules) add(rule.to);
  if (router.otherwise) add(*router.otherwise);
  return targets;
}

std::optional<Route> route_by_answer(const RouterAgent& router, const Payload& answer) {
  const std::string name = named_agent(answer);
  const std::vector<std::string> targets = targets_of(router);
  if (std::ranges::find(targets, name) == targets.end()) return std::nullopt;
  return Route{name, RoutedBy::classifier, *router.classifier + " answered " + name};
}

Payload question_of(const RouterAgent& router, const Payload& input) {
  std::string agents = "[";
  for (const std::string& target : targets_of(router)) {
    if (agents.size() > 1) agents += ',';
    append_json_string(agents, target);
  }
  JsonObject question;
  question.add_raw("input", input.bytes()).add_raw("agents", agents + "]");
  return Payload(question.finish());
}

}  // namespace ganglion
