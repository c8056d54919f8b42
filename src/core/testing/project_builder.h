#pragma once

// Projects for tests, without a file: one workflow `w`, agents made as they are named.
//
//   auto project = ProjectBuilder().agent_step("a", {}).agent_step("b", {.needs = {"a"}}).build();

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/json.hpp>

#include "base/assert.h"
#include "core/workflow.h"

namespace ganglion::testing {

struct StepSpec {
  std::vector<std::string> needs = {};
  std::string condition = {};  // an expression
  std::string for_each = {};   // a template
  std::uint32_t max_parallel = 0;
  std::optional<Duration> timeout = {};
  std::optional<RetryPolicy> retry = RetryPolicy{.max_attempts = 1,
                                                 .backoff = Backoff::constant,
                                                 .initial = Duration(100),
                                                 .max = Duration(100),
                                                 .jitter = 0};
  OnFailure on_failure = OnFailure::fail_run;
  std::string input = "${{ input }}";  // a template
  std::string until = {};              // an expression
  std::uint32_t max_iterations = 1;
  std::vector<std::string> fallback = {};
  std::optional<Duration> cache = {};
  std::string cache_key = {};  // a template
  std::string choice = {};     // a template, in place of the agent's name
};

inline AgentDefinition agent_named(const std::string& name, AgentBackend backend = WorkerAgent{}) {
  AgentDefinition agent;
  agent.name = name;
  agent.backend = std::move(backend);
  return agent;
}

class ProjectBuilder {
 public:
  ProjectBuilder& agent_step(const std::string& name, const StepSpec& spec,
                             const std::string& agent = "worker") {
    if (!project_.agents.contains(agent)) add_agent(agent, "");
    return add(name, spec, AgentCall{.agent = agent, .input = text(spec.input)});
  }
  ProjectBuilder& sub_run_step(const std::string& name, const StepSpec& spec, const std::string& workflow) {
    return add(name, spec, SubWorkflow{workflow, text(spec.input)});
  }
  ProjectBuilder& approve_step(const std::string& name, const StepSpec& spec,
                               std::vector<std::string> by = {}) {
    return add(name, spec, Approval{std::move(by), text(spec.input)});
  }
  // `where` is an expression; empty: none.
  ProjectBuilder& wait_step(const std::string& name, const StepSpec& spec, const std::string& event,
                            const std::string& where = "") {
    WaitFor wait{event, std::nullopt};
    if (!where.empty()) wait.where = expr::Program::compile(where).value();
    return add(name, spec, std::move(wait));
  }
  ProjectBuilder& publish_step(const std::string& name, const StepSpec& spec, const std::string& topic) {
    return add(name, spec, Publish{topic, text(spec.input)});
  }
  ProjectBuilder& set_step(const std::string& name, const StepSpec& spec, const std::string& key) {
    return set_step(name, spec, {{key, spec.input}});
  }
  // Keys and templates.
  ProjectBuilder& set_step(const std::string& name, const StepSpec& spec,
                           const std::vector<std::pair<std::string, std::string>>& values) {
    workflow_.reads_state = true;
    SetState set;
    for (const auto& [key, value] : values) set.writes.push_back({key, text(value)});
    return add(name, spec, std::move(set));
  }
  ProjectBuilder& reads_state() {
    workflow_.reads_state = true;
    return *this;
  }
  // `schema` as JSON.
  ProjectBuilder& topic(const std::string& name, std::uint32_t version, const std::string& schema) {
    project_.topics[name].emplace(version, schema::Schema::compile(boost::json::parse(schema)).value());
    return *this;
  }
  // Another workflow, for sub-runs. `schema` of its input as JSON; empty: none.
  ProjectBuilder& workflow(const std::string& name, const std::string& schema = "",
                           std::optional<Budget> budget = {}) {
    WorkflowDefinition workflow;
    workflow.name = name;
    workflow.budget = budget;
    if (!schema.empty()) workflow.input = schema::Schema::compile(boost::json::parse(schema)).value();
    project_.workflows.insert_or_assign(name, std::move(workflow));
    return *this;
  }
  // An agent that is not a mere worker.
  ProjectBuilder& add_agent(AgentDefinition agent) {
    const std::string name = agent.name;
    project_.agents.insert_or_assign(name, std::move(agent));
    return *this;
  }
  ProjectBuilder& add_agents(const std::vector<std::string>& names) {
    for (const std::string& name : names) add_agent(name, "");
    return *this;
  }
  ProjectBuilder& human(const std::string& name, std::vector<std::string> by = {}) {
    return add_agent(agent_named(name, HumanAgent{std::move(by)}));
  }
  // Rules as (match, to).
  ProjectBuilder& router(const std::string& name,
                         const std::vector<std::pair<std::string, std::string>>& rules,
                         std::optional<std::string> classifier = {},
                         std::optional<std::string> otherwise = {}) {
    RouterAgent router{{}, std::move(classifier), std::move(otherwise)};
    for (const auto& [match, to] : rules)
      router.rules.push_back({match, to, expr::Regex::compile(match).value()});
    return add_agent(agent_named(name, std::move(router)));
  }
  ProjectBuilder& budget(Budget budget) {
    workflow_.budget = budget;
    return *this;
  }
  ProjectBuilder& transform_step(const std::string& name, const StepSpec& spec, const std::string& value) {
    return add(name, spec, Transform{text(value)});
  }
  ProjectBuilder& sleep_step(const std::string& name, const StepSpec& spec, const std::string& duration) {
    return add(name, spec, Sleep{text(duration)});
  }
  // `schema` as JSON; empty: none.
  ProjectBuilder& add_agent(const std::string& name, const std::string& schema) {
    AgentDefinition agent;
    agent.name = name;
    agent.backend = WorkerAgent{};
    if (!schema.empty()) agent.output = schema::Schema::compile(boost::json::parse(schema)).value();
    project_.agents.insert_or_assign(name, std::move(agent));
    return *this;
  }
  ProjectBuilder& output(const std::string& value) {
    workflow_.output = text(value);
    return *this;
  }
  ProjectBuilder& timeout(Duration duration) {
    workflow_.timeout = duration;
    return *this;
  }

