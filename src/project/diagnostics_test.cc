// Every way in which a project can be wrong, and what is said about it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "project/project.h"
#include "project/suggestion.h"

namespace ganglion::project {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::vector<std::string> errors_of(std::string_view source) {
  std::vector<std::string> texts;
  const Loaded result = parse(source, "g.yaml");
  if (result) return texts;
  for (const Diagnostic& diagnostic : result.error()) texts.push_back(diagnostic.text());
  return texts;
}

// The errors of one agent, of one step, of the top level: what they are about begins on line 2, 4 and 2.
std::vector<std::string> errors_of_agent(const std::string& agent) {
  return errors_of("ganglion: 1\nagents: {x: " + agent + "}\n");
}
std::vector<std::string> errors_of_step(const std::string& step) {
  return errors_of(
      "ganglion: 1\nagents: {scan: {kind: worker}}\nworkflows: {w: {steps: {first: {transform: 1},\nx: " +
      step + "}}}\n");
}
std::vector<std::string> errors_of_root(const std::string& line) {
  return errors_of("ganglion: 1\n" + line + "\n");
}

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
  EXPECT_THAT(errors_of("ganglion: 1\nganglion: 1\n"),
              ElementsAre(HasSubstr("g.yaml:2:1: duplicate key \"ganglion\"")));
}

TEST(DiagnosticsOfTheFile, refuse_by_name_what_is_still_to_come) {
  for (const std::string key : {"providers", "tools", "triggers", "topics"}) {
    EXPECT_THAT(errors_of_root(key + ": {a: 1}"),
                ElementsAre("g.yaml:2:1: " + key + ": \"" + key + "\" is not available yet"));
  }
  EXPECT_THAT(errors_of_root("coordination: {strategy: mesh}"), SizeIs(0));
  EXPECT_THAT(errors_of_root("coordination: {strategy: swarm}"),
              ElementsAre(HasSubstr("the strategy \"swarm\" is not available yet")));
  EXPECT_THAT(errors_of_root("coordination: {strategy: mash}"),
              ElementsAre(HasSubstr("did you mean \"mesh\"?")));
  EXPECT_THAT(errors_of_root("coordination: {domains: {}}"),
              ElementsAre(HasSubstr("\"domains\" is not available yet")));
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
  EXPECT_THAT(errors_of_root("defaults: {model: x}"),
              ElementsAre(HasSubstr("\"model\" is not available yet")));
}

TEST(DiagnosticsOfAgents, name_the_kind) {
  EXPECT_THAT(errors_of_agent("{}"),
              ElementsAre("g.yaml:2:10: agents.x: an agent needs a kind: worker, process or http"));
  for (const std::string kind : {"llm", "a2a", "mcp", "human", "router"}) {
    EXPECT_THAT(
        errors_of_agent("{kind: " + kind + ", model: m, rules: []}"),
        ElementsAre(HasSubstr("agents.x.kind: an agent of kind \"" + kind + "\" is not available yet")));
  }
  EXPECT_THAT(errors_of_agent("{kind: htpp}"),
              ElementsAre(HasSubstr("no kind \"htpp\"; did you mean \"http\"?")));
  EXPECT_THAT(errors_of_agent("{kind: [worker]}"), ElementsAre(HasSubstr("expected text, got a list")));
  EXPECT_THAT(errors_of_agent("worker"),
              ElementsAre("g.yaml:2:10: agents.x: expected a mapping, got the text \"worker\""));
  EXPECT_THAT(errors_of_root("agents: {1x: {kind: worker}}"),
              ElementsAre(HasSubstr("agents.1x: no name: names are")));
  EXPECT_THAT(errors_of_root("agents: {" + std::string(65, 'a') + ": {kind: worker}}"),
              ElementsAre(HasSubstr("at most 64 bytes")));
}

