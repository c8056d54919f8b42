// Every way in which an agent can be wrong, and what is said about it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "project/diagnostics_testing.h"

namespace ganglion::project {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(DiagnosticsOfAgents, name_the_kind) {
  EXPECT_THAT(
      errors_of_agent("{}"),
      ElementsAre("g.yaml:2:10: agents.x: an agent needs a kind: worker, process, http, human or router"));
  for (const std::string kind : {"llm", "a2a", "mcp"}) {
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
  for (const std::string key : {"model", "instructions", "prompt", "tools", "guardrails"}) {
    EXPECT_THAT(errors_of_agent("{kind: worker, " + key + ": 1}"),
                ElementsAre(HasSubstr("\"" + key + "\" is not available yet")));
  }
  for (const std::string key : {"retry: {}", "circuit_breaker: {}", "concurrency: 1",
                                "rate_limit: {requests: 1/s}", "budget: {usd: 1}", "publishes: [a]"}) {
    EXPECT_THAT(errors_of_agent("{kind: human, " + key + "}"),
                ElementsAre(HasSubstr("is a key of agents of kind worker, process and http")));
  }
  EXPECT_THAT(errors_of_agent("{kind: human, timeout: 1h}"),
              ElementsAre(HasSubstr("the step that asks may have a timeout")));
  EXPECT_THAT(errors_of_agent("{kind: process, command: [a], idle_timeout: 1s}"),
              ElementsAre(HasSubstr("\"idle_timeout\" is a key of agents of kind worker")));
  EXPECT_THAT(errors_of_agent("{kind: worker, by: [a], rules: [], classifier: x, default: x}"),
              ElementsAre(HasSubstr("of kind human"), HasSubstr("of kind router"),
                          HasSubstr("of kind router"), HasSubstr("of kind router")));
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

TEST(DiagnosticsOfAgents, check_how_much_they_are_given) {
  EXPECT_THAT(
      errors_of_agent("{kind: worker, concurrency: 10001}"),
      ElementsAre("g.yaml:2:28: agents.x.concurrency: expected a whole number from 1 to 10000, got the "
                  "number 10001"));
  for (const std::string rate :
       {"60", "60/d", "0/s", "/s", "60/", "-1/s", "1.5/s", "60/ms", "1000001/h", "6 /s"}) {
    EXPECT_THAT(
        errors_of_agent("{kind: worker, rate_limit: {requests: '" + rate + "'}}"),
        ElementsAre(HasSubstr("agents.x.rate_limit.requests: expected a rate such as 60/s, 500/m or 1000/h")))
        << rate;
  }
  EXPECT_THAT(errors_of_agent("{kind: worker, rate_limit: {}}"),
              ElementsAre(HasSubstr("needs \"requests\"")));
  EXPECT_THAT(errors_of_agent("{kind: worker, rate_limit: 60/m}"),
              ElementsAre(HasSubstr("expected a mapping")));
  EXPECT_THAT(errors_of_agent("{kind: worker, rate_limit: {tokens: 200000/m}}"),
              ElementsAre("g.yaml:2:41: agents.x.rate_limit.tokens: \"tokens\" is not available yet"));
  EXPECT_THAT(errors_of_agent("{kind: worker, budget: {}}"), ElementsAre(HasSubstr("a budget needs")));
  EXPECT_THAT(errors_of_agent("{kind: worker, circuit_breaker: {failure: 1}}"),
              ElementsAre(HasSubstr("did you mean \"failures\"?")));
  EXPECT_THAT(errors_of_agent("{kind: worker, idle_timeout: 0s}"), ElementsAre(HasSubstr("longer than 0")));
}

TEST(DiagnosticsOfAgents, check_patterns) {
  for (const std::string key : {"subscribes", "publishes"}) {
    EXPECT_THAT(
        errors_of_agent("{kind: worker, " + key + ": file.*}"),
        ElementsAre(HasSubstr("expected a list of patterns, such as [case.status, file.*], got the text")));
  }
  EXPECT_THAT(errors_of_agent("{kind: worker, subscribes: [a.**.b, a b, '${{ input.x }}']}"),
              ElementsAre(HasSubstr("agents.x.subscribes[0]: no pattern: patterns are words"),
                          HasSubstr("[1]: no pattern"), HasSubstr("expressions are not evaluated here")));
  EXPECT_THAT(errors_of_agent("{kind: worker, publishes: [" + std::string(256, 'a') + "]}"),
              ElementsAre(HasSubstr("at most 255 bytes")));
  EXPECT_THAT(errors_of_agent("{kind: worker, state: {reads: [a]}}"),
              ElementsAre(HasSubstr("unknown key \"reads\"; did you mean \"read\"?")));
  EXPECT_THAT(errors_of_agent("{kind: worker, state: {write: [case..x]}}"),
              ElementsAre(HasSubstr("agents.x.state.write[0]: no pattern")));
  std::string many = "[";
  for (int i = 0; i < 257; ++i) many += "a,";
  EXPECT_THAT(errors_of_agent("{kind: worker, subscribes: " + many + "]}"),
              ElementsAre(HasSubstr("more than 256 patterns")));
}

TEST(DiagnosticsOfAgents, let_only_results_write) {
  EXPECT_THAT(errors_of_agent("{kind: human, state: {read: [a], write: [a]}}"),
              ElementsAre(HasSubstr(
                  "agents.x.state.write: \"write\" is for agents of kind worker, process and http")));
}

TEST(DiagnosticsOfAgents, check_who_may_answer) {
  EXPECT_THAT(errors_of_agent("{kind: human}"), SizeIs(0));
  EXPECT_THAT(
      errors_of_agent("{kind: human, by: ann}"),
      ElementsAre(HasSubstr("expected a list of who may decide, such as [release-managers], got the text")));
  EXPECT_THAT(errors_of_agent("{kind: human, by: []}"),
              ElementsAre(HasSubstr("got an empty list; without \"by\", anybody may")));
  EXPECT_THAT(
      errors_of_agent(R"({kind: human, by: ['', "a\n", 3, '${{ input.x }}']})"),
      ElementsAre(HasSubstr("by[0]: who may decide is a text of 1 to 255 bytes"), HasSubstr("by[1]: who"),
                  HasSubstr("by[2]: expected text"), HasSubstr("by[3]: expressions are not evaluated")));
}

// Errors of agents with others around: they begin on line 3.
std::vector<std::string> errors_among(const std::string& agent) {
  return errors_of(
      "ganglion: 1\nagents: {backup: {kind: worker}, ann: {kind: human}, r: {kind: router, rules: [{match: "
      "a, "
      "to: backup}]},\nx: " +
      agent + "}\n");
}

TEST(DiagnosticsOfFallbacks, name_the_link) {
  EXPECT_THAT(errors_among("{kind: worker, fallback: [backup, cache]}"), SizeIs(0));
  EXPECT_THAT(errors_among("{kind: worker, fallback: []}"), SizeIs(0));
  EXPECT_THAT(errors_among("{kind: worker, fallback: backup}"),
              ElementsAre(HasSubstr("expected a list of agents and cache, such as [backup, cache]")));
  EXPECT_THAT(
      errors_among("{kind: worker, fallback: [bakcup]}"),
      ElementsAre("g.yaml:3:30: agents.x.fallback[0]: no agent \"bakcup\"; did you mean \"backup\"?"));
  EXPECT_THAT(errors_among("{kind: worker, fallback: [x]}"),
              ElementsAre(HasSubstr("can't be its own fallback")));
  EXPECT_THAT(errors_among("{kind: worker, fallback: [r]}"),
              ElementsAre(HasSubstr("\"r\" is a router, which can't stand in a fallback chain")));
  EXPECT_THAT(
      errors_among("{kind: worker, fallback: [backup, cache, backup, cache]}"),
      ElementsAre(HasSubstr("fallback[2]: \"backup\" stands twice"), HasSubstr("\"cache\" stands twice")));
  std::string many = "[";
  for (int i = 0; i < 17; ++i) many += "backup,";
  EXPECT_THAT(errors_among("{kind: worker, fallback: " + many + "]}"),
              ElementsAre(HasSubstr("17 fallbacks; a chain has at most 16")));
  EXPECT_THAT(errors_of_root("agents: {cache: {kind: worker}, x: {kind: worker, fallback: [cache]}}"),
              ElementsAre(HasSubstr("there is an agent of that name; rename the agent")));
}

TEST(DiagnosticsOfFallbacks, may_have_meant_the_cache) {
  EXPECT_THAT(errors_among("{kind: worker, fallback: [cach]}"),
              ElementsAre(HasSubstr("did you mean \"cache\"?")));
}

TEST(DiagnosticsOfRouters, name_what_can_not_be_routed) {
  EXPECT_THAT(
      errors_among("{kind: router}"),
      ElementsAre("g.yaml:3:1: agents.x: an agent of kind router needs \"rules\", a \"classifier\" or both"));
  EXPECT_THAT(errors_among("{kind: router, default: backup}"), SizeIs(1));
  EXPECT_THAT(
      errors_among("{kind: router, classifier: backup}"),
      ElementsAre(HasSubstr("chooses among the agents of \"rules\" and \"default\", and there are none")));
  EXPECT_THAT(errors_among("{kind: router, rules: []}"), ElementsAre(HasSubstr("got an empty list")));
  EXPECT_THAT(errors_among("{kind: router, rules: [{match: a}, {to: backup}, 3]}"),
              ElementsAre(HasSubstr("rules[0]: a rule needs \"match\" and \"to\""),
                          HasSubstr("rules[1]: a rule needs"), HasSubstr("rules[2]: expected a mapping")));
  EXPECT_THAT(
      errors_among("{kind: router, rules: [{match: '(', to: backup}]}"),
      ElementsAre(HasSubstr("agents.x.rules[0].match: invalid regular expression: missing ): ( (RE2)")));
  EXPECT_THAT(errors_among("{kind: router, rules: [{match: '(?=a)', to: backup}]}"), SizeIs(1));
  EXPECT_THAT(errors_among("{kind: router, rules: [{match: a, to: bakup}]}"),
              ElementsAre(HasSubstr("rules[0].to: no agent \"bakup\"; did you mean \"backup\"?")));
  EXPECT_THAT(errors_among("{kind: router, rules: [{match: a, to: r}], default: x}"),
              ElementsAre(HasSubstr("\"r\" is a router; a router hands tasks to agents of other kinds"),
                          HasSubstr("agents.x.default: \"x\" is a router")));
  EXPECT_THAT(
      errors_among("{kind: router, rules: [{match: a, to: backup}], classifier: ann}"),
      ElementsAre(HasSubstr("a classifier is an agent of kind worker, process or http; \"ann\" is not")));
  EXPECT_THAT(
      errors_among(
          "{kind: router, classifier: backup, default: ann, output: {}, timeout: 1s, fallback: [cache]}"),
      ElementsAre(HasSubstr("\"output\" is a key of agents of kind"), HasSubstr("\"timeout\" is a key"),
                  HasSubstr("\"fallback\" is a key")));
  EXPECT_THAT(errors_among("{kind: router, classifier: gone, default: backup}"),
              ElementsAre(HasSubstr("no agent \"gone\"")));
}

}  // namespace
}  // namespace ganglion::project
