// `ganglion serve`.

#include <algorithm>
#include <string>
#include <vector>

#include "cli/grammar.h"
#include "project/names.h"
#include "project/suggestion.h"

namespace ganglion::cli {
namespace {

std::unexpected<Notice> usage(std::string text) {
  return std::unexpected(Notice{kUsage, std::move(text)});
}

std::expected<Strategy, Notice> strategy_of(const std::string& name) {
  if (const auto strategy = strategy_named(name)) return *strategy;
  std::vector<std::string> names;
  for (const Strategy strategy : kStrategies) names.emplace_back(name_of(strategy));
  return usage("--strategy: no strategy \"" + name + "\"" + project::did_you_mean(name, names) +
               "; there are centralized, mesh, hierarchical and swarm");
}

std::expected<Roles, Notice> roles_of(const std::vector<std::string>& names) {
  Roles roles{.ingress = false, .coordinator = false, .agents = false};
  for (const std::string& name : names) {
    if (name == "ingress") {
      roles.ingress = true;
    } else if (name == "coordinator") {
      roles.coordinator = true;
    } else if (name == "agents") {
      roles.agents = true;
    } else {
      const std::vector<std::string> known = {"ingress", "coordinator", "agents"};
      return usage("--roles: no role \"" + name + "\"" + project::did_you_mean(name, known) +
                   "; there are ingress, coordinator and agents, joined by commas");
    }
  }
  return roles;
}

// Each once, in the order given.
std::expected<std::vector<std::string>, Notice> domains_of(const std::vector<std::string>& names) {
  std::vector<std::string> domains;
  for (const std::string& name : names) {
    if (!project::is_name(name)) {
      return usage(
          "--domain: \"" + name +
          "\" is no domain: names are letters, digits, '_' and '-', a letter or '_' first, at most " +
          std::to_string(project::kMaxNameBytes) + " bytes");
    }
    if (std::ranges::find(domains, name) == domains.end()) domains.push_back(name);
  }
  if (domains.size() > kMaxDomains) {
    return usage("--domain: more than " + std::to_string(kMaxDomains) + " domains");
  }
  return domains;
}

// A store that carries messages as well, in the streams of the same server.
bool is_a_bus(const std::string& store) {
  return store.starts_with("redis://") || store.starts_with("redis+");
}

}  // namespace

void Grammar::add_serve() {
  CLI::App& serve = add(app_, "serve", [this] { return finish_serve(); });
  serve.add_option("-f,--file", serve_.file, "The project file (default ganglion.yaml where there is one)")
      ->type_name("FILE");
  serve
      .add_option("--listen", serve_.listen,
                  "Address to answer at (default 127.0.0.1:7420); port 0 is a free one")
      ->type_name("HOST:PORT");
  serve
      .add_option("--store", serve_.store,
                  std::string("sqlite:PATH, redis://HOST, postgres://HOST/DATABASE or memory:; a URL with a "
                              "password better in GANGLION_STORE, where `ps` doesn't show it (default ") +
                      kDefaultStore + ")")
      ->type_name("STORE");
  serve
      .add_option(
          "--audit", serve_.audit,
          "postgres://HOST/DATABASE to which every journal is copied, for SQL; also in GANGLION_AUDIT")
      ->type_name("URL");
  serve
      .add_option("--token", serve_.token,
                  "Bearer token of clients; better in GANGLION_TOKEN, where `ps` doesn't show it")
      ->type_name("TOKEN");
  serve
      .add_option("--log", raw_.log,
                  "json, text or off, on standard error (default: text on a terminal, else json)")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"json", "text", "off"}).description(""));
  serve.add_flag("--log-transitions", serve_.log_transitions, "A log line for every transition of every run");
  add_sharing(serve);
}

// What matters where several processes share a store.
void Grammar::add_sharing(CLI::App& serve) {
  serve
      .add_option("--bus", raw_.bus,
                  "What carries messages between processes: redis://HOST, amqp://HOST or nats://HOST, also "
                  "in GANGLION_BUS; "
                  "embedded: is this process alone (default: the store where that is Redis, else embedded:)")
      ->type_name("BUS");
  serve
      .add_option("--strategy", raw_.strategy,
                  "How coordinators share the runs: centralized, mesh, hierarchical or swarm (default: the "
                  "project's)")
      ->type_name("STRATEGY");
  serve
      .add_option("--domain", raw_.domains,
                  "Take up runs of this domain alone; may be repeated or joined by commas (default: all)")
      ->type_name("DOMAIN")
      ->delimiter(',')
      ->allow_extra_args(false);
  serve
      .add_option(
          "--roles", raw_.roles,
          "What this process does: ingress, coordinator, agents, joined by commas (default: all three)")
      ->type_name("ROLES")
      ->delimiter(',')
      ->allow_extra_args(false);
}

std::expected<void, Notice> Grammar::finish_sharing() {
  if (!raw_.bus) raw_.bus = environment("GANGLION_BUS");
  serve_.bus = raw_.bus.value_or(is_a_bus(serve_.store) ? serve_.store : kDefaultBus);
  if (raw_.strategy) {
    const auto strategy = strategy_of(*raw_.strategy);
    if (!strategy) return std::unexpected(strategy.error());
    serve_.strategy = *strategy;
  }
  auto domains = domains_of(raw_.domains);
  if (!domains) return std::unexpected(domains.error());
  serve_.domains = *std::move(domains);
  if (!raw_.roles.empty()) {
    const auto roles = roles_of(raw_.roles);
    if (!roles) return std::unexpected(roles.error());
    serve_.roles = *roles;
  }
  if (!serve_.roles.coordinator && !serve_.domains.empty()) {
    return usage(
        "--domain says whose runs a coordinator takes up; add coordinator to --roles, or leave it out");
  }
  if (!serve_.roles.all() && serve_.bus == kDefaultBus) {
    return usage(
        "--roles: who has some of the roles needs others for the rest, and a bus to them: --bus URL, "
        "or a store in Redis");
  }
  return {};
}

std::expected<Command, Notice> Grammar::finish_serve() {
  if (auto finished = finish_sharing(); !finished) return std::unexpected(finished.error());
  if (raw_.log == "json") serve_.log = LogFormat::json;
  if (raw_.log == "text") serve_.log = LogFormat::text;
  if (raw_.log == "off") serve_.log = LogFormat::off;
  if (!serve_.token) serve_.token = environment("GANGLION_TOKEN");
  if (!serve_.audit) serve_.audit = environment("GANGLION_AUDIT");
  return Command(serve_);
}

}  // namespace ganglion::cli
