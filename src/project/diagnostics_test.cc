// Every way in which a project can be wrong, and what is said about it: the file, and what isn't agents or
// steps.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "project/diagnostics_testing.h"
#include "project/suggestion.h"

namespace ganglion::project {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(Diagnostics, are_what_the_contract_shows) {
  const auto errors = errors_of(R"(ganglion: 1



agents:
  test_writer: {kind: worker}


workflows:
  code-review:

    steps:
      test_writer:
        agent: test_writter
)");
  EXPECT_THAT(errors,
              ElementsAre("g.yaml:14:9: steps.test_writer.agent: no agent \"test_writter\"; did you mean "
                          "\"test_writer\"?"));
}

TEST(Diagnostics, come_all_at_once_in_the_order_of_the_file) {
  const auto errors = errors_of(
      "ganglion: 1\nworkflows: {w: {steps: {x: {agent: b}}}}\nagents: {a: {kind: worke}}\nzzz: 1\n");
  ASSERT_THAT(errors, SizeIs(3));
  EXPECT_THAT(errors[0], HasSubstr("g.yaml:2:29: steps.x.agent: no agent \"b\""));
  EXPECT_EQ(errors[1], "g.yaml:3:14: agents.a.kind: no kind \"worke\"; did you mean \"worker\"?");
  EXPECT_EQ(errors[2], "g.yaml:4:1: zzz: unknown key \"zzz\"");
}

TEST(Diagnostics, are_bounded_and_count_the_rest) {
  std::string source = "ganglion: 1\n";
  for (std::size_t i = 0; i < kMaxDiagnostics + 7; ++i) source += "unknown_" + std::to_string(i) + ": 1\n";
  const auto errors = errors_of(source);
  ASSERT_THAT(errors, SizeIs(kMaxDiagnostics + 1));
  EXPECT_EQ(errors.back(), "g.yaml: and 7 more");
  for (std::size_t i = 0; i < 5'000; ++i) source += "more_" + std::to_string(i) + ": 1\n";
  EXPECT_EQ(errors_of(source).back(), "g.yaml: and 5007 more");
}

TEST(Diagnostics, never_carry_control_characters) {
  EXPECT_THAT(errors_of_root(R"("a\e\n": 1)"), ElementsAre("g.yaml:2:1: a??: unknown key \"a??\""));
}

TEST(DiagnosticsOfTheFile, name_the_format) {
  EXPECT_THAT(errors_of(""),
              ElementsAre("g.yaml:1:1: the file is empty; a project begins with \"ganglion: 1\""));
  EXPECT_THAT(errors_of("agents: {}"),
              ElementsAre(HasSubstr("g.yaml:1:1: ganglion: the version of the format is missing")));
  EXPECT_THAT(
      errors_of("ganglion: 2"),
      ElementsAre("g.yaml:1:1: ganglion: expected format 1, the only one there is, got the number 2"));
  EXPECT_THAT(errors_of("ganglion: '1'"), ElementsAre(HasSubstr("got the text \"1\"")));
  EXPECT_THAT(errors_of("[1]"), ElementsAre("g.yaml:1:1: expected a mapping, got a list"));
  EXPECT_THAT(errors_of(std::string(kMaxProjectBytes + 1, ' ')),
              ElementsAre(HasSubstr("at most 4194304 bytes")));
  EXPECT_THAT(errors_of("ganglion: 1\na: [\n"), ElementsAre(HasSubstr("g.yaml:3:1: ")));
  EXPECT_THAT(errors_of("ganglion: 1\nagents: {a: {kind: worker, subscribes: [*.added]}}\n"),
              ElementsAre(HasSubstr("a text that begins with * stands in quotes")));
  EXPECT_THAT(errors_of("ganglion: 1\nganglion: 1\n"),
              ElementsAre(HasSubstr("g.yaml:2:1: duplicate key \"ganglion\"")));
}

TEST(DiagnosticsOfTheFile, refuse_by_name_what_is_still_to_come) {
  for (const std::string key : {"providers", "tools"}) {
    EXPECT_THAT(errors_of_root(key + ": {a: 1}"),
                ElementsAre("g.yaml:2:1: " + key + ": \"" + key + "\" is not available yet"));
  }
  EXPECT_THAT(errors_of_root("description: x"), ElementsAre(HasSubstr("unknown key \"description\"")));
  EXPECT_THAT(errors_of_root("worflows: {}"),
              ElementsAre("g.yaml:2:1: worflows: unknown key \"worflows\"; did you mean \"workflows\"?"));
  EXPECT_THAT(errors_of_root("<<: {}"), ElementsAre(HasSubstr("merge keys")));
}

TEST(DiagnosticsOfDefaults, name_the_key) {
  EXPECT_THAT(errors_of_root("defaults: {timeout: 30}"),
              ElementsAre(HasSubstr("g.yaml:2:12: defaults.timeout: expected a duration such as")));
  EXPECT_THAT(errors_of_root("defaults: {timeout: 0s}"), ElementsAre(HasSubstr("must be longer than 0")));
  EXPECT_THAT(errors_of_root("defaults: {retry: {max_attempts: 0}}"),
              ElementsAre(HasSubstr("a whole number from 1 to 1000, got the number 0")));
  EXPECT_THAT(errors_of_root("defaults: {retry: {max_attempts: 1001}}"), SizeIs(1));
  EXPECT_THAT(errors_of_root("defaults: {retry: {max_attempts: 1.5}}"), SizeIs(1));
  EXPECT_THAT(errors_of_root("defaults: {retry: {backoff: linear}}"),
              ElementsAre(HasSubstr("expected constant or exponential")));
  EXPECT_THAT(errors_of_root("defaults: {retry: {jitter: 1.1}}"),
              ElementsAre(HasSubstr("a number from 0 to 1")));
  EXPECT_THAT(errors_of_root("defaults: {retry: {jitter: .nan}}"), SizeIs(1));
  EXPECT_THAT(errors_of_root("defaults: {retry: {initial: 31s}}"),
              ElementsAre(HasSubstr("defaults.retry.initial: initial (31s) is longer than max (30s)")));
  EXPECT_THAT(errors_of_root("defaults: {retry: {atempts: 3}}"),
              ElementsAre(HasSubstr("unknown key \"atempts\"")));
  EXPECT_THAT(errors_of_root("defaults: {circuit_breaker: {failures: 0, window: 0s, open: 1}}"),
              ElementsAre(HasSubstr("defaults.circuit_breaker.failures: expected a whole number from 1"),
                          HasSubstr("must be longer than 0"), HasSubstr("expected a duration")));
  EXPECT_THAT(errors_of_root("defaults: {idle_timeout: 0s, concurrency: 0}"),
              ElementsAre(HasSubstr("longer than 0"), HasSubstr("from 1 to 10000")));
  EXPECT_THAT(errors_of_root("defaults: {fallback: [backup]}"),
              ElementsAre("g.yaml:2:23: defaults.fallback[0]: no agent \"backup\""));
  EXPECT_THAT(errors_of_root("defaults: {budget: {usd: 1}}"),
              ElementsAre(HasSubstr("unknown key \"budget\"")));
  EXPECT_THAT(errors_of_root("defaults: {model: x}"),
              ElementsAre(HasSubstr("\"model\" is not available yet")));
}

TEST(DiagnosticsOfSchemas, stand_where_the_defect_is) {
  EXPECT_THAT(errors_of("ganglion: 1\nagents:\n  x:\n    kind: worker\n    output:\n      properties:\n      "
                        "  a:\n          type: strng\n"),
              ElementsAre(HasSubstr(
                  "g.yaml:8:11: agents.x.output.properties.a.type: not a JSON Schema: no type \"strng\"")));
  EXPECT_THAT(errors_of_agent("{kind: worker, output: {allOf: [true, 3]}}"),
              ElementsAre(HasSubstr("g.yaml:2:51: agents.x.output.allOf[1]: not a JSON Schema")));
  EXPECT_THAT(errors_of_agent("{kind: worker, output: {const: .inf}}"),
              ElementsAre(HasSubstr("agents.x.output.const: JSON has no form for .inf")));
}

TEST(DiagnosticsOfWorkflows, name_what_is_missing) {
  EXPECT_THAT(errors_of_root("workflows: {w: {}}"),
              ElementsAre("g.yaml:2:13: workflows.w: a workflow needs \"steps\""));
  EXPECT_THAT(errors_of_root("workflows: {w: {steps: {}}}"),
              ElementsAre(HasSubstr("workflows.w.steps: a workflow needs at least one step")));
  EXPECT_THAT(errors_of_root("workflows: {w: {steps: [a]}}"),
              ElementsAre(HasSubstr("expected a mapping, got a list")));
  EXPECT_THAT(errors_of_root("workflows: {w: {steps: {a: {sleep: 1s}}, budget: {}}}"),
              ElementsAre("g.yaml:2:42: workflows.w.budget: a budget needs \"tokens\", \"usd\" or both"));
  EXPECT_THAT(errors_of_root("workflows: {w: {steps: {a: {sleep: 1s}}, budget: {tokens: 0}}}"),
              ElementsAre(HasSubstr("expected a number greater than 0, got the number 0")));
  EXPECT_THAT(errors_of_root("workflows: {w: {steps: {a: {sleep: 1s}}, budget: {usd: .inf}}}"), SizeIs(1));
  EXPECT_THAT(errors_of_root("workflows: {w: {steps: {a: {sleep: 1s}}, budget: {usd: '1', eur: 2}}}"),
              ElementsAre(HasSubstr("got the text \"1\""), HasSubstr("unknown key \"eur\"")));
  EXPECT_THAT(errors_of_root("workflows: {w x: {steps: {a: {sleep: 1s}}}}"),
              ElementsAre(HasSubstr("no name: names are")));
  EXPECT_THAT(errors_of_root("workflows: {w: {steps: {a: {sleep: 1s}}, output: '${{ steps.b.output }}'}}"),
              ElementsAre("g.yaml:2:55: workflows.w.output: no step \"b\"; did you mean \"a\"?"));
}

TEST(DiagnosticsOfWorkflows, bound_the_number_of_steps) {
  std::string source = "ganglion: 1\nworkflows: {w: {steps: {";
  for (std::size_t i = 0; i < kMaxSteps; ++i) source += "s" + std::to_string(i) + ": {transform: 1}, ";
  EXPECT_THAT(errors_of(source + "}}}"), SizeIs(0));
  EXPECT_THAT(errors_of(source + "one_more: {transform: 1}}}}"),
              ElementsAre(HasSubstr("1001 steps; a workflow has at most 1000")));
}

TEST(Suggestions, are_near_or_not_made) {
  const std::vector<std::string> known = {"timeout", "retry", "output"};
  EXPECT_EQ(did_you_mean("timeuot", known), "; did you mean \"timeout\"?");
  EXPECT_EQ(did_you_mean("ouput", known), "; did you mean \"output\"?");
  EXPECT_EQ(did_you_mean("description", known), "");
  EXPECT_EQ(did_you_mean(std::string(1000, 'x'), known), "");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

}  // namespace
}  // namespace ganglion::project
