#include "cli/agent_text.h"

#include "cli/fields.h"
#include "cli/table.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

constexpr std::size_t kNameColumns = 14;

// `4 at once, 60/m`: what holds its tasks back.
std::string limits_of(const Fields& agent) {
  std::string text;
  if (agent.has("concurrency")) text = agent.text("concurrency") + " at once";
  if (agent.has("rate_limit")) text += (text.empty() ? "" : ", ") + agent.text("rate_limit");
  return text;
}

std::string breaker_of(const Fields& agent) {
  const std::string breaker = agent.text("breaker");
  return breaker == "none" ? "" : breaker;
}

std::string retry_of(const Fields& retry) {
  const std::string attempts = retry.text("max_attempts");
  if (attempts == "1") return "1 attempt";
  return attempts + " attempts, " + retry.text("backoff") + " pauses from " + retry.text("initial") + " to " +
         retry.text("max");
}

void add_line(std::string& out, std::string_view name, const std::string& value) {
  if (!value.empty()) out += padded(name, kNameColumns) + printable(value) + "\n";
}

}  // namespace

std::string agents_table(const std::vector<std::string_view>& agents, std::size_t columns) {
  Table table{.header = {"AGENT", "KIND", "QUEUED", "HANDED OUT", "WORKERS", "BREAKER", "LIMITS"},
              .rows = {}};
  for (const std::string_view json : agents) {
    const Fields agent(json);
    table.rows.push_back({agent.text("name"), agent.text("kind"), agent.text("queued"),
                          agent.text("handed_out"),
                          agent.text("kind") == "worker" ? std::to_string(agent.list("workers").size()) : "",
                          breaker_of(agent), limits_of(agent)});
  }
  return render(table, columns);
}

std::string agent_details(std::string_view json, std::size_t columns) {
  const Fields agent(json);
  std::string out;
  add_line(out, "agent", agent.text("name"));
  add_line(out, "kind", agent.text("kind"));
  add_line(out, "queued", agent.text("queued"));
  add_line(out, "handed out", agent.text("handed_out"));
  add_line(out, "polling", agent.text("waiting_polls"));
  add_line(out, "breaker", breaker_of(agent));
  add_line(out, "limits", limits_of(agent));
  add_line(out, "timeout", agent.text("timeout"));
  add_line(out, "idle timeout", agent.text("idle_timeout"));
  if (agent.has("retry")) add_line(out, "retry", retry_of(agent.object("retry")));
  add_line(out, "fallback", agent.joined("fallback", ", then "));
  add_line(out, "subscribes to", agent.joined("subscribes"));
  add_line(out, "publishes", agent.joined("publishes"));
  add_line(out, "reads state", agent.object("state").joined("read"));
  add_line(out, "writes state", agent.object("state").joined("write"));
  const auto workers = agent.list("workers");
  if (workers.empty()) return out;
  Table table{.header = {"WORKER", "LAST SEEN", "HANDED OUT"}, .rows = {}};
  for (const std::string_view one : workers) {
    const Fields worker(one);
    table.rows.push_back({worker.text("worker"), worker.text("last_seen"), worker.text("handed_out")});
  }
  return out + "\n" + render(table, columns);
}

}  // namespace ganglion::cli
