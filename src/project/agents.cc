#include "project/agents.h"

#include <algorithm>
#include <array>

#include "project/secrets.h"
#include "project/suggestion.h"
#include "project/values.h"

namespace ganglion::project {
namespace {

constexpr std::int64_t kMaxAttempts = 1000;

const std::vector<std::string> kKinds = {"worker", "process", "http"};
const std::vector<std::string> kLaterKinds = {"llm", "a2a", "mcp", "human", "router"};

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

enum class Kind { worker, process, http, later };

std::optional<Kind> read_kind(Fields& fields, Diagnostics& diagnostics) {
  const auto field = fields.take("kind");
  if (!field) {
    diagnostics.add(fields.owner().position, fields.owner().path,
                    "an agent needs a kind: worker, process or http");
    return std::nullopt;
  }
  const auto kind = read_text(*field, diagnostics);
  if (!kind) return std::nullopt;
  if (*kind == "worker") return Kind::worker;
  if (*kind == "process") return Kind::process;
  if (*kind == "http") return Kind::http;
  if (contains(kLaterKinds, *kind)) {
    diagnostics.add(
        field->position, field->path,
        not_available("an agent of kind \"" + *kind + "\"") + "; there are worker, process and http");
    return Kind::later;
  }
  std::vector<std::string> known = kKinds;
  known.insert(known.end(), kLaterKinds.begin(), kLaterKinds.end());
  diagnostics.add(field->position, field->path, "no kind \"" + *kind + "\"" + did_you_mean(*kind, known));
  return std::nullopt;
}

// A key of another kind of agent.
void refuse_foreign(Fields& fields, std::string_view key, std::string_view kind, Diagnostics& diagnostics) {
  if (const auto field = fields.take(key)) {
    diagnostics.add(field->position, field->path,
                    "\"" + std::string(key) + "\" is a key of agents of kind " + std::string(kind));
  }
}

std::optional<AgentBackend> read_backend(Kind kind, Fields& fields, Diagnostics& diagnostics) {
  if (kind != Kind::process) {
    refuse_foreign(fields, "command", "process", diagnostics);
    refuse_foreign(fields, "env", "process", diagnostics);
  }
  if (kind != Kind::http) {
    refuse_foreign(fields, "url", "http", diagnostics);
    refuse_foreign(fields, "headers", "http", diagnostics);
  }
  if (kind == Kind::worker) return WorkerAgent{};
  const std::string_view needed = kind == Kind::process ? "command" : "url";
  const auto field = fields.take(needed);
  if (!field) {
    diagnostics.add(fields.owner().position, fields.owner().path,
                    "an agent of kind " + std::string(kind == Kind::process ? "process" : "http") +
                        " needs \"" + std::string(needed) + "\"");
  }
  if (kind == Kind::process) {
    ProcessAgent agent;
    if (field) agent.command = read_command(*field, diagnostics);
    if (const auto env = fields.take("env")) agent.env = read_environment(*env, diagnostics);
    return agent;
  }
  HttpAgent agent;
  if (field) agent.url = read_url(*field, diagnostics);
  if (const auto headers = fields.take("headers")) agent.headers = read_headers(*headers, diagnostics);
  return agent;
}

std::optional<AgentDefinition> read_agent(const std::string& name, const Field& field,
                                          const Defaults& defaults, Diagnostics& diagnostics) {
  check_name(name, field, diagnostics);
  Fields fields(field, diagnostics);
  if (field.value->kind != YamlKind::map) return std::nullopt;
  const auto kind = read_kind(fields, diagnostics);
  if (!kind || *kind == Kind::later) {
    // What else it says can't be judged, except that a key doesn't exist in any kind.
    fields.allow({"timeout",   "retry",           "output",       "command",    "env",        "url",
                  "headers",   "model",           "instructions", "prompt",     "tools",      "idle_timeout",
                  "fallback",  "circuit_breaker", "concurrency",  "rate_limit", "guardrails", "subscribes",
                  "publishes", "state",           "rules",        "classifier", "default"});
    fields.finish();
    return std::nullopt;
  }
  AgentDefinition agent;
  agent.name = name;
  agent.timeout = defaults.timeout;
  agent.retry = defaults.retry;
  if (auto backend = read_backend(*kind, fields, diagnostics)) agent.backend = std::move(*backend);
  if (const auto timeout = fields.take("timeout")) {
    agent.timeout = read_timeout(*timeout, diagnostics).value_or(agent.timeout);
  }
  if (const auto retry = fields.take("retry")) agent.retry = read_retry(*retry, defaults.retry, diagnostics);
  if (const auto output = fields.take("output")) agent.output = read_schema(*output, diagnostics);
  fields.refuse({"model", "instructions", "prompt", "tools", "idle_timeout", "fallback", "circuit_breaker",
                 "concurrency", "rate_limit", "guardrails", "subscribes", "publishes", "state", "rules",
                 "classifier", "default"});
  fields.finish();
  return agent;
}

}  // namespace

void check_name(const std::string& name, const Field& field, Diagnostics& diagnostics) {
  const auto starts = [](unsigned char c) { return c < 0x80 && (std::isalpha(c) != 0 || c == '_'); };
  const auto goes_on = [&](unsigned char c) { return starts(c) || std::isdigit(c) != 0 || c == '-'; };
  if (name.size() > kMaxNameBytes) {
    diagnostics.add(field.position, field.path,
                    "a name has at most " + std::to_string(kMaxNameBytes) + " bytes");
    return;
  }
  if (!name.empty() && starts(static_cast<unsigned char>(name.front())) && std::ranges::all_of(name, goes_on))
    return;
  diagnostics.add(field.position, field.path,
                  "no name: names are letters, digits, '_' and '-', a letter or '_' first");
}

RetryPolicy read_retry(const Field& field, const RetryPolicy& base, Diagnostics& diagnostics) {
  RetryPolicy retry = base;
  Fields fields(field, diagnostics);
  if (const auto attempts = fields.take("max_attempts")) {
    const auto number = read_integer(*attempts, 1, kMaxAttempts, diagnostics);
    retry.max_attempts = static_cast<std::uint32_t>(number.value_or(base.max_attempts));
  }
  if (const auto backoff = fields.take("backoff")) {
    const std::string_view kind = backoff->value->text;
    if (kind == "constant")
      retry.backoff = Backoff::constant;
    else if (kind == "exponential")
      retry.backoff = Backoff::exponential;
    else
      diagnostics.add(backoff->position, backoff->path,
                      "expected constant or exponential, got " + describe(*backoff->value));
  }
  const auto initial = fields.take("initial");
  if (initial) retry.initial = read_duration(*initial, diagnostics).value_or(base.initial);
  const auto max = fields.take("max");
  if (max) retry.max = read_duration(*max, diagnostics).value_or(base.max);
  if (const auto jitter = fields.take("jitter")) {
    retry.jitter = read_number(*jitter, 0, 1, diagnostics).value_or(base.jitter);
  }
  fields.finish();
  if (retry.initial > retry.max && (initial || max)) {
    const Field& culprit = initial ? *initial : *max;
    diagnostics.add(culprit.position, culprit.path,
                    "initial (" + format_duration(retry.initial) + ") is longer than max (" +
                        format_duration(retry.max) + ")");
  }
  return retry;
}

Defaults read_defaults(const Field& field, Diagnostics& diagnostics) {
  Defaults defaults;
  Fields fields(field, diagnostics);
  if (const auto timeout = fields.take("timeout")) {
    defaults.timeout = read_timeout(*timeout, diagnostics).value_or(defaults.timeout);
  }
  if (const auto retry = fields.take("retry"))
    defaults.retry = read_retry(*retry, defaults.retry, diagnostics);
  // "For every agent": each key of an agent may stand here one day.
  fields.refuse(
      {"model", "idle_timeout", "fallback", "circuit_breaker", "concurrency", "rate_limit", "guardrails"});
  fields.finish();
  return defaults;
}

Agents read_agents(const Field& field, const Defaults& defaults, Diagnostics& diagnostics) {
  Agents agents;
  for (const auto& [name, agent] : Fields(field, diagnostics).take_all()) {
    agents.emplace(name, read_agent(name, agent, defaults, diagnostics));
  }
  return agents;
}

std::vector<WorkerProgram> read_workers(const Field& field, Diagnostics& diagnostics) {
  std::vector<WorkerProgram> programs;
  for (const auto& [name, program] : Fields(field, diagnostics).take_all()) {
    check_name(name, program, diagnostics);
    Fields fields(program, diagnostics);
    const auto command = fields.take("command");
    const auto env = fields.take("env");
    fields.finish();
    if (!command && program.value->kind == YamlKind::map) {
      diagnostics.add(program.position, program.path, "a worker program needs \"command\"");
    }
    programs.push_back({name, command ? read_command(*command, diagnostics) : std::vector<std::string>(),
                        env ? read_environment(*env, diagnostics) : std::map<std::string, std::string>()});
  }
  return programs;
}

}  // namespace ganglion::project