TEST(DiagnosticsOfAgents, refuse_keys_of_other_kinds_and_of_later) {
  EXPECT_THAT(errors_of_agent("{kind: worker, url: 'http://h'}"),
              ElementsAre(HasSubstr("\"url\" is a key of agents of kind http")));
  EXPECT_THAT(errors_of_agent("{kind: http, url: 'http://h', command: [a]}"),
              ElementsAre(HasSubstr("\"command\" is a key of agents of kind process")));
  for (const std::string key :
       {"model", "instructions", "prompt", "tools", "idle_timeout", "fallback", "circuit_breaker",
        "concurrency", "rate_limit", "guardrails", "subscribes", "publishes", "state"}) {
    EXPECT_THAT(errors_of_agent("{kind: worker, " + key + ": 1}"),
                ElementsAre(HasSubstr("\"" + key + "\" is not available yet")));
  }
  EXPECT_THAT(errors_of_agent("{kind: worker, timout: 3s}"),
              ElementsAre(HasSubstr("unknown key \"timout\"; did you mean \"timeout\"?")));
}

TEST(DiagnosticsOfAgents, check_commands_and_environments) {
  EXPECT_THAT(errors_of_agent("{kind: process}"),
              ElementsAre(HasSubstr("an agent of kind process needs \"command\"")));
  EXPECT_THAT(errors_of_agent("{kind: process, command: ls}"),
              ElementsAre(HasSubstr("expected a list of the program and its arguments")));
  EXPECT_THAT(errors_of_agent("{kind: process, command: []}"), ElementsAre(HasSubstr("got an empty list")));
  EXPECT_THAT(errors_of_agent("{kind: process, command: ['']}"),
              ElementsAre(HasSubstr("the program's name is empty")));
  EXPECT_THAT(errors_of_agent("{kind: process, command: [a, [b]]}"),
              ElementsAre(HasSubstr("agents.x.command[1]: expected text, got a list")));
  EXPECT_THAT(errors_of_agent(R"({kind: process, command: [a, "x\0"]})"),
              ElementsAre(HasSubstr("zero byte")));
  EXPECT_THAT(errors_of_agent("{kind: process, command: [a], env: {A: '${{ secrets.X }}'}}"),
              ElementsAre(HasSubstr("g.yaml:2:53: agents.x.env.A: expressions are not evaluated here")));
  EXPECT_THAT(errors_of_agent("{kind: process, command: [a], env: {A=B: 1}}"),
              ElementsAre(HasSubstr("no name for an environment variable")));
  EXPECT_THAT(errors_of_agent("{kind: process, command: [a], env: {A: }}"),
              ElementsAre(HasSubstr("expected text, got nothing")));
  EXPECT_THAT(errors_of_root("workers: {p: {}}"),
              ElementsAre(HasSubstr("workers.p: a worker program needs \"command\"")));
  EXPECT_THAT(errors_of_root("workers: {p: {command: [a], cwd: /}}"),
              ElementsAre(HasSubstr("unknown key \"cwd\"")));
}

TEST(DiagnosticsOfAgents, check_urls_headers_and_secrets) {
  EXPECT_THAT(errors_of_agent("{kind: http}"), ElementsAre(HasSubstr("an agent of kind http needs \"url\"")));
  EXPECT_THAT(errors_of_agent("{kind: http, url: 'ftp://h'}"),
              ElementsAre(HasSubstr("begins with http:// or https://")));
  EXPECT_THAT(errors_of_agent("{kind: http, url: 'http://'}"), ElementsAre(HasSubstr("names no host")));
  EXPECT_THAT(errors_of_agent("{kind: http, url: 'http://a b'}"), ElementsAre(HasSubstr("no spaces")));
  EXPECT_THAT(errors_of_agent("{kind: http, url: 'http://h/${{ input.x }}'}"),
              ElementsAre("g.yaml:2:41: agents.x.url: only ${{ secrets.NAME }} may stand here"));
  EXPECT_THAT(errors_of_agent("{kind: http, url: 'http://h/${{ secrets.A'}"),
              ElementsAre(HasSubstr("has no \"}}\"")));
  EXPECT_THAT(errors_of_agent("{kind: http, url: '${{ secrets.URL }}'}"), SizeIs(0));
  EXPECT_THAT(errors_of_agent("{kind: http, url: 'http://h', headers: {'a b': c}}"),
              ElementsAre(HasSubstr("no name for an HTTP header")));
  EXPECT_THAT(errors_of_agent(R"({kind: http, url: 'http://h', headers: {A: "b\r\nC: d"}})"),
              ElementsAre(HasSubstr("no line breaks")));
  EXPECT_THAT(errors_of_agent("{kind: http, url: 'http://h', headers: {A: '${{ secrets.1 }}'}}"),
              ElementsAre(HasSubstr("only ${{ secrets.NAME }}")));
  EXPECT_THAT(errors_of_agent("{kind: http, url: 'http://h', headers: {A: [b]}}"),
              ElementsAre(HasSubstr("expected text, got a list")));
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
              ElementsAre(HasSubstr("\"budget\" is not available yet")));
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

