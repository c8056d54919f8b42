#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

constexpr const char* kSubRuns = R"(ganglion: 1
agents:
  worker: {kind: worker, retry: {max_attempts: 1}}
workflows:
  parent:
    steps:
      child: {workflow: child, input: {n: "${{ input.n }}"}}
    output: "${{ steps.child.output }}"
  child:
    steps:
      work: {agent: worker, input: "${{ input }}"}
    output: "${{ steps.work.output }}"
)";

class SubRunsTest : public ApiTest {
 protected:
  boost::json::array children(const std::string& parent) {
    return get("/v1/runs?parent=" + parent).json().at("items").as_array();
  }
};

TEST_F(SubRunsTest, a_sub_run_is_found_by_its_parent_and_gives_it_output_and_usage) {
  put_project(kSubRuns);
  const std::string parent = start("parent", R"({"n":1})");
  const auto task = take("worker");
  const std::string child(task.at("run_id").as_string());
  ASSERT_EQ(children(parent).size(), 1u);
  EXPECT_EQ(children(parent).front().at("id").as_string(), child);
  EXPECT_EQ(children(parent).front().at("parent").at("run_id").as_string(), parent);
  EXPECT_EQ(children(child).size(), 0u);
  EXPECT_EQ(get("/v1/runs?parent=x").status, 400);
  EXPECT_EQ(run(parent).at("steps").at("child").at("run_id").as_string(), child);
  EXPECT_EQ(run(child).at("parent").at("run_id").as_string(), parent);
  EXPECT_EQ(run(child).at("parent").at("step").as_string(), "child");
  EXPECT_TRUE(run(child).at("parent").at("item").is_null());
  EXPECT_EQ(report(task, R"("output":7,"usage":{"tokens":3})"), "accepted");
  ASSERT_TRUE(turn_until([&] { return status(parent) == "completed"; }));
  EXPECT_EQ(run(parent).at("output").as_int64(), 7);
  EXPECT_EQ(run(parent).at("usage").at("tokens").to_number<double>(), 3);
}

TEST_F(SubRunsTest, cancelling_the_parent_cancels_the_child) {
  put_project(kSubRuns);
  const std::string parent = start("parent", R"({"n":1})");
  const std::string child(take("worker").at("run_id").as_string());
  ASSERT_EQ(post("/v1/runs/" + parent + "/pause", "").status, 200);
  EXPECT_TRUE(turn_until([&] { return status(child) == "paused"; }));
  ASSERT_EQ(post("/v1/runs/" + parent + "/cancel", "").status, 200);
  EXPECT_TRUE(turn_until([&] { return status(child) == "cancelled"; }));
}

}  // namespace
}  // namespace ganglion::ingress
