#include "project/project.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "project/graph.h"

namespace ganglion::project {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

std::shared_ptr<const Project> loaded(std::string_view source) {
  const Loaded result = parse(source, "ganglion.yaml");
  if (result) return *result;
  ADD_FAILURE() << result.error().front().text();
  return std::make_shared<Project>();
}

// A workflow `w` with these steps, each on a line of its own.
std::shared_ptr<const Project> with_steps(std::initializer_list<std::string_view> steps) {
  std::string source = "ganglion: 1\nagents: {a: {kind: worker}}\nworkflows:\n  w:\n    steps:\n";
  for (const std::string_view step : steps) source.append("      ").append(step).append("\n");
  return loaded(source);
}

const StepDefinition& step_of(const Project& project, std::string_view name) {
  const WorkflowDefinition& workflow = project.workflows.at("w");
  return workflow.steps.at(workflow.positions.find(name)->second.value());
}

std::vector<std::string> names_of(const Project& project, const std::vector<StepIndex>& steps) {
  std::vector<std::string> names;
  for (const StepIndex step : steps) names.push_back(project.workflows.at("w").steps[step.value()].name);
  return names;
}

TEST(ProjectFile, of_nothing_but_its_version_is_a_project) {
  const auto project = loaded("ganglion: 1\n");
  EXPECT_THAT(project->workflows, IsEmpty());
  EXPECT_EQ(project->source, "ganglion: 1\n");
  EXPECT_EQ(project->digest, "1037d059d11211b0e2f005e35bf06aedecc408f5d3d89af41e60e4eb5f4b7f2f");
}

TEST(ProjectAgents, take_the_defaults_key_by_key) {
  const auto project = loaded(R"(
ganglion: 1
defaults: {timeout: 10s, retry: {max_attempts: 7, initial: 1s}}
agents:
  plain: {kind: worker}
  own: {kind: worker, timeout: 5s, retry: {max_attempts: 2, backoff: constant, jitter: 0}}
)");
  const AgentDefinition& plain = project->agents.at("plain");
  EXPECT_EQ(plain.timeout, 10s);
  EXPECT_EQ(plain.retry.max_attempts, 7U);
  EXPECT_EQ(plain.retry.initial, 1s);
  EXPECT_EQ(plain.retry.max, RetryPolicy{}.max);
  const AgentDefinition& own = project->agents.at("own");
  EXPECT_EQ(own.timeout, 5s);
  EXPECT_EQ(own.retry.max_attempts, 2U);
  EXPECT_EQ(own.retry.backoff, Backoff::constant);
  EXPECT_EQ(own.retry.initial, 1s);
  EXPECT_EQ(own.retry.jitter, 0);
}

TEST(ProjectAgents, have_a_backend_of_their_kind) {
  const auto project = loaded(R"(
ganglion: 1
agents:
  w: {kind: worker, output: {type: object}}
  p: {kind: process, command: [./lint.sh, 8080, true], env: {PORT: 8080, NAME: x}}
  h: {kind: http, url: "https://${{ secrets.HOST }}/scan", headers: {Authorization: "Bearer ${{secrets.TOKEN}}"}}
workers:
  python: {command: [python3, agents.py], env: {A: b}}
)");
  EXPECT_TRUE(std::holds_alternative<WorkerAgent>(project->agents.at("w").backend));
  EXPECT_TRUE(project->agents.at("w").output.has_value());
  const auto& process = std::get<ProcessAgent>(project->agents.at("p").backend);
  EXPECT_THAT(process.command, ElementsAre("./lint.sh", "8080", "true"));
  EXPECT_EQ(process.env.at("PORT"), "8080");
  const auto& http = std::get<HttpAgent>(project->agents.at("h").backend);
  EXPECT_EQ(http.url, "https://${{ secrets.HOST }}/scan");
  EXPECT_EQ(http.headers.at("Authorization"), "Bearer ${{secrets.TOKEN}}");
  ASSERT_THAT(project->workers, SizeIs(1));
  EXPECT_EQ(project->workers[0].name, "python");
  EXPECT_THAT(project->workers[0].command, ElementsAre("python3", "agents.py"));
}

TEST(ProjectSteps, need_what_they_name_and_what_their_expressions_mention) {
  const auto project =
      with_steps({"a: {agent: a}", "b: {agent: a}", "c: {agent: a}", "d: {agent: a}",
                  "e: {agent: a, needs: [a, a], if: \"${{ steps['b'].output == 1 }}\",",
                  "    for_each: \"${{ steps.c.output }}\", input: [{x: \"is ${{ steps.d.output }}\"}]}",
                  "f: {sleep: \"${{ steps.e.output }}\"}"});
  EXPECT_THAT(names_of(*project, step_of(*project, "e").needs), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(names_of(*project, step_of(*project, "e").dependents), ElementsAre("f"));
  EXPECT_THAT(names_of(*project, step_of(*project, "a").dependents), ElementsAre("e"));
}

TEST(ProjectSteps, may_stand_in_any_order) {
  const auto project =
      with_steps({"last: {transform: \"${{ steps.first.output }}\"}", "first: {transform: 1}"});
  EXPECT_THAT(names_of(*project, step_of(*project, "last").needs), ElementsAre("first"));
}

TEST(ProjectSteps, have_all_their_keys) {
  const auto project =
      with_steps({"m:", "  for_each: [1, \"${{ input.x }}\"]", "  max_parallel: 8", "  agent: a",
                  "  input: {item: \"${{ item }}\", index: \"${{ index }}\", id: \"${{ run.id }}\"}",
                  "  on_failure: continue", "  timeout: 1h", "  retry: {max_attempts: 9}"});
  const StepDefinition& step = step_of(*project, "m");
  EXPECT_EQ(std::get<AgentCall>(step.action).agent, "a");
  EXPECT_TRUE(step.for_each.has_value());
  EXPECT_EQ(step.max_parallel, 8U);
  EXPECT_EQ(step.on_failure, OnFailure::continue_run);
  EXPECT_EQ(step.timeout, 1h);
  EXPECT_EQ(step.retry->max_attempts, 9U);
  EXPECT_EQ(step.retry->initial, RetryPolicy{}.initial);
}

TEST(ProjectSteps, retry_as_their_agent_does_but_for_the_keys_that_they_set) {
  const auto project = loaded(R"(
ganglion: 1
agents: {a: {kind: worker, retry: {max_attempts: 5, initial: 2s}}}
workflows: {w: {steps: {x: {agent: a, retry: {initial: 3s}}, y: {agent: a}}}}
)");
  EXPECT_EQ(step_of(*project, "x").retry->max_attempts, 5U);
  EXPECT_EQ(step_of(*project, "x").retry->initial, 3s);
  EXPECT_FALSE(step_of(*project, "y").retry.has_value());
}

TEST(ProjectSteps, keep_their_order) {
  const auto project = with_steps({"z: {transform: 1}", "a: {transform: 1}", "m: {sleep: 1s}"});
  const auto& steps = project->workflows.at("w").steps;
  EXPECT_EQ(steps[0].name + steps[1].name + steps[2].name, "zam");
}

class NoNames : public expr::Scope {
 public:
  std::optional<expr::Value> find(std::string_view) const override { return std::nullopt; }
};

TEST(ProjectValues, keep_the_types_that_yaml_gives_them) {
  const auto project =
      with_steps({"x: {transform: {n: null, b: True, i: 0x10, f: 1.50, s: \"1\", l: [yes, ~], big: "
                  "99999999999999999999}}"});
  const auto value = std::get<Transform>(step_of(*project, "x").action).value.render(NoNames());
  ASSERT_TRUE(value);
  EXPECT_EQ(value->bytes(),
            R"({"n":null,"b":true,"i":16,"f":1.5,"s":"1","l":["yes",null],"big":99999999999999999999})");
}

TEST(ProjectValues, of_for_each_may_be_a_list_with_expressions) {
  const auto project = with_steps({"x: {for_each: [1, \"${{ 1 + 1 }}\"], transform: \"${{ item }}\"}"});
  EXPECT_EQ(step_of(*project, "x").for_each->render(NoNames())->bytes(), "[1,2]");
}

TEST(ProjectWorkflow, has_schema_timeout_and_output) {
  const auto project = loaded(R"(
ganglion: 1
workflows:
  code-review:
    input: {type: object, required: [diff]}
    timeout: 15m
    steps: {x: {transform: 1}}
    output: {result: "${{ steps.x.output }}", at: "${{ run.created_at }}"}
)");
  const WorkflowDefinition& workflow = project->workflows.at("code-review");
  EXPECT_EQ(workflow.timeout, 15min);
  EXPECT_THAT(workflow.input->validate_json("{}").value(), SizeIs(1));
  EXPECT_TRUE(workflow.output.has_value());
}

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

const std::filesystem::path kSourceDir = GANGLION_SOURCE_DIR;

TEST(ProjectFile, with_every_key_of_the_format_lacks_only_what_is_not_available_yet) {
  const Loaded result =
      parse(text_of_file(kSourceDir / "src/project/testdata/format-1.yaml"), "format-1.yaml");
  ASSERT_FALSE(result);
  std::vector<std::string> errors;
  for (const Diagnostic& diagnostic : result.error())
    errors.push_back(diagnostic.path + ": " + diagnostic.message);
  EXPECT_THAT(
      errors,
      ElementsAre("providers: \"providers\" is not available yet", "tools: \"tools\" is not available yet",
                  HasSubstr("agents.code_reviewer.kind: an agent of kind \"llm\" is not available yet")));
}

TEST(ProjectFile, of_each_example_is_valid) {
  for (const auto& example : std::filesystem::directory_iterator(kSourceDir / "examples")) {
    const std::filesystem::path file = example.path() / "ganglion.yaml";
    if (std::filesystem::exists(file))
      EXPECT_THAT(loaded(text_of_file(file))->workflows, testing::Not(IsEmpty())) << file;
  }
}

TEST(ProjectFile, of_the_guide_is_valid_and_drawn_as_the_guide_shows) {
  const std::string guide = text_of_file(kSourceDir / "docs/guide/project-file.md");
  const auto block = [&](std::string_view fence) {
    const std::size_t begin = guide.find(fence) + fence.size();
    return guide.substr(begin, guide.find("```", begin) - begin);
  };
  const auto project = loaded(block("```yaml\n"));
  EXPECT_EQ(graph(project->workflows.at("code-review")), block("```text\n"));
}

// What the guide shows is a part of a file; here is the rest.
std::string completed(const std::string& part) {
  const std::string agents = "agents: {writer: {kind: worker}}\n";
  const std::string workflows =
      "  one-part: {steps: {x: {sleep: 1s}}}\n  scan: {steps: {x: {sleep: 1s}}}\n  nightly: {steps: {x: "
      "{sleep: 1s}}}\n";
  if (part.starts_with("agents:")) return "ganglion: 1\n" + part;
  if (part.starts_with("triggers:")) return "ganglion: 1\nworkflows:\n" + workflows + part;
  std::string indented = "    ";
  for (const char c : part) indented += c == '\n' ? std::string("\n    ") : std::string(1, c);
  return "ganglion: 1\n" + agents + "workflows:\n" + workflows + "  w:\n" + indented + "\n";
}

TEST(ProjectFile, of_which_the_guide_shows_parts_is_valid) {
  const std::string guide = text_of_file(kSourceDir / "docs/guide/project-file.md");
  const std::string_view fence = "```yaml\n";
  std::size_t parts = 0;
  for (std::size_t at = guide.find(fence); at != std::string::npos; at = guide.find(fence, at)) {
    at += fence.size();
    const std::string part = guide.substr(at, guide.find("```", at) - at);
    if (part.starts_with("ganglion:")) continue;
    ++parts;
    const Loaded result = parse(completed(part), "part.yaml");
    EXPECT_TRUE(result) << result.error().front().text() << "\n" << part;
  }
  EXPECT_EQ(parts, 4U);
}

TEST(ProjectFile, of_81_kilobytes_is_read_fast) {
  std::string source = "ganglion: 1\nagents: {a: {kind: worker}}\nworkflows:\n";
  for (int w = 0; source.size() < 81'000; ++w) {
    source += "  w" + std::to_string(w) + ":\n    steps:\n      first: {agent: a}\n";
    for (int s = 0; s < 20; ++s) {
      source += "      s" + std::to_string(s) + ": {agent: a, input: {x: \"${{ steps.first.output.x }}\"}}\n";
    }
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(parse(source, "ganglion.yaml"));
  // Some 30 ms; with sanitizers on a busy machine many times that.
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(ProjectFile, that_can_not_be_read_says_why) {
  const auto missing = read_file("/nonexistent/ganglion.yaml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, "unreadable_project");
  EXPECT_THAT(missing.error().message, HasSubstr("No such file"));
  EXPECT_THAT(read_file("/").error().message, HasSubstr("directory"));
}

TEST(ProjectFile, is_read_up_to_its_bound) {
  const auto path =
      std::filesystem::temp_directory_path() / ("ganglion-project-test-" + std::to_string(::getpid()));
  std::ofstream(path) << std::string(kMaxProjectBytes, '#');
  EXPECT_EQ(read_file(path).value().size(), kMaxProjectBytes);
  std::ofstream(path, std::ios::app) << '#';
  EXPECT_EQ(read_file(path).error().code, "project_too_large");
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace ganglion::project
