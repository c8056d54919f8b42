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

}  // namespace
}  // namespace ganglion::project
