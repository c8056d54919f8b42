#include "project/agents.h"

#include <algorithm>
#include <array>

#include "project/mentions.h"
#include "project/names.h"
#include "project/secrets.h"
#include "project/suggestion.h"
#include "project/values.h"

namespace ganglion::project {
namespace {

enum class Kind { worker, process, http, human, router, later };

const std::map<std::string, Kind> kKinds = {
    {"worker", Kind::worker}, {"process", Kind::process}, {"http", Kind::http}, {"human", Kind::human},
    {"router", Kind::router}, {"llm", Kind::later},       {"a2a", Kind::later}, {"mcp", Kind::later}};
constexpr std::string_view kThereAre = "worker, process, http, human";

// A key that only some kinds have, and what else to do where that helps.
struct SpecialKey {
  std::string_view key;
  std::vector<Kind> kinds;
  std::string_view whose;  // of these kinds, in words
  std::string_view advice = {};
};

// What keeps attempts in bounds is for those that are handed out; a router hands on, and a person takes what
// time it takes.
constexpr std::string_view kHandedOut = "worker, process and http";
const std::array kSpecialKeys = {
    SpecialKey{"command", {Kind::process}, "process"},
    SpecialKey{"env", {Kind::process}, "process"},
    SpecialKey{"url", {Kind::http}, "http"},
    SpecialKey{"headers", {Kind::http}, "http"},
    SpecialKey{"by", {Kind::human}, "human"},
    SpecialKey{"rules", {Kind::router}, "router"},
    SpecialKey{"classifier", {Kind::router}, "router"},
    SpecialKey{"default", {Kind::router}, "router"},
    SpecialKey{"idle_timeout", {Kind::worker}, "worker"},
    SpecialKey{"timeout",
               {Kind::worker, Kind::process, Kind::http},
               kHandedOut,
               "; the step that asks may have a timeout"},
    SpecialKey{"retry", {Kind::worker, Kind::process, Kind::http}, kHandedOut},
    SpecialKey{"circuit_breaker", {Kind::worker, Kind::process, Kind::http}, kHandedOut},
    SpecialKey{"concurrency", {Kind::worker, Kind::process, Kind::http}, kHandedOut},
    SpecialKey{"rate_limit", {Kind::worker, Kind::process, Kind::http}, kHandedOut},
    SpecialKey{"budget", {Kind::worker, Kind::process, Kind::http}, kHandedOut},
    SpecialKey{"output",
               {Kind::worker, Kind::process, Kind::http, Kind::human},
               "worker, process, http and human",
               "; the agents that it routes to have their own"},
    SpecialKey{"fallback",
               {Kind::worker, Kind::process, Kind::http, Kind::human},
               "worker, process, http and human",
               "; the agents that it routes to have their own"},
    SpecialKey{"publishes", {Kind::worker, Kind::process, Kind::http}, kHandedOut},
};

std::optional<Kind> read_kind(Fields& fields, Diagnostics& diagnostics) {
  const auto field = fields.take("kind");
  if (!field) {
    diagnostics.add(fields.owner().position, fields.owner().path,
                    "an agent needs a kind: " + std::string(kThereAre) + " or router");
    return std::nullopt;
  }
  const auto name = read_text(*field, diagnostics);
  if (!name) return std::nullopt;
  const auto kind = kKinds.find(*name);
  if (kind == kKinds.end()) {
    diagnostics.add(field->position, field->path,
                    "no kind \"" + *name + "\"" + diagnostics.nearest(*name, kKinds));
    return std::nullopt;
  }
  if (kind->second == Kind::later) {
    diagnostics.add(field->position, field->path,
                    not_available("an agent of kind \"" + *name + "\"") + "; there are " +
                        std::string(kThereAre) + " and router");
  }
  return kind->second;
}

// What an agent says about others: read when all are known.
struct Mentions {
  std::string name;
  Field owner;
  std::optional<Field> fallback;
  RouterFields router;
};

class AgentReader {
 public:
  AgentReader(const std::string& name, const Field& field, const Defaults& defaults, Diagnostics& diagnostics)
      : defaults_(defaults),
        diagnostics_(diagnostics),
        fields_(field, diagnostics),
        mentions_{name, field, std::nullopt, {}} {
    check_name(name, field, diagnostics);
  }

