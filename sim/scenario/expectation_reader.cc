#include "sim/scenario/expectation_reader.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "project/suggestion.h"

namespace ganglion::scenario {
namespace {

// An expression without the space inside its ${{ … }}.
std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \n\t");
  const std::size_t last = text.find_last_not_of(" \n\t");
  return first == std::string::npos ? text : text.substr(first, last - first + 1);
}

using Words = std::vector<std::string>;

const Words kRunMembers = {"id",      "workflow",    "definition", "status", "input",
                           "output",  "error",       "session_id", "labels", "priority",
                           "version", "created_at",  "ended_at",   "usage",  "parent",
                           "cause",   "forked_from", "budget",     "steps"};
const Words kStepMembers = {"status", "attempts", "output", "error",       "started_at", "ended_at", "needs",
                            "usage",  "agent",    "run_id", "waiting_for", "iteration",  "items"};
const Words kTotals = {"runs",     "latency",      "tokens",  "usd",      "attempts",
                       "failures", "dead_letters", "effects", "workflows"};
const Words kRuns = {"started", "completed", "failed", "cancelled", "open"};
const Words kLatency = {"p50_ms", "p90_ms", "p99_ms", "max_ms"};
const Words kEffect = {"executions", "distinct", "duplicates"};
const Words kWorkflow = {"runs", "latency"};

class ExpectationReader {
 public:
  ExpectationReader(const Field& field, const std::map<std::string, AgentModel>& agents,
                    const Reading& reading)
      : agents_(agents), reading_(reading), fields_(field, reading.diagnostics) {}

  std::optional<Expectation> run() {
    const Field& owner = fields_.owner();
    if (owner.value->kind != YamlKind::map) return std::nullopt;
    const auto given = take_condition();
    const auto workflow = fields_.take("workflow");
    const auto name = fields_.take("name");
    fields_.finish();
    if (!given) return std::nullopt;
    const auto& [kind, field] = *given;
    std::set<std::string, std::less<>> workflows;
    if (workflow) workflows = read_scope(*workflow, kind);
    auto condition = read_condition(field, kind);
    if (!condition) return std::nullopt;
    if (kind != ExpectationKind::totals) narrow(field, workflows);
    Expectation expectation{.kind = kind, .condition = *std::move(condition)};
    expectation.workflows = std::move(workflows);
    expectation.line = owner.position.line;
    expectation.name = trimmed(expectation.condition.source());
    if (name) {
      expectation.name = project::read_text(*name, reading_.diagnostics).value_or(expectation.name);
    }
    return expectation;
  }

 private:
  using Given = std::pair<ExpectationKind, Field>;

  std::optional<Given> take_condition() {
    constexpr std::array<std::pair<std::string_view, ExpectationKind>, 4> kKinds = {{
        {"always", ExpectationKind::always},
        {"eventually", ExpectationKind::eventually},
        {"sometimes", ExpectationKind::sometimes},
        {"totals", ExpectationKind::totals},
    }};
    std::vector<Given> given;
    for (const auto& [key, kind] : kKinds) {
      if (const auto field = fields_.take(key)) given.emplace_back(kind, *field);
    }
    if (given.size() == 1) return given.front();
    reading_.report(fields_.owner(),
                    "needs exactly one of \"always\", \"eventually\", \"sometimes\" and \"totals\"");
    return std::nullopt;
  }

  std::set<std::string, std::less<>> read_scope(const Field& field, ExpectationKind kind) {
    const auto name = project::read_text(field, reading_.diagnostics);
    const auto& workflows = reading_.project.workflows;
    if (kind == ExpectationKind::totals) {
      reading_.report(field, "the totals are of all workflows; write totals.workflows.NAME");
    } else if (name && !workflows.contains(*name)) {
      reading_.report(field,
                      "no workflow \"" + *name + "\"" + reading_.diagnostics.nearest(*name, workflows));
    } else if (name) {
      return {*name};
    }
    return {};
  }

  std::optional<expr::Program> read_condition(const Field& field, ExpectationKind kind) {
    const bool totals = kind == ExpectationKind::totals;
    project::ExpressionReader reader(
        reading_.diagnostics,
        [this, totals](const Field& place, const expr::Reference& reference, std::size_t offset) {
          auto problem = totals ? check_totals(reference.path) : check_run(reference.path);
          if (problem) reading_.diagnostics.add_inside(place, offset, std::move(*problem));
        });
    return reader.condition(field);
  }

  static std::optional<std::string> unknown(std::string_view what, const std::string& word,
                                            const Words& known) {
    if (std::ranges::find(known, word) != known.end()) return std::nullopt;
    std::string instead = project::did_you_mean(word, known);
    if (instead.empty()) {
      for (const std::string& name : known) instead += (instead.empty() ? "; there is " : ", ") + name;
    }
    return std::string(what) + " has no \"" + word + "\"" + instead;
  }