TEST(DiagnosticsOfSteps, hold_them_to_one_action) {
  EXPECT_THAT(errors_of_step("{}"),
              ElementsAre("g.yaml:4:1: steps.x: a step needs exactly one of agent, transform or sleep"));
  EXPECT_THAT(errors_of_step("{agent: scan, sleep: 3s}"),
              ElementsAre("g.yaml:4:1: steps.x: a step is exactly one thing; this one has agent and sleep"));
  for (const std::string action : {"workflow", "approve", "wait_for", "publish", "set"}) {
    EXPECT_THAT(errors_of_step("{" + action + ": {}}"),
                ElementsAre(HasSubstr("steps.x." + action + ": a step with \"" + action +
                                      "\" is not available yet")));
  }
  EXPECT_THAT(errors_of_step("{agent: scan, set: {}}"), SizeIs(2));
}

TEST(DiagnosticsOfSteps, name_wrong_keys_and_values) {
  for (const std::string key : {"until", "max_iterations", "fallback", "priority", "cache"}) {
    EXPECT_THAT(errors_of_step("{agent: scan, " + key + ": 1}"),
                ElementsAre(HasSubstr("\"" + key + "\" is not available yet")));
  }
  EXPECT_THAT(errors_of_step("{agent: scan, need: [first]}"),
              ElementsAre(HasSubstr("unknown key \"need\"; did you mean \"needs\"?")));
  EXPECT_THAT(errors_of_step("{agent: 3}"), ElementsAre(HasSubstr("expected text, got the number 3")));
  EXPECT_THAT(errors_of_step("{agent: scan, needs: first}"),
              ElementsAre(HasSubstr("expected a list of steps")));
  EXPECT_THAT(errors_of_step("{agent: scan, needs: [frist]}"),
              ElementsAre("g.yaml:4:26: steps.x.needs[0]: no step \"frist\"; did you mean \"first\"?"));
  EXPECT_THAT(errors_of_step("{agent: scan, on_failure: pause}"),
              ElementsAre(HasSubstr("\"on_failure: pause\" is not available yet")));
  EXPECT_THAT(errors_of_step("{agent: scan, on_failure: stop}"),
              ElementsAre(HasSubstr("expected fail or continue")));
  EXPECT_THAT(errors_of_step("{agent: scan, max_parallel: 2}"), ElementsAre(HasSubstr("only with for_each")));
  EXPECT_THAT(errors_of_step("{agent: scan, for_each: [1], max_parallel: 0}"),
              ElementsAre(HasSubstr("from 1 to 10000")));
  EXPECT_THAT(errors_of_step("{transform: 1, input: 2}"),
              ElementsAre(HasSubstr("a step with \"transform\" takes no input")));
  EXPECT_THAT(errors_of_step("{sleep: 30}"), ElementsAre(HasSubstr("expected a duration")));
  EXPECT_THAT(errors_of_step("{agent: scan, timeout: 1y}"), ElementsAre(HasSubstr("expected a duration")));
  EXPECT_THAT(errors_of_step("3"), ElementsAre("g.yaml:4:1: steps.x: expected a mapping, got the number 3"));
}

