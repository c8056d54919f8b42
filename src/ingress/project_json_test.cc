#include "ingress/project_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "project/project.h"

namespace ganglion::ingress {
namespace {

constexpr std::string_view kProject = R"(
ganglion: 1
agents:
  a: {kind: worker, idle_timeout: 5s, circuit_breaker: {}, concurrency: 4, rate_limit: {requests: 60/m}, fallback: [b, cache],
      budget: {tokens: 10}, subscribes: [file.*], publishes: [x], state: {read: [case.*], write: [k]}, retry: {max_attempts: 7}}
  b: {kind: worker}
  ann: {kind: human}
  r: {kind: router, rules: [{match: x, to: a}]}
workflows:
  w:
    budget: {usd: 0.5}
    steps:
      call: {agent: a, until: "${{ steps.call.output.ok }}", max_iterations: 3, fallback: [b], cache: {ttl: 1h}, priority: -2}
      choose: {agent: "${{ input.who }}", on_failure: pause}
      sub: {workflow: w, retry: {max_attempts: 2}}
      ask: {approve: {by: [ann]}}
      wait: {wait_for: {event: paid}}
      tell: {publish: {topic: t}}
      note: {set: {k: 1}}
      total: {transform: 1}
      rest: {sleep: 1s, needs: [total]}
)";

std::shared_ptr<const Project> project() {
  const auto loaded = project::parse(kProject, "ganglion.yaml");
  EXPECT_TRUE(loaded) << loaded.error().front().text();
  return *loaded;
}

boost::json::value steps() {
  const auto loaded = project();
  return boost::json::parse(workflow_json(*loaded, loaded->workflows.at("w"))).at("steps");
}

boost::json::value agent(const std::string& name, const agents::AgentStatus& status = {}) {
  return boost::json::parse(agent_json(project()->agents.at(name), status));
}

std::string text(const boost::json::value& value) {
  return boost::json::serialize(value);
}

TEST(ProjectJson, lists_the_workflows_of_the_file_only) {
  const auto json = boost::json::parse(project_json(*project()));
  EXPECT_EQ(text(json.at("workflows")), R"(["w"])");
  EXPECT_EQ(text(json.at("agents")), R"(["a","ann","b","r"])");
}

TEST(WorkflowJson, names_each_step_by_the_key_of_its_action) {
  std::string kinds;
  const auto all = steps();
  for (const auto& step : all.as_array()) kinds += std::string(step.at("kind").as_string()) + " ";
  EXPECT_EQ(kinds, "agent agent workflow approve wait_for publish set transform sleep ");
  EXPECT_EQ(all.at(2).at("workflow"), "w");
  EXPECT_EQ(text(all.at(3).at("by")), R"(["ann"])");
  EXPECT_EQ(all.at(4).at("event"), "paid");
  EXPECT_EQ(all.at(5).at("topic"), "t");
  EXPECT_EQ(text(all.at(6).at("keys")), R"(["k"])");
  EXPECT_EQ(text(all.at(8).at("needs")), R"(["total"])");
}

TEST(WorkflowJson, has_the_keys_of_a_step) {
  const auto all = steps();
  const auto& call = all.at(0);
  EXPECT_EQ(call.at("agent"), "a");
  EXPECT_EQ(call.at("repeated"), true);
  EXPECT_EQ(call.at("max_iterations"), 3);
  EXPECT_EQ(text(call.at("fallback")), R"(["b"])");
  EXPECT_EQ(text(call.at("cache")), R"({"ttl":"1h"})");
  EXPECT_EQ(call.at("priority"), -2);
  EXPECT_EQ(call.at("retry").at("max_attempts"), 7);
  const auto& choose = all.at(1);
  EXPECT_TRUE(choose.at("agent").is_null());
  EXPECT_EQ(choose.at("on_failure"), "pause");
  EXPECT_TRUE(choose.at("retry").is_null());
  EXPECT_TRUE(choose.at("fallback").is_null());
  EXPECT_TRUE(choose.at("cache").is_null());
  EXPECT_TRUE(choose.at("priority").is_null());
  EXPECT_EQ(all.at(2).at("retry").at("max_attempts"), 2);
}

TEST(WorkflowJson, has_the_budget) {
  const auto loaded = project();
  const auto json = boost::json::parse(workflow_json(*loaded, loaded->workflows.at("w")));
  EXPECT_EQ(json.at("budget").at("usd").as_double(), 0.5);
  EXPECT_FALSE(json.at("budget").as_object().contains("tokens"));
}

TEST(AgentJson, has_limits_and_rights) {
  const auto json = agent("a");
  EXPECT_EQ(json.at("idle_timeout"), "5s");
  EXPECT_EQ(json.at("concurrency"), 4);
  EXPECT_EQ(json.at("rate_limit"), "60/m");
  EXPECT_EQ(text(json.at("fallback")), R"(["b","cache"])");
  EXPECT_EQ(text(json.at("subscribes")), R"(["file.*"])");
  EXPECT_EQ(text(json.at("publishes")), R"(["x"])");
  EXPECT_EQ(text(json.at("state")), R"({"read":["case.*"],"write":["k"]})");
  const auto plain = agent("b");
  for (const char* key : {"idle_timeout", "concurrency", "rate_limit", "budget"}) {
    EXPECT_TRUE(plain.at(key).is_null()) << key;
  }
}

TEST(AgentJson, says_how_its_breaker_stands) {
  EXPECT_EQ(agent("b").at("breaker"), "none");
  EXPECT_EQ(agent("a").at("breaker"), "closed");
  agents::AgentStatus status;
  status.breaker = agents::BreakerState::open;
  EXPECT_EQ(agent("a", status).at("breaker"), "open");
  status.breaker = agents::BreakerState::half_open;
  EXPECT_EQ(agent("a", status).at("breaker"), "half_open");
}

TEST(AgentJson, of_people_and_routers_has_no_attempts) {
  for (const char* name : {"ann", "r"}) {
    EXPECT_TRUE(agent(name).at("timeout").is_null()) << name;
    EXPECT_TRUE(agent(name).at("retry").is_null()) << name;
  }
  EXPECT_EQ(agent("ann").at("kind"), "human");
  EXPECT_EQ(agent("r").at("kind"), "router");
}

}  // namespace
}  // namespace ganglion::ingress
