// What the keys of steps, agents, topics and triggers become.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "project/project.h"

namespace ganglion::project {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

std::shared_ptr<const Project> loaded(std::string_view source) {
  const Loaded result = parse(source, "ganglion.yaml");
  if (result) return *result;
  for (const Diagnostic& diagnostic : result.error()) ADD_FAILURE() << diagnostic.text();
  return std::make_shared<Project>();
}

// A workflow `w` with these steps, each on a line of its own.
std::shared_ptr<const Project> with_steps(std::initializer_list<std::string_view> steps) {
  std::string source =
      "ganglion: 1\nagents: {a: {kind: worker, state: {read: ['**']}}, b: {kind: worker, retry: "
      "{max_attempts: 5}}}\nworkflows:\n  w:\n    steps:\n";
  for (const std::string_view step : steps) source.append("      ").append(step).append("\n");
  return loaded(source);
}

const StepDefinition& step_of(const Project& project, std::string_view name) {
  const WorkflowDefinition& workflow = project.workflows.at("w");
  return workflow.steps.at(workflow.positions.find(name)->second.value());
}

template <typename Action>
const Action& action_of(const Project& project, std::string_view step) {
  return std::get<Action>(step_of(project, step).action);
}

std::vector<std::string> needs_of(const Project& project, std::string_view step) {
  std::vector<std::string> names;
  for (const StepIndex needed : step_of(project, step).needs) {
    names.push_back(project.workflows.at("w").steps[needed.value()].name);
  }
  return names;
}

// Names with JSON as their values.
class Names : public expr::Scope {
 public:
  Names(std::initializer_list<std::pair<const std::string, std::string>> values) : values_(values) {}