TEST(DiagnosticsOfSteps, want_names_that_expressions_can_use) {
  const auto named = [](const std::string& name) {
    return errors_of_root("workflows: {w: {steps: {" + name + ": {sleep: 1s}}}}");
  };
  EXPECT_THAT(
      named("sign-off"),
      ElementsAre(HasSubstr(
          "the name of a step is letters, digits and '_', not a digit first; did you mean \"sign_off\"?")));
  EXPECT_THAT(named("1st"), ElementsAre(HasSubstr("did you mean \"_1st\"?")));
  EXPECT_THAT(named("''"), SizeIs(1));
  EXPECT_THAT(named(std::string(65, 'a')), ElementsAre(HasSubstr("at most 64 bytes")));
  EXPECT_THAT(named(std::string(64, 'a')), SizeIs(0));
}

TEST(DiagnosticsOfExpressions, stand_at_the_character) {
  EXPECT_THAT(errors_of_step("{transform: \"ab ${{ inptu.x }}\"}"),
              ElementsAre("g.yaml:4:24: steps.x.transform: no name \"inptu\" here; did you mean \"input\"?"));
  EXPECT_THAT(errors_of_step("{transform: '${{ 1 + }}'}"), ElementsAre(HasSubstr("g.yaml:4:2")));
  EXPECT_THAT(errors_of_step("{if: '${{ 1 == }}', sleep: 1s}"), ElementsAre(HasSubstr("g.yaml:4:1")));
  EXPECT_THAT(errors_of_step("{transform: '${{ nofun(1) }}'}"), ElementsAre(HasSubstr("nofun")));
  EXPECT_THAT(errors_of_step("{transform: {'${{ 1 }}': 2}}"),
              ElementsAre(HasSubstr("expressions are not evaluated in keys")));
}

TEST(DiagnosticsOfExpressions, know_the_names_that_exist_at_that_place) {
  EXPECT_THAT(errors_of_step("{transform: '${{ item }}'}"),
              ElementsAre(HasSubstr("\"item\" exists only inside a step with for_each")));
  EXPECT_THAT(errors_of_step("{for_each: [1], transform: '${{ item + index }}'}"), SizeIs(0));
  EXPECT_THAT(errors_of_step("{for_each: '${{ item }}', transform: 1}"), SizeIs(1));
  EXPECT_THAT(errors_of_step("{for_each: [1], if: '${{ item > 0 }}', transform: 1}"), SizeIs(1));
  for (const std::string name : {"session", "state", "event"}) {
    EXPECT_THAT(errors_of_step("{transform: '${{ " + name + ".x }}'}"),
                ElementsAre(HasSubstr("\"" + name + "\" is not available yet")));
  }
  EXPECT_THAT(errors_of_step("{transform: '${{ secrets.X }}'}"),
              ElementsAre(HasSubstr("secrets may stand only in the url and headers")));
  EXPECT_THAT(errors_of_step("{transform: '${{ run.id + run.nmae }}'}"),
              ElementsAre(HasSubstr("no \"nmae\"")));
  EXPECT_THAT(errors_of_step("{transform: '${{ first.x }}'}"),
              ElementsAre(HasSubstr("did you mean \"steps.first.output\"?")));
  EXPECT_THAT(errors_of_step("{transform: '${{ [1].map(x, x * 2) }}'}"), SizeIs(0));
}

TEST(DiagnosticsOfExpressions, hold_steps_to_readable_names) {
  EXPECT_THAT(errors_of_step("{transform: '${{ steps[input.x].output }}'}"),
              ElementsAre(HasSubstr("write steps.NAME.output")));
  EXPECT_THAT(errors_of_step("{transform: '${{ size(steps) }}'}"), SizeIs(1));
  EXPECT_THAT(errors_of_step("{transform: '${{ steps.frist.output }}'}"),
              ElementsAre(HasSubstr("no step \"frist\"; did you mean \"first\"?")));
  EXPECT_THAT(errors_of_step("{transform: '${{ steps.first.outptu }}'}"),
              ElementsAre(HasSubstr("did you mean \"output\"?")));
  EXPECT_THAT(errors_of_step("{transform: '${{ steps.first.summary }}'}"),
              ElementsAre(HasSubstr("did you mean \"steps.first.output.summary\"?")));
  EXPECT_THAT(errors_of_step("{transform: '${{ has(steps.first.error) }}'}"), SizeIs(0));
}