  template <typename Map>
  static Words keys_of(const Map& map) {
    Words keys;
    for (const auto& entry : map) keys.push_back(entry.first);
    return keys;
  }

  std::optional<std::string> check_run(const std::vector<std::string>& path) {
    if (path[0] != "run") {
      return "no name \"" + path[0] + "\" here: write run.status, run.steps.NAME.output, …";
    }
    if (path.size() < 2) return std::nullopt;
    if (auto problem = unknown("a run", path[1], kRunMembers)) return problem;
    if (path[1] != "steps" || path.size() < 3) return std::nullopt;
    steps_.insert(path[2]);
    return path.size() < 4 ? std::nullopt : unknown("a step", path[3], kStepMembers);
  }

  // The members of `path` from `at` on, each among those that the one before has.
  static std::optional<std::string> check_members(const std::vector<std::string>& path, std::size_t at) {
    const std::string& group = path[at];
    if (path.size() <= at + 1) return std::nullopt;
    if (group == "runs") return unknown("runs", path[at + 1], kRuns);
    if (group == "latency") return unknown("latency", path[at + 1], kLatency);
    return std::nullopt;
  }

  std::optional<std::string> check_totals(const std::vector<std::string>& path) {
    if (path[0] != "totals") {
      return "no name \"" + path[0] + "\" here: write totals.runs.failed, totals.latency.p99_ms, …";
    }
    if (path.size() < 2) return std::nullopt;
    if (auto problem = unknown("totals", path[1], kTotals)) return problem;
    if (path.size() < 3) return std::nullopt;
    if (path[1] == "effects") return check_effect(path);
    if (path[1] != "workflows") return check_members(path, 1);
    if (auto problem = unknown("the project", path[2], keys_of(reading_.project.workflows))) return problem;
    if (path.size() < 4) return std::nullopt;
    if (auto problem = unknown("a workflow", path[3], kWorkflow)) return problem;
    return check_members(path, 3);
  }

  std::optional<std::string> check_effect(const std::vector<std::string>& path) const {
    Words counted;
    for (const auto& [name, agent] : agents_) {
      if (agent.effect != Effect::pure) counted.push_back(name);
    }
    if (std::ranges::find(counted, path[2]) == counted.end()) {
      const bool exists = agents_.contains(path[2]);
      return exists ? "the agent " + path[2] +
                          " is pure and nothing of it is counted; set effect: irreversible or idempotent"
                    : "no agent \"" + path[2] + "\" with an effect" + project::did_you_mean(path[2], counted);
    }
    return path.size() < 4 ? std::nullopt : unknown("an effect", path[3], kEffect);
  }

  bool has_steps(const WorkflowDefinition& workflow) const {
    return std::ranges::all_of(steps_, [&](const auto& step) { return workflow.positions.contains(step); });
  }

  // What mentions steps is about the workflows that have them.
  void narrow(const Field& field, std::set<std::string, std::less<>>& workflows) const {
    if (steps_.empty()) return;
    Words known;
    std::set<std::string, std::less<>> fitting;
    for (const auto& [name, workflow] : reading_.project.workflows) {
      if (!workflows.empty() && !workflows.contains(name)) continue;
      if (has_steps(workflow)) fitting.insert(name);
      for (const StepDefinition& step : workflow.steps) known.push_back(step.name);
    }
    if (!fitting.empty()) {
      workflows = std::move(fitting);
      return;
    }
    const std::string where = workflows.empty() ? "any workflow" : "the workflow " + *workflows.begin();
    bool each_exists = true;
    for (const std::string& step : steps_) {
      if (std::ranges::find(known, step) != known.end()) continue;
      each_exists = false;
      reading_.report(field, "no step \"" + step + "\" in " + where + project::did_you_mean(step, known));
    }
    if (each_exists) reading_.report(field, "no workflow has all of the steps that are mentioned");
  }

  const std::map<std::string, AgentModel>& agents_;
  const Reading& reading_;
  Fields fields_;
  std::set<std::string> steps_;  // mentioned
};

}  // namespace

std::vector<Expectation> read_expectations(const Field& field,
                                           const std::map<std::string, AgentModel>& agents,
                                           const Reading& reading) {
  std::vector<Expectation> expectations;
  for (const Field& item :
       reading.items(field, kMaxEntries, "[{always: \"${{ run.status != 'failed' }}\"}]")) {
    auto expectation = ExpectationReader(item, agents, reading).run();
    if (expectation) expectations.push_back(*std::move(expectation));
  }
  return expectations;
}

}  // namespace ganglion::scenario
