// Every way in which a step can be wrong, and what is said about it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "project/diagnostics_testing.h"

namespace ganglion::project {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST(DiagnosticsOfSteps, hold_them_to_one_action) {
  EXPECT_THAT(errors_of_step("{}"),
              ElementsAre("g.yaml:4:1: steps.x: a step needs exactly one of agent, workflow, approve, "
                          "wait_for, publish, set, transform or sleep"));
  EXPECT_THAT(errors_of_step("{agent: scan, sleep: 3s}"),
              ElementsAre("g.yaml:4:1: steps.x: a step is exactly one thing; this one has agent and sleep"));
  EXPECT_THAT(errors_of_step("{approve: {}, publish: {topic: a}, set: {a: 1}}"),
              ElementsAre(HasSubstr("this one has approve, publish and set")));
}

TEST(DiagnosticsOfSteps, name_wrong_keys_and_values) {
  EXPECT_THAT(errors_of_step("{agent: scan, need: [first]}"),
              ElementsAre(HasSubstr("unknown key \"need\"; did you mean \"needs\"?")));
  EXPECT_THAT(errors_of_step("{agent: 3}"), ElementsAre(HasSubstr("expected text, got the number 3")));
  EXPECT_THAT(errors_of_step("{agent: scan, needs: first}"),
              ElementsAre(HasSubstr("expected a list of steps")));
  EXPECT_THAT(errors_of_step("{agent: scan, needs: [frist]}"),
              ElementsAre("g.yaml:4:26: steps.x.needs[0]: no step \"frist\"; did you mean \"first\"?"));
  EXPECT_THAT(errors_of_step("{agent: scan, on_failure: stop}"),
              ElementsAre(HasSubstr("expected fail, continue or pause")));
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
  EXPECT_THAT(errors_of_step("{transform: '${{ session.id + string(state.case.status) }}'}"), SizeIs(0));
  EXPECT_THAT(errors_of_step("{transform: '${{ session.run }}'}"),
              ElementsAre(HasSubstr("a session has an id, and no \"run\"")));
  EXPECT_THAT(errors_of_step("{transform: '${{ state[\"a b\"] }}'}"),
              ElementsAre(HasSubstr("no key of the state can be called \"a b\"")));
  EXPECT_THAT(
      errors_of_step("{transform: '${{ event.data }}'}"),
      ElementsAre(HasSubstr("\"event\" exists only in the \"where\" of a wait_for, and in a trigger")));
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
  EXPECT_THAT(errors_of_root("workflows: {w: {steps: {a: {needs: [a], sleep: 1s}}}}"),
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

TEST(DiagnosticsOfActions, name_the_agent_or_workflow_that_is_missing) {
  EXPECT_THAT(errors_of_step("{agent: scam}"),
              ElementsAre(HasSubstr("no agent \"scam\"; did you mean \"scan\"?")));
  EXPECT_THAT(errors_of_step("{agent: '${{ input.who }}'}"), SizeIs(0));
  EXPECT_THAT(errors_of_step("{agent: '${{ inptu.who }}'}"),
              ElementsAre(HasSubstr("did you mean \"input\"?")));
  EXPECT_THAT(errors_of_step("{agent: '$${{ input.who }}'}"),
              ElementsAre(HasSubstr("expected the name of an agent or an expression that gives one")));
  EXPECT_THAT(errors_of_step("{agent: '${{ input. }}'}"), SizeIs(1));
  EXPECT_THAT(errors_of_step("{workflow: w, input: 1}"), SizeIs(0));
  EXPECT_THAT(errors_of_step("{workflow: v}"),
              ElementsAre(HasSubstr("g.yaml:4:5: steps.x.workflow: no workflow \"v\"; did you mean \"w\"?")));
  EXPECT_THAT(errors_of_step("{workflow: '@scan'}"), ElementsAre(HasSubstr("no workflow \"@scan\"")));
  EXPECT_THAT(errors_of_step("{workflow: [w]}"), ElementsAre(HasSubstr("expected text, got a list")));
}

TEST(DiagnosticsOfActions, check_approvals) {
  EXPECT_THAT(errors_of_step("{approve: {by: [ann], show: '${{ steps.first.output }}'}}"), SizeIs(0));
  EXPECT_THAT(errors_of_step("{approve: {}}"), SizeIs(0));
  EXPECT_THAT(errors_of_step("{approve: ann}"),
              ElementsAre(HasSubstr("steps.x.approve: expected a mapping")));
  EXPECT_THAT(errors_of_step("{approve: {by: []}}"), ElementsAre(HasSubstr("got an empty list")));
  EXPECT_THAT(errors_of_step("{approve: {shows: 1}}"), ElementsAre(HasSubstr("did you mean \"show\"?")));
  EXPECT_THAT(errors_of_step("{approve: {}, input: 1}"),
              ElementsAre(HasSubstr("a step with \"approve\" takes no input")));
}

TEST(DiagnosticsOfActions, check_waits) {
  EXPECT_THAT(
      errors_of_step("{wait_for: {event: file.*, where: '${{ event.data.x == input.x }}', timeout: 1h}}"),
      SizeIs(0));
  EXPECT_THAT(
      errors_of_step("{wait_for: {}}"),
      ElementsAre("g.yaml:4:5: steps.x.wait_for: a wait_for needs \"event\", the name of a signal or a "
                  "pattern of topics"));
  EXPECT_THAT(errors_of_step("{wait_for: paid}"), ElementsAre(HasSubstr("expected a mapping")));
  EXPECT_THAT(errors_of_step("{wait_for: {event: a b}}"),
              ElementsAre(HasSubstr("steps.x.wait_for.event: no pattern")));
  EXPECT_THAT(errors_of_step("{wait_for: {event: a, where: event.data.ok}}"),
              ElementsAre(HasSubstr("did you mean \"${{ event.data.ok }}\"?")));
  EXPECT_THAT(errors_of_step("{wait_for: {event: a, where: '${{ event.dta }}'}}"),
              ElementsAre(HasSubstr("no \"dta\"; did you mean \"data\"?")));
  EXPECT_THAT(errors_of_step("{wait_for: {event: a, timeout: 0s}}"), ElementsAre(HasSubstr("longer than 0")));
  EXPECT_THAT(
      errors_of_step("{wait_for: {event: a, timeout: 1h}, timeout: 2h}"),
      ElementsAre(HasSubstr("steps.x.wait_for.timeout: the timeout in wait_for is that of the step")));
  EXPECT_THAT(errors_of_step("{wait_for: {event: a}, if: '${{ event.id == null }}'}"), SizeIs(1));
}

TEST(DiagnosticsOfActions, check_what_is_published) {
  EXPECT_THAT(errors_of_step("{publish: {topic: file.uploaded, data: {x: '${{ input.x }}'}}}"), SizeIs(0));
  EXPECT_THAT(errors_of_step("{publish: {data: 1}}"), ElementsAre(HasSubstr("a publish needs \"topic\"")));
  EXPECT_THAT(errors_of_step("{publish: {topic: file.*}}"),
              ElementsAre(HasSubstr("steps.x.publish.topic: no topic: topics are words of letters")));
  EXPECT_THAT(errors_of_step("{publish: {topic: '${{ input.t }}'}}"),
              ElementsAre(HasSubstr("expressions are not evaluated here")));
  EXPECT_THAT(errors_of_step("{publish: {topic: " + std::string(256, 'a') + "}}"),
              ElementsAre(HasSubstr("at most 255 bytes")));
  const auto published = [](const std::string& data) {
    return errors_of(
        "ganglion: 1\ntopics: {t: {1: {type: string}, 2: {properties: {n: {type: integer}}}}}\n"
        "workflows: {w: {steps: {x: {publish: {topic: t, data: " +
        data + "}}}}}\n");
  };
  EXPECT_THAT(published("{n: 1}"), SizeIs(0));
  EXPECT_THAT(published("{n: '${{ input.n }}'}"), SizeIs(0));
  EXPECT_THAT(published("{n: one}"),
              ElementsAre(HasSubstr("g.yaml:3:56: steps.x.publish.data.n: not what version 2 of the "
                                    "topic \"t\" wants: ")));
}

TEST(DiagnosticsOfActions, check_writes_of_the_state) {
  EXPECT_THAT(errors_of_step("{set: {case.status: open, scratch.x: null}}"), SizeIs(0));
  EXPECT_THAT(errors_of_step("{set: {}}"), ElementsAre(HasSubstr("a set needs at least one key")));
  EXPECT_THAT(errors_of_step("{set: 1}"), ElementsAre(HasSubstr("expected a mapping")));
  EXPECT_THAT(errors_of_step("{set: {'a b': 1, 'c.*': 2, '${{ input.k }}': 3}}"),
              ElementsAre(HasSubstr("no key of the state: keys are words"), HasSubstr("no key of the state"),
                          HasSubstr("expressions are not evaluated here")));
  EXPECT_THAT(errors_of_step("{set: {" + std::string(256, 'a') + ": 1}}"),
              ElementsAre(HasSubstr("at most 255 bytes")));
  std::string many;
  for (int i = 0; i < 257; ++i) many += "k" + std::to_string(i) + ": 1,";
  EXPECT_THAT(errors_of_step("{set: {" + many + "}}"),
              ElementsAre(HasSubstr("257 keys; a set has at most 256")));
}

TEST(DiagnosticsOfIterations, want_a_condition_and_a_bound) {
  EXPECT_THAT(errors_of_step("{agent: scan, until: '${{ steps.x.output.ok }}', max_iterations: 5}"),
              SizeIs(0));
  EXPECT_THAT(errors_of_step("{agent: scan, until: '${{ steps.x.output.ok }}'}"),
              ElementsAre("g.yaml:4:18: steps.x.until: until needs max_iterations beside it, at most 10000"));
  EXPECT_THAT(errors_of_step("{agent: scan, max_iterations: 5}"),
              ElementsAre(HasSubstr("max_iterations has a meaning only with until")));
  for (const std::string number : {"0", "10001", "1.5", "x"}) {
    EXPECT_THAT(errors_of_step("{agent: scan, until: true, max_iterations: " + number + "}"),
                ElementsAre(HasSubstr("expected a whole number from 1 to 10000")));
  }
  EXPECT_THAT(errors_of_step("{agent: scan, until: steps.x.output.ok, max_iterations: 2}"),
              ElementsAre(HasSubstr("did you mean \"${{ steps.x.output.ok }}\"?")));
  for (const std::string action : {"transform: 1", "publish: {topic: a}", "set: {a: 1}"}) {
    EXPECT_THAT(errors_of_step("{" + action + ", until: true, max_iterations: 2}"),
                ElementsAre(HasSubstr("is done once")));
  }
  for (const std::string action : {"workflow: w", "approve: {}", "wait_for: {event: a}", "sleep: 1s"}) {
    EXPECT_THAT(errors_of_step("{" + action + ", until: true, max_iterations: 2}"), SizeIs(0));
  }
}

TEST(DiagnosticsOfIterations, say_where_a_step_may_mention_itself) {
  const std::string_view refusal =
      "the step's own output exists only in its until, and in the input of a step with until";
  EXPECT_THAT(errors_of_step("{agent: scan, input: '${{ steps.x.output }}', until: true, max_iterations: 2}"),
              SizeIs(0));
  EXPECT_THAT(errors_of_step("{agent: scan, input: '${{ steps.x.output }}'}"),
              ElementsAre(HasSubstr(refusal)));
  EXPECT_THAT(errors_of_step("{transform: '${{ steps.x.output }}'}"), ElementsAre(HasSubstr(refusal)));
  EXPECT_THAT(
      errors_of_step("{agent: scan, if: '${{ steps.x.output == 1 }}', until: true, max_iterations: 2}"),
      ElementsAre(HasSubstr(refusal)));
  EXPECT_THAT(errors_of_step("{agent: scan, until: '${{ steps.x.outptu }}', max_iterations: 2}"), SizeIs(1));
}

TEST(DiagnosticsOfAnswers, belong_to_agents) {
  EXPECT_THAT(
      errors_of_step(
          "{agent: scan, fallback: [cache], cache: {ttl: 1h, key: '${{ input.x }}'}, priority: -1000}"),
      SizeIs(0));
  EXPECT_THAT(errors_of_step("{agent: scan, fallback: [scan]}"),
              ElementsAre(HasSubstr("can't be its own fallback")));
  EXPECT_THAT(errors_of_step("{agent: scan, fallback: [scna]}"),
              ElementsAre(HasSubstr("did you mean \"scan\"?")));
  EXPECT_THAT(errors_of_step("{agent: '${{ input.a }}', fallback: [scan]}"), SizeIs(0));
  EXPECT_THAT(errors_of_step("{sleep: 1s, fallback: [cache]}"),
              ElementsAre(HasSubstr("\"fallback\" is a key of steps with \"agent\"")));
  EXPECT_THAT(errors_of_step("{workflow: w, cache: {ttl: 1h}}"),
              ElementsAre(HasSubstr("\"cache\" is a key of steps with \"agent\"")));
  EXPECT_THAT(errors_of_step("{agent: scan, cache: {}}"), ElementsAre(HasSubstr("a cache needs \"ttl\"")));
  EXPECT_THAT(errors_of_step("{agent: scan, cache: 1h}"), ElementsAre(HasSubstr("expected a mapping")));
  EXPECT_THAT(errors_of_step("{agent: scan, cache: {ttl: 0s}}"), ElementsAre(HasSubstr("longer than 0")));
  EXPECT_THAT(errors_of_step("{agent: scan, priority: 1001}"),
              ElementsAre(HasSubstr("expected a whole number from -1000 to 1000")));
}

// The errors of a step in a project whose agents have rights of their own; it begins on line 3.
std::vector<std::string> errors_with_rights(const std::string& step) {
  return errors_of(
      "ganglion: 1\nagents: {none: {kind: worker}, some: {kind: worker, state: {read: [case.*]}, fallback: "
      "[none]}, "
      "all: {kind: worker, state: {read: ['**']}}, wide: {kind: router, classifier: all, rules: [{match: a, "
      "to: some}], "
      "state: {read: ['**']}}}\nworkflows: {w: {steps: {x: " +
      step + "}}}\n");
}

TEST(DiagnosticsOfState, hold_inputs_to_what_the_agent_may_read) {
  EXPECT_THAT(
      errors_with_rights("{agent: none, input: '${{ state.case.status }}'}"),
      ElementsAre("g.yaml:3:54: steps.x.input: agent \"none\" may not read \"case.status\" of the state; its "
                  "state.read would have to allow it"));
  EXPECT_THAT(errors_with_rights("{agent: some, fallback: [], input: '${{ state.case.status.since }}'}"),
              SizeIs(0));
  EXPECT_THAT(errors_with_rights("{agent: some, fallback: [], input: '${{ state[\"case.status\"] }}'}"),
              SizeIs(0));
  EXPECT_THAT(errors_with_rights("{agent: some, fallback: [], input: {a: ['${{ state.user.name }}']}}"),
              ElementsAre(HasSubstr("\"some\" may not read \"user.name\"")));
  EXPECT_THAT(errors_with_rights("{agent: some, fallback: [], input: '${{ state.case }}'}"), SizeIs(0));
  EXPECT_THAT(errors_with_rights("{agent: some, fallback: [], input: '${{ state.cas }}'}"), SizeIs(1));
  EXPECT_THAT(errors_with_rights("{agent: some, fallback: [], input: '${{ state.`case-x` }}'}"), SizeIs(1));
  EXPECT_THAT(errors_with_rights("{agent: some, fallback: [], input: '${{ has(state.case.x) }}'}"),
              SizeIs(0));
  EXPECT_THAT(errors_with_rights("{agent: all, input: '${{ state.anything }}'}"), SizeIs(0));
}

TEST(DiagnosticsOfState, hold_inputs_to_what_everybody_may_read_who_comes_to_see_them) {
  EXPECT_THAT(errors_with_rights("{agent: some, input: '${{ state.case.x }}'}"),
              ElementsAre(HasSubstr("\"none\" may not")));
  EXPECT_THAT(errors_with_rights("{agent: all, fallback: [none], input: '${{ state.a }}'}"),
              ElementsAre(HasSubstr("\"none\" may not")));
  EXPECT_THAT(errors_with_rights("{agent: wide, fallback: [cache], input: '${{ state.user }}'}"),
              ElementsAre(HasSubstr("\"some\" may not")));
  EXPECT_THAT(errors_with_rights("{agent: wide, fallback: [cache], input: '${{ state.case.x }}'}"),
              SizeIs(0));
  EXPECT_THAT(errors_with_rights("{agent: wide, input: '${{ state.case.x }}'}"),
              ElementsAre(HasSubstr("\"none\" may not")));
}

TEST(DiagnosticsOfState, leave_the_workflow_and_what_is_computed_alone) {
  EXPECT_THAT(errors_with_rights("{agent: none, if: '${{ state.a == 1 }}'}"), SizeIs(0));
  EXPECT_THAT(errors_with_rights("{agent: none, input: '${{ state[input.k] }}'}"), SizeIs(0));
  EXPECT_THAT(errors_with_rights("{agent: '${{ state.who }}', input: '${{ state.a }}'}"), SizeIs(0));
  EXPECT_THAT(errors_with_rights("{transform: '${{ state.a }}'}"), SizeIs(0));
}

}  // namespace
}  // namespace ganglion::project
