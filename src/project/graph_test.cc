#include "project/graph.h"

#include <gtest/gtest.h>

#include "project/project.h"

namespace ganglion::project {
namespace {

WorkflowDefinition workflow(std::string_view steps) {
  const Loaded project = parse(
      "ganglion: 1\nagents: {scan: {kind: worker}}\nworkflows: {w: {steps: {" + std::string(steps) + "}}}\n",
      "ganglion.yaml");
  EXPECT_TRUE(project) << project.error().front().text();
  return (*project)->workflows.at("w");
}

constexpr std::string_view kReview = R"(
  files: {agent: scan},
  pause: {sleep: 3s},
  each: {agent: scan, for_each: "${{ steps.files.output }}", max_parallel: 8, on_failure: continue},
  merge: {transform: "${{ steps.each.output }}", if: "${{ input.x > 1 }}", needs: [pause]})";

TEST(Graph, shows_levels_arrows_and_what_is_special) {
  EXPECT_EQ(graph(workflow(kReview)), R"(w: 4 steps on 3 levels

1  ┬ files  agent scan
   └ pause  sleep
     │
2  ─ each   agent scan, for each item (8 at a time), may fail  ← files
     │
3  ─ merge  transform, if input.x > 1                          ← pause, each
)");
}

TEST(Graph, of_one_step_is_one_line) {
  EXPECT_EQ(graph(workflow("a: {sleep: 1s}")), "w: 1 step on 1 level\n\n1  ─ a  sleep\n");
}

TEST(Graph, is_also_a_mermaid_flowchart) {
  EXPECT_EQ(mermaid(workflow(kReview)), R"(flowchart TD
  step_files["files: agent scan"]
  step_pause(["pause: sleep"])
  step_each[["each: agent scan, for each item (8 at a time), may fail"]]
  step_merge{{"merge: transform, if input.x #gt; 1"}}
  step_files --> step_each
  step_pause --> step_merge
  step_each --> step_merge
)");
}

constexpr std::string_view kRelease = R"(
  draft: {agent: scan, input: "${{ steps.draft.output }}", until: "${{ steps.draft.output.good }}", max_iterations: 5},
  checks: {workflow: w, for_each: [1, 2]},
  ask: {approve: {by: [ann, bob, eve, joe], show: "${{ steps.draft.output }}"}, on_failure: pause},
  anyone: {approve: {}, needs: [ask]},
  paid: {wait_for: {event: order.paid, where: "${{ event.data.ok }}"}, needs: [ask]},
  pick: {agent: "${{ steps.paid.output.data.who }}", fallback: [scan, cache]},
  tell: {publish: {topic: release.done}, if: "${{ true }}", needs: [pick]},
  note: {set: {case.status: done, a: 1, b: 2, c: 3}, needs: [pick]})";

TEST(Graph, shows_what_each_action_is) {
  EXPECT_EQ(graph(workflow(kRelease)), R"(w: 8 steps on 5 levels

1  ┬ draft   agent scan, until steps.draft.output.good, at most 5 times
   └ checks  workflow w, for each item
     │
2  ─ ask     approval by ann, bob, eve and 1 more, pauses if it fails  ← draft
     │
3  ┬ anyone  approval                                                  ← ask
   └ paid    wait for order.paid where event.data.ok                   ← ask
     │
4  ─ pick    agent by choice, else scan, cache                         ← paid
     │
5  ┬ tell    publish release.done, if true                             ← pick
   └ note    set case.status, a, b and 1 more                          ← pick
)");
  EXPECT_EQ(mermaid(workflow(kRelease)), R"(flowchart TD
  step_draft["draft: agent scan, until steps.draft.output.good, at most 5 times"]
  step_checks[["checks: workflow w, for each item"]]
  step_ask[/"ask: approval by ann, bob, eve and 1 more, pauses if it fails"/]
  step_anyone[/"anyone: approval"/]
  step_paid(["paid: wait for order.paid where event.data.ok"])
  step_pick["pick: agent by choice, else scan, cache"]
  step_tell{{"tell: publish release.done, if true"}}
  step_note["note: set case.status, a, b and 1 more"]
  step_draft --> step_ask
  step_ask --> step_anyone
  step_ask --> step_paid
  step_paid --> step_pick
  step_pick --> step_tell
  step_pick --> step_note
)");
}

TEST(Graph, cuts_long_conditions) {
  EXPECT_EQ(graph(workflow("a: {agent: scan, until: \"${{ steps.a.output.one && steps.a.output.another }}\", "
                           "max_iterations: 1}")),
            "w: 1 step on 1 level\n\n1  ─ a  agent scan, until …, at most 1 time\n");
}

}  // namespace
}  // namespace ganglion::project
