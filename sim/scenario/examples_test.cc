// The scenarios that come with the examples are scenarios of their projects, and their scripts fit them.

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "project/project.h"
#include "sim/scenario/agent_script.h"
#include "sim/scenario/arrivals.h"
#include "sim/scenario/scenario_reader.h"

namespace ganglion::scenario {
namespace {

Result<std::string> no_files(const std::string& path) {
  return fail("none", "there is no file " + path);
}

struct Read {
  std::shared_ptr<const Project> project;
  Scenario scenario;
};

Result<Read> read(const std::string& name) {
  const std::filesystem::path path = std::filesystem::path(GANGLION_SOURCE_DIR) / "examples" / name;
  const auto source = project::read_file(path);
  if (!source) return std::unexpected(source.error());
  const auto project_path = read_project_path(*source, path.string());
  if (!project_path) return fail("invalid", project_path.error().front().text());
  const auto project_file = path.parent_path() / *project_path;
  const auto project = project::parse(project::read_file(project_file).value_or(""), project_file.string());
  if (!project) return fail("invalid", project.error().front().text());
  auto scenario = read_scenario(*source, path.string(), **project, no_files);
  if (!scenario) return fail("invalid", scenario.error().front().text());
  return Read{*project, *std::move(scenario)};
}

// What the agent answers to an input, as JSON; of a failure its code.
std::string answer(const Scenario& scenario, const std::string& agent, std::string input,
                   std::uint64_t seed) {
  AgentScript script(scenario.agents.at(agent));
  const Call call{.place = {"w", "s", std::nullopt, 1},
                  .input = Payload(std::move(input)),
                  .attempt = 1,
                  .idempotency_key = "k"};
  const Answer answer = script.answer(call, {}, Draws(seed));
  if (answer.mistake) return *answer.mistake;
  if (const auto* failure = std::get_if<TaskFailure>(&answer.outcome)) return failure->code;
  return std::string(std::get<TaskSuccess>(answer.outcome).output.bytes());
}

class ExampleScenario : public ::testing::TestWithParam<const char*> {};

TEST_P(ExampleScenario, is_read_without_an_error) {
  const auto example = read(GetParam());
  ASSERT_TRUE(example) << example.error().message;
  EXPECT_FALSE(example->scenario.arrivals.empty());
  EXPECT_FALSE(example->scenario.expect.empty());
}

TEST_P(ExampleScenario, can_make_every_run_that_it_starts) {
  const auto example = read(GetParam());
  ASSERT_TRUE(example) << example.error().message;
  for (const Arrivals& arrivals : example->scenario.arrivals) {
    const auto& schema = example->project->workflows.at(arrivals.workflow).input;
    const auto times = arrival_times(arrivals, example->scenario.duration, Draws(1));
    EXPECT_FALSE(times.empty());
    for (std::uint64_t i = 0; i < times.size(); ++i) {
      const auto run = make_run(arrivals, i, times[i], Draws(1));
      ASSERT_TRUE(run) << run.error().message;
      if (schema) EXPECT_TRUE(schema->validate_json(run->input.bytes())->empty());
    }
  }
}

TEST(LogisticsScenario, has_agents_that_answer_each_other) {
  const auto example = read("logistics/simulation.yaml");
  ASSERT_TRUE(example) << example.error().message;
  const Scenario& scenario = example->scenario;
  const std::string order =
      R"({"shipment":"S-1","lines":[{"sku":"lamp","quantity":2}],"address":{"city":"Roma","country":"IT"}})";
  const std::string shipment = answer(scenario, "shipment_data", R"({"order":)" + order + "}", 1);
  EXPECT_EQ(
      shipment,
      R"({"shipment":"S-1","lines":[{"sku":"lamp","quantity":2}],"address":{"city":"Roma","country":"IT"},)"
      R"("service":"standard","problems":[]})");
  const std::string lines = R"("lines":[{"sku":"lamp","quantity":2}])";
  EXPECT_EQ(answer(scenario, "inventory", "{" + lines + R"(,"country":"IT"})", 1),
            R"({"reserved":true,"holder":"order","parcels":[{"warehouse":"north",)" + lines +
                R"(}],"missing":[]})");
  EXPECT_EQ(answer(scenario, "inventory", "{" + lines + R"(,"release_for":"order"})", 1),
            R"({"released":2})");
  EXPECT_EQ(answer(scenario, "hand_off", R"({"shipment":)" + shipment + "}", 1).substr(0, 15),
            R"({"number":"D-S-)");
  std::set<std::string> addresses;
  std::set<std::string> routes;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    addresses.insert(
        answer(scenario, "address_validation", R"({"address":{"city":"Roma"}})", seed).substr(0, 14));
    routes.insert(answer(scenario, "routing", R"({"node":"Roma","parcels":[]})", seed));
  }
  EXPECT_EQ(addresses, (std::set<std::string>{R"({"valid":false)", R"({"valid":true,)"}));
  EXPECT_EQ(routes, (std::set<std::string>{"no_route", R"({"parcels":[]})"}));
}

TEST(SupportScenario, has_agents_that_answer_the_desk) {
  const auto example = read("support/simulation.yaml");
  ASSERT_TRUE(example) << example.error().message;
  const Scenario& scenario = example->scenario;
  const std::string agents = R"("agents":["translation","summary","question_answering"]})";
  EXPECT_EQ(answer(scenario, "intent", R"({"input":{"text":"Make it short"},)" + agents, 1),
            R"({"agent":"summary"})");
  EXPECT_EQ(answer(scenario, "keyword_answers", R"({"text":"How do I pay?"})", 1), "no_answer");
}

TEST(GuideScenario, of_each_block_is_one_of_the_project_that_the_guide_begins_with) {
  const std::string guide =
      project::read_file(std::string(GANGLION_SOURCE_DIR) + "/docs/guide/simulation.md").value_or("");
  const std::string_view fence = "```yaml\n";
  std::shared_ptr<const Project> project;
  std::size_t scenarios = 0;
  for (std::size_t at = guide.find(fence); at != std::string::npos; at = guide.find(fence, at)) {
    at += fence.size();
    const std::string block = guide.substr(at, guide.find("```", at) - at);
    if (block.starts_with("ganglion:")) {
      project = project::parse(block, "ganglion.yaml").value_or(nullptr);
      continue;
    }
    ASSERT_TRUE(project);
    const auto scenario = read_scenario(block, "guide", *project, no_files);
    EXPECT_TRUE(scenario) << scenario.error().front().text() << "\n" << block;
    ++scenarios;
  }
  EXPECT_EQ(scenarios, 5u);
}

INSTANTIATE_TEST_SUITE_P(Examples, ExampleScenario,
                         ::testing::Values("logistics/simulation.yaml", "support/simulation.yaml",
                                           "logistics/sim/double-dispatch/simulation.yaml",
                                           "support/sim/lost-escalation/simulation.yaml"));

}  // namespace
}  // namespace ganglion::scenario