  // Edges are `needs` only: expressions don't add any here.
  std::shared_ptr<const Project> build() {
    workflow_.name = "w";
    for (std::size_t i = 0; i < workflow_.steps.size(); ++i) {
      const StepIndex index(static_cast<std::uint32_t>(i));
      for (const std::string& name : needs_[i]) {
        const StepIndex need = workflow_.positions.at(name);
        workflow_.steps[i].needs.push_back(need);
        workflow_.steps[need.value()].dependents.push_back(index);
      }
      std::ranges::sort(workflow_.steps[i].needs);
    }
    project_.digest = "d0";
    project_.source = "ganglion: 1";
    project_.workflows.insert_or_assign("w", std::move(workflow_));
    return std::make_shared<const Project>(std::move(project_));
  }

 private:
  static expr::Template text(const std::string& source) {
    auto compiled = expr::Template::text(source);
    GANGLION_ASSERT(compiled.has_value());
    return *std::move(compiled);
  }

  ProjectBuilder& add(const std::string& name, const StepSpec& spec, StepAction action) {
    StepDefinition step{.name = name,
                        .action = std::move(action),
                        .needs = {},
                        .dependents = {},
                        .condition = {},
                        .for_each = {},
                        .max_parallel = spec.max_parallel,
                        .timeout = spec.timeout,
                        .retry = spec.retry,
                        .on_failure = spec.on_failure};
    step.max_iterations = spec.max_iterations;
    if (!spec.until.empty()) step.until = expr::Program::compile(spec.until).value();
    if (!spec.fallback.empty()) step.fallback = spec.fallback;
    if (spec.cache) step.cache = CachePolicy{*spec.cache, std::nullopt};
    if (!spec.cache_key.empty()) step.cache.value().key = text(spec.cache_key);
    if (auto* call = std::get_if<AgentCall>(&step.action); call && !spec.choice.empty()) {
      call->agent.clear();
      call->choice = text(spec.choice);
    }
    if (!spec.condition.empty()) step.condition = expr::Program::compile(spec.condition).value();
    if (!spec.for_each.empty()) step.for_each = text(spec.for_each);
    workflow_.positions.emplace(name, StepIndex(static_cast<std::uint32_t>(workflow_.steps.size())));
    workflow_.steps.push_back(std::move(step));
    needs_.push_back(spec.needs);
    return *this;
  }

  Project project_;
  WorkflowDefinition workflow_;
  std::vector<std::vector<std::string>> needs_;
};

}  // namespace ganglion::testing