TEST(DiagnosticsOfExpressions, want_conditions_and_lists_to_be_one_expression) {
  EXPECT_THAT(errors_of_step("{if: input.x, sleep: 1s}"),
              ElementsAre(HasSubstr("did you mean \"${{ input.x }}\"?")));
  EXPECT_THAT(errors_of_step("{if: 3, sleep: 1s}"),
              ElementsAre(HasSubstr("expected true, false or one expression")));
  EXPECT_THAT(errors_of_step("{if: 'x ${{ true }}', sleep: 1s}"), SizeIs(1));
  EXPECT_THAT(errors_of_step("{if: true, sleep: 1s}"), SizeIs(0));
  EXPECT_THAT(errors_of_step("{for_each: input.files, transform: 1}"),
              ElementsAre(HasSubstr("expected a list or one expression")));
  EXPECT_THAT(errors_of_step("{for_each: [1], sleep: 1s}"),
              ElementsAre(HasSubstr("a sleep with for_each is not available yet")));
  EXPECT_THAT(errors_of_step("{for_each: {a: 1}, transform: 1}"), ElementsAre(HasSubstr("got a mapping")));
  std::string items = "[";
  for (std::size_t i = 0; i <= kMaxMapItems; ++i) items += "1,";
  EXPECT_THAT(errors_of_step("{for_each: " + items + "], transform: 1}"),
              ElementsAre(HasSubstr("more than 10000 items")));
}

TEST(DiagnosticsOfValues, bound_their_size) {
  EXPECT_THAT(errors_of_step("{transform: \"" + std::string(kMaxPayload, 'x') + "\"}"),
              ElementsAre(HasSubstr("larger than 1048576 bytes")));
}

TEST(DiagnosticsOfEdges, print_the_cycle) {
  EXPECT_THAT(errors_of_root("workflows: {w: {steps: {a: {needs: [b], sleep: 1s}, b: {transform: '${{ "
                             "steps.c.output }}'}, c: {needs: [a], sleep: 1s}}}}"),
              ElementsAre("g.yaml:2:37: steps.a: a cycle, in which each step needs the next: a → b → c → a"));
  EXPECT_THAT(errors_of_root("workflows: {w: {steps: {a: {transform: '${{ steps.a.output }}'}}}}"),
              ElementsAre(HasSubstr("a → a")));
  EXPECT_THAT(errors_of_root("workflows: {w: {steps: {z: {needs: [a], sleep: 1s}, a: {needs: [b], sleep: "
                             "1s}, b: {needs: [a], sleep: 1s}}}}"),
              ElementsAre(HasSubstr(": a → b → a")));
}

TEST(DiagnosticsOfEdges, reach_a_chain_of_every_step_that_there_may_be) {
  std::string source = "ganglion: 1\nworkflows: {w: {steps: {";
  for (std::size_t i = 0; i < kMaxSteps; ++i) {
    source +=
        "s" + std::to_string(i) + ": {needs: [s" + std::to_string((i + 1) % kMaxSteps) + "], sleep: 1s}, ";
  }
  EXPECT_THAT(errors_of(source + "}}}"), ElementsAre(HasSubstr("s998 → s999 → s0")));
}

TEST(DiagnosticsOfEdges, name_some_cycles_where_every_step_needs_every_step) {
  std::string source = "ganglion: 1\nworkflows: {w: {steps: {";
  std::string all;
  for (int i = 0; i < 100; ++i) all += "s" + std::to_string(i) + ", ";
  for (int i = 0; i < 100; ++i) source += "s" + std::to_string(i) + ": {needs: [" + all + "], sleep: 1s}, ";
  EXPECT_THAT(errors_of(source + "}}}"), SizeIs(10));
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