  std::optional<expr::Value> find(std::string_view name) const override {
    const auto found = values_.find(name);
    if (found == values_.end()) return std::nullopt;
    return expr::Value::json(Payload(found->second));
  }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

std::string rendered(const expr::Template& value, const Names& names = {}) {
  const auto payload = value.render(names);
  return payload ? std::string(payload->bytes()) : payload.error().code;
}

bool holds(const std::optional<expr::Program>& program, const Names& names) {
  const auto value = program.value().evaluate(names);
  return value && value->is(expr::Kind::boolean) && value->as_boolean();
}

TEST(ProjectSteps, call_agents_by_name_or_by_choice) {
  const auto project = with_steps({"x: {agent: a, input: 1}", "y: {agent: \"${{ input.who }}\"}"});
  EXPECT_EQ(action_of<AgentCall>(*project, "x").agent, "a");
  const auto& chosen = action_of<AgentCall>(*project, "y");
  EXPECT_EQ(chosen.agent, "");
  EXPECT_EQ(rendered(chosen.choice, {{"input", R"({"who": "b"})"}}), "\"b\"");
  EXPECT_EQ(rendered(chosen.input), "null");
}

TEST(ProjectSteps, call_workflows_of_the_file_in_any_order_also_themselves) {
  const auto project = loaded(R"(
ganglion: 1
workflows:
  w: {steps: {x: {workflow: later, input: {n: "${{ input.n }}"}, retry: {initial: 1s}}, y: {workflow: w}}}
  later: {steps: {x: {sleep: 1s}}}
)");
  const auto& sub = action_of<SubWorkflow>(*project, "x");
  EXPECT_EQ(sub.workflow, "later");
  EXPECT_EQ(rendered(sub.input, {{"input", R"({"n": 3})"}}), R"({"n":3})");
  EXPECT_EQ(step_of(*project, "x").retry->max_attempts, 1U);
  EXPECT_EQ(step_of(*project, "x").retry->initial, 1s);
  EXPECT_FALSE(step_of(*project, "y").retry.has_value());
}

TEST(ProjectSteps, ask_people) {
  const auto project =
      with_steps({"x: {approve: {by: [ann, release-managers], show: \"${{ input }}\"}, timeout: 24h}",
                  "y: {approve: {}}"});
  const auto& approval = action_of<Approval>(*project, "x");
  EXPECT_THAT(approval.by, ElementsAre("ann", "release-managers"));
  EXPECT_EQ(rendered(approval.show, {{"input", "[1]"}}), "[1]");
  EXPECT_EQ(step_of(*project, "x").timeout, 24h);
  EXPECT_THAT(action_of<Approval>(*project, "y").by, IsEmpty());
}

TEST(ProjectSteps, wait_for_events_and_signals) {
  const auto project = with_steps(
      {"x: {wait_for: {event: order.*, where: \"${{ event.data.id == input.id }}\", timeout: 1h}}",
       "y: {for_each: [1, 2], wait_for: {event: paid, where: \"${{ event.data == item }}\"}, timeout: 2h}"});
  const auto& wait = action_of<WaitFor>(*project, "x");
  EXPECT_EQ(wait.event, "order.*");
  EXPECT_TRUE(holds(wait.where, {{"event", R"({"data": {"id": 7}})"}, {"input", R"({"id": 7})"}}));
  EXPECT_FALSE(holds(wait.where, {{"event", R"({"data": {"id": 7}})"}, {"input", R"({"id": 8})"}}));
  EXPECT_EQ(step_of(*project, "x").timeout, 1h);
  EXPECT_EQ(step_of(*project, "y").timeout, 2h);
}

TEST(ProjectSteps, publish_and_write_state) {
  const auto project = with_steps(
      {"x: {publish: {topic: file.uploaded, data: {n: \"${{ input }}\"}}}", "y: {publish: {topic: a}}",
       "z: {set: {case.status: open, case.n: \"${{ input }}\", case.old: null}}"});
  const auto& publish = action_of<Publish>(*project, "x");
  EXPECT_EQ(publish.topic, "file.uploaded");
  EXPECT_EQ(rendered(publish.data, {{"input", "1"}}), R"({"n":1})");
  EXPECT_EQ(rendered(action_of<Publish>(*project, "y").data), "null");
  const auto& writes = action_of<SetState>(*project, "z").writes;
  ASSERT_THAT(writes, SizeIs(3));
  EXPECT_EQ(writes[0].key, "case.status");
  EXPECT_EQ(rendered(writes[1].value, {{"input", "2"}}), "2");
  EXPECT_EQ(rendered(writes[2].value), "null");
}

TEST(ProjectSteps, repeat_until_a_condition_holds) {
  const auto project = with_steps(
      {"x: {agent: a, input: {draft: \"${{ steps.x.output }}\"}, until: \"${{ steps.x.output.good }}\", "
       "max_iterations: 4}",
       "y: {agent: a}"});
  const StepDefinition& step = step_of(*project, "x");
  EXPECT_EQ(step.max_iterations, 4U);
  EXPECT_TRUE(holds(step.until, {{"steps.x.output", R"({"good": true})"}}));
  EXPECT_THAT(step.needs, IsEmpty());
  EXPECT_EQ(step_of(*project, "y").max_iterations, 1U);
  EXPECT_FALSE(step_of(*project, "y").until.has_value());
}

TEST(ProjectSteps, have_their_answers_from_elsewhere) {
  const auto project = with_steps(
      {"x: {agent: a, fallback: [b, cache], cache: {ttl: 1h, key: \"${{ input }}\"}, priority: -7, "
       "on_failure: pause}",
       "y: {agent: a, fallback: [], cache: {ttl: 1s}}", "z: {agent: a, on_failure: fail}"});
  const StepDefinition& step = step_of(*project, "x");
  EXPECT_THAT(*step.fallback, ElementsAre("b", "cache"));
  EXPECT_EQ(step.cache->ttl, 1h);
  EXPECT_EQ(rendered(*step.cache->key, {{"input", "1"}}), "1");
  EXPECT_EQ(step.priority, -7);
  EXPECT_EQ(step.on_failure, OnFailure::pause_run);
  EXPECT_THAT(*step_of(*project, "y").fallback, IsEmpty());
  EXPECT_FALSE(step_of(*project, "y").cache->key.has_value());
  EXPECT_FALSE(step_of(*project, "z").fallback.has_value());
  EXPECT_FALSE(step_of(*project, "z").priority.has_value());
  EXPECT_EQ(step_of(*project, "z").on_failure, OnFailure::fail_run);
}

TEST(ProjectSteps, need_the_steps_that_any_of_their_keys_mentions) {
  const std::string mention = "\"${{ steps.s.output }}\"";
  const std::string until = ", max_iterations: 2";
  for (const std::string& step :
       {"{agent: " + mention + "}", "{workflow: w, input: " + mention + "}",
        "{approve: {show: " + mention + "}}",
        std::string("{wait_for: {event: e, where: \"${{ event.data == steps.s.output }}\"}}"),
        "{publish: {topic: t, data: [" + mention + "]}}", "{set: {k: " + mention + "}}",
        "{agent: a, until: \"${{ steps.x.output == steps.s.output }}\"" + until + "}",
        "{agent: a, cache: {ttl: 1h, key: " + mention + "}}", "{for_each: " + mention + ", sleep: 1s}"}) {
    const auto project = with_steps({"s: {sleep: 1s}", "x: " + step});
    EXPECT_THAT(needs_of(*project, "x"), ElementsAre("s")) << step;
  }
}

TEST(ProjectWorkflows, know_whether_they_read_state) {
  const auto reads = [](const std::string& step, const std::string& output) {
    const auto project =
        loaded("ganglion: 1\nagents: {a: {kind: worker}}\nworkflows: {w: {steps: {x: " + step +
               "}, output: " + output + "}}\n");
    return project->workflows.at("w").reads_state;
  };
  EXPECT_TRUE(reads("{set: {k: 1}}", "1"));
  EXPECT_FALSE(reads("{transform: '${{ input.state }}'}", "1"));
  EXPECT_TRUE(reads("{transform: '${{ state.k }}'}", "1"));
  EXPECT_TRUE(reads("{sleep: 1s, if: '${{ has(state.k) }}'}", "1"));
  EXPECT_TRUE(reads("{agent: a, until: '${{ state.done }}', max_iterations: 2}", "1"));
  EXPECT_TRUE(reads("{wait_for: {event: e, where: '${{ event.data == state.k }}'}}", "1"));
  EXPECT_TRUE(reads("{sleep: 1s}", "'${{ state }}'"));
}

TEST(ProjectWorkflows, have_a_budget) {
  const auto project = loaded(
      "ganglion: 1\nworkflows: {w: {budget: {tokens: 200000, usd: 0.5}, steps: {x: {sleep: 1s}}}, v: {steps: "
      "{x: {sleep: 1s}}}}\n");
  EXPECT_EQ(project->workflows.at("w").budget, (Budget{.tokens = 200'000, .usd = 0.5}));
  EXPECT_FALSE(project->workflows.at("v").budget.has_value());
}

TEST(ProjectAgents, have_every_key) {
  const auto project = loaded(R"(
ganglion: 1
agents:
  b: {kind: worker}
  x:
    kind: worker
    idle_timeout: 10s
    fallback: [b, cache]
    circuit_breaker: {failures: 3, window: 1m}
    concurrency: 16
    rate_limit: {requests: 500/m}
    budget: {tokens: 100}
    subscribes: [file.*, "**"]
    publishes: [security.alert]
    state: {read: [case.*], write: [case.review]}
)");
  const AgentDefinition& agent = project->agents.at("x");
  EXPECT_EQ(agent.idle_timeout, 10s);
  EXPECT_THAT(agent.fallback, ElementsAre("b", "cache"));
  EXPECT_EQ(agent.breaker->failures, 3U);
  EXPECT_EQ(agent.breaker->window, 1min);
  EXPECT_EQ(agent.breaker->open, CircuitBreaker{}.open);
  EXPECT_EQ(agent.concurrency, 16U);
  EXPECT_EQ(agent.rate_limit->count, 500U);
  EXPECT_EQ(agent.rate_limit->per, 1min);
  EXPECT_EQ(agent.budget, (Budget{.tokens = 100, .usd = {}}));
  EXPECT_THAT(agent.subscribes, ElementsAre("file.*", "**"));
  EXPECT_THAT(agent.publishes, ElementsAre("security.alert"));
  EXPECT_THAT(agent.state.read, ElementsAre("case.*"));
  EXPECT_THAT(agent.state.write, ElementsAre("case.review"));
  const AgentDefinition& plain = project->agents.at("b");
  EXPECT_FALSE(plain.breaker || plain.concurrency || plain.rate_limit || plain.idle_timeout || plain.budget);
}

TEST(ProjectAgents, take_the_defaults_that_their_kind_has) {
  const auto project = loaded(R"(
ganglion: 1
defaults:
  idle_timeout: 5s
  fallback: [backup, cache]
  circuit_breaker: {failures: 9, open: 1m}
  concurrency: 4
  rate_limit: {requests: 10/s}
agents:
  w: {kind: worker}
  p: {kind: process, command: [a], circuit_breaker: {window: 1s}, fallback: [], concurrency: 2}
  backup: {kind: worker}
  h: {kind: human}
  r: {kind: router, rules: [{match: a, to: w}]}
)");
  const AgentDefinition& worker = project->agents.at("w");
  EXPECT_EQ(worker.idle_timeout, 5s);
  EXPECT_THAT(worker.fallback, ElementsAre("backup", "cache"));
  EXPECT_EQ(worker.breaker->failures, 9U);
  EXPECT_EQ(worker.concurrency, 4U);
  EXPECT_EQ(worker.rate_limit->count, 10U);
  const AgentDefinition& process = project->agents.at("p");
  EXPECT_FALSE(process.idle_timeout.has_value());
  EXPECT_THAT(process.fallback, IsEmpty());
  EXPECT_EQ(process.breaker->failures, 9U);
  EXPECT_EQ(process.breaker->window, 1s);
  EXPECT_EQ(process.breaker->open, 1min);
  EXPECT_EQ(process.concurrency, 2U);
  EXPECT_THAT(project->agents.at("backup").fallback, ElementsAre("cache"));
  for (const char* name : {"h", "r"}) {
    const AgentDefinition& agent = project->agents.at(name);
    EXPECT_THAT(agent.fallback, IsEmpty()) << name;
    EXPECT_FALSE(agent.breaker || agent.concurrency || agent.rate_limit || agent.idle_timeout) << name;
  }
}

TEST(ProjectAgents, may_be_people_and_routers) {
  const auto project = loaded(R"(
ganglion: 1
agents:
  intent:
    kind: router
    rules: [{match: "(?i)\\btranslate\\b", to: translation}, {match: refund, to: legal}]
    classifier: model
    default: qa
  legal: {kind: human, by: [ann], output: {type: object}}
  translation: {kind: worker}
  model: {kind: worker}
  qa: {kind: worker}
)");
  const auto& router = std::get<RouterAgent>(project->agents.at("intent").backend);
  ASSERT_THAT(router.rules, SizeIs(2));
  EXPECT_EQ(router.rules[0].match, "(?i)\\btranslate\\b");
  EXPECT_EQ(router.rules[0].to, "translation");
  ASSERT_TRUE(router.rules[0].pattern);
  EXPECT_TRUE(router.rules[0].pattern->matches("Please TRANSLATE this"));
  EXPECT_FALSE(router.rules[0].pattern->matches("untranslated"));
  EXPECT_EQ(router.rules[1].to, "legal");
  EXPECT_EQ(router.classifier, "model");
  EXPECT_EQ(router.otherwise, "qa");
  EXPECT_THAT(std::get<HumanAgent>(project->agents.at("legal").backend).by, ElementsAre("ann"));
}

TEST(ProjectAgents, that_subscribe_have_a_reaction) {
  const auto project =
      loaded("ganglion: 1\nagents: {file-scan: {kind: worker, subscribes: [file.*]}, b: {kind: worker}}\n");
  ASSERT_THAT(project->workflows, SizeIs(1));
  const WorkflowDefinition& reaction = project->workflows.at(reaction_name("file-scan"));
  EXPECT_EQ(reaction.name, "@file-scan");
  ASSERT_THAT(reaction.steps, SizeIs(1));
  EXPECT_EQ(reaction.steps[0].name, "file_scan");
  EXPECT_EQ(reaction.positions.at("file_scan"), StepIndex(0));
  const auto& call = std::get<AgentCall>(reaction.steps[0].action);
  EXPECT_EQ(call.agent, "file-scan");
  EXPECT_EQ(rendered(call.input, {{"input", R"({"id":"1"})"}}), R"({"id":"1"})");
  EXPECT_FALSE(reaction.output.has_value());
}

TEST(ProjectTopics, have_schemas_by_version) {
  const auto project =
      loaded("ganglion: 1\ntopics: {file.uploaded: {2: {required: [sha256]}, 1: {type: object}}}\n");
  const TopicSchemas& schemas = project->topics.at("file.uploaded");
  ASSERT_THAT(schemas, SizeIs(2));
  EXPECT_THAT(schemas.at(1).validate_json("{}").value(), IsEmpty());
  EXPECT_THAT(schemas.at(2).validate_json("{}").value(), SizeIs(1));
}

TEST(ProjectTriggers, start_runs_by_events_and_schedules) {
  const auto project = loaded(R"(
ganglion: 1
triggers:
  - {on: "pull_request.*", where: "${{ event.data.n > 1 }}", workflow: w, input: {diff: "${{ event.data.diff }}"}}
  - {on: a, workflow: w}
  - {cron: "0 3 * * *", timezone: Europe/Berlin, missed: all, workflow: w}
  - {cron: "@daily", workflow: w, input: {at: "${{ event.time }}"}}
workflows: {w: {steps: {x: {sleep: 1s}}}}
)");
  ASSERT_THAT(project->triggers, SizeIs(4));
  const auto& event = std::get<EventTrigger>(project->triggers[0].source);
  const Names pull({{"event", R"({"data": {"n": 2, "diff": "d"}})"}});
  EXPECT_EQ(event.on, "pull_request.*");
  EXPECT_TRUE(holds(event.where, pull));
  EXPECT_EQ(project->triggers[0].workflow, "w");
  EXPECT_EQ(rendered(project->triggers[0].input, pull), R"({"diff":"d"})");
  EXPECT_FALSE(std::get<EventTrigger>(project->triggers[1].source).where.has_value());
  EXPECT_EQ(rendered(project->triggers[1].input, {{"event", R"({"id":"1"})"}}), R"({"id":"1"})");
  const auto& cron = std::get<CronTrigger>(project->triggers[2].source);
  EXPECT_EQ(cron.cron, "0 3 * * *");
  EXPECT_EQ(cron.timezone, "Europe/Berlin");
  EXPECT_EQ(cron.missed, MissedSlots::all);
  const auto& daily = std::get<CronTrigger>(project->triggers[3].source);
  EXPECT_EQ(daily.timezone, "UTC");
  EXPECT_EQ(daily.missed, MissedSlots::latest);
}

}  // namespace
}  // namespace ganglion::project