  std::optional<AgentDefinition> run() {
    if (fields_.owner().value->kind != YamlKind::map) return std::nullopt;
    const auto kind = read_kind(fields_, diagnostics_);
    if (!kind || *kind == Kind::later) {
      // What else it says can't be judged, except that a key doesn't exist in any kind.
      for (const SpecialKey& special : kSpecialKeys) fields_.allow({special.key});
      fields_.allow({"subscribes", "state", "model", "instructions", "prompt", "tools", "guardrails"});
      fields_.finish();
      return std::nullopt;
    }
    for (const SpecialKey& special : kSpecialKeys) refuse_foreign(special, *kind);
    agent_.name = mentions_.name;
    read_backend(*kind);
    if (is_handed_out(*kind)) read_policies(*kind);
    read_rights(*kind);
    if (const auto output = fields_.take("output")) agent_.output = read_schema(*output, diagnostics_);
    mentions_.fallback = fields_.take("fallback");
    fields_.refuse({"model", "instructions", "prompt", "tools", "guardrails"});
    fields_.finish();
    return std::move(agent_);
  }

  Mentions mentions() && { return std::move(mentions_); }

 private:
  static bool is_handed_out(Kind kind) {
    return kind == Kind::worker || kind == Kind::process || kind == Kind::http;
  }

  void refuse_foreign(const SpecialKey& special, Kind kind) {
    if (std::ranges::find(special.kinds, kind) != special.kinds.end()) return;
    const auto field = fields_.take(special.key);
    if (!field) return;
    diagnostics_.add(field->position, field->path,
                     "\"" + std::string(special.key) + "\" is a key of agents of kind " +
                         std::string(special.whose) + std::string(special.advice));
  }

  std::optional<Field> need(std::string_view key, std::string_view kind) {
    const auto field = fields_.take(key);
    if (!field) {
      const Field& owner = fields_.owner();
      diagnostics_.add(owner.position, owner.path,
                       "an agent of kind " + std::string(kind) + " needs \"" + std::string(key) + "\"");
    }
    return field;
  }

  void read_backend(Kind kind) {
    switch (kind) {
      case Kind::worker:
      case Kind::later:
        agent_.backend = WorkerAgent{};
        return;
      case Kind::process: {
        ProcessAgent process;
        if (const auto command = need("command", "process")) {
          process.command = read_command(*command, diagnostics_);
        }
        if (const auto env = fields_.take("env")) process.env = read_environment(*env, diagnostics_);
        agent_.backend = std::move(process);
        return;
      }
      case Kind::http: {
        HttpAgent http;
        if (const auto url = need("url", "http")) http.url = read_url(*url, diagnostics_);
        if (const auto headers = fields_.take("headers")) http.headers = read_headers(*headers, diagnostics_);
        agent_.backend = std::move(http);
        return;
      }
      case Kind::human: {
        HumanAgent human;
        if (const auto by = fields_.take("by")) human.by = read_people(*by, diagnostics_);
        agent_.backend = std::move(human);
        return;
      }
      case Kind::router:
        mentions_.router = {fields_.take("rules"), fields_.take("classifier"), fields_.take("default")};
        agent_.backend = RouterAgent{};
        return;
    }
  }

  void read_policies(Kind kind) {
    agent_.timeout = defaults_.timeout;
    if (const auto timeout = fields_.take("timeout")) {
      agent_.timeout = read_timeout(*timeout, diagnostics_).value_or(agent_.timeout);
    }
    if (kind == Kind::worker) agent_.idle_timeout = defaults_.idle_timeout;
    if (const auto idle = fields_.take("idle_timeout"))
      agent_.idle_timeout = read_timeout(*idle, diagnostics_);
    agent_.retry = defaults_.retry;
    if (const auto retry = fields_.take("retry")) {
      agent_.retry = read_retry(*retry, defaults_.retry, diagnostics_);
    }
    agent_.breaker = defaults_.breaker;
    if (const auto breaker = fields_.take("circuit_breaker")) {
      agent_.breaker = read_breaker(*breaker, defaults_.breaker.value_or(CircuitBreaker{}), diagnostics_);
    }
    agent_.concurrency = defaults_.concurrency;
    if (const auto concurrency = fields_.take("concurrency")) {
      agent_.concurrency = read_concurrency(*concurrency, diagnostics_);
    }
    agent_.rate_limit = defaults_.rate_limit;
    if (const auto rate = fields_.take("rate_limit"))
      agent_.rate_limit = read_rate_limit(*rate, diagnostics_);
    if (const auto budget = fields_.take("budget")) agent_.budget = read_budget(*budget, diagnostics_);
  }

  void read_rights(Kind kind) {
    if (const auto topics = fields_.take("subscribes")) {
      agent_.subscribes = read_patterns(*topics, diagnostics_);
    }
    if (const auto topics = fields_.take("publishes")) {
      agent_.publishes = read_patterns(*topics, diagnostics_);
    }
    const auto state = fields_.take("state");
    if (!state) return;
    Fields access(*state, diagnostics_);
    if (const auto keys = access.take("read")) agent_.state.read = read_patterns(*keys, diagnostics_);
    if (const auto keys = access.take("write")) {
      agent_.state.write = read_patterns(*keys, diagnostics_);
      if (!is_handed_out(kind)) {
        diagnostics_.add(
            keys->position, keys->path,
            "\"write\" is for agents of kind " + std::string(kHandedOut) + ": their results write");
      }
    }
    access.finish();
  }

  const Defaults& defaults_;
  Diagnostics& diagnostics_;
  Fields fields_;
  AgentDefinition agent_;
  Mentions mentions_;
};

// `chain` is that of the defaults. A person's no must not be asked of somebody else unless the file says so;
// a router has no chain.
std::vector<std::string> default_fallback(const AgentDefinition& agent, std::vector<std::string> chain) {
  if (std::holds_alternative<HumanAgent>(agent.backend)) return {};
  if (std::holds_alternative<RouterAgent>(agent.backend)) return {};
  std::erase(chain, agent.name);
  return chain;
}

void resolve(const Mentions& mentions, const std::vector<std::string>& default_chain, Agents& agents,
             Diagnostics& diagnostics) {
  AgentDefinition& agent = *agents.at(mentions.name);
  if (std::holds_alternative<RouterAgent>(agent.backend)) {
    agent.backend = read_router(mentions.owner, mentions.router, agents, diagnostics);
  }
  agent.fallback = mentions.fallback ? read_fallback(*mentions.fallback, mentions.name, agents, diagnostics)
                                     : default_fallback(agent, default_chain);
}

}  // namespace

Agents read_agents(const Field& field, const Defaults& defaults, Diagnostics& diagnostics) {
  Agents agents;
  std::vector<Mentions> mentions;
  for (const auto& [name, each] : Fields(field, diagnostics).take_all()) {
    AgentReader reader(name, each, defaults, diagnostics);
    // A name that stands twice is reported with the YAML; the first counts.
    const auto [at, inserted] = agents.emplace(name, reader.run());
    if (inserted && at->second) mentions.push_back(std::move(reader).mentions());
  }
  std::vector<std::string> default_chain;
  if (defaults.fallback) default_chain = read_fallback(*defaults.fallback, "", agents, diagnostics);
  for (const Mentions& each : mentions) resolve(each, default_chain, agents, diagnostics);
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
