#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

std::string project(const std::string& timeout, const std::string& input, const std::string& extra = "") {
  return "ganglion: 1\nagents:\n  worker: {kind: worker, timeout: " + timeout +
         "}\n  idle: {kind: worker}\nworkflows:\n  one:\n    steps:\n      work: {agent: worker, input: " +
         input + "}\n  two:\n    steps:\n      work: {agent: idle, input: 1}\n" + extra;
}

class ProjectImpactTest : public ApiTest {
 protected:
  boost::json::value open_runs(const std::string& yaml, const std::string& query = "") {
    const Answer answer = put("/v1/project" + query, yaml, {"Content-Type: text/yaml"});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json().at("open_runs");
  }
  static std::string changes(const boost::json::value& open) {
    std::string text;
    for (const auto& each : open.at("affected").as_array()) {
      text += std::string(each.at("workflow").as_string()) + ":" +
              std::string(each.at("change").as_string()) + ":" + std::to_string(each.at("runs").as_int64()) +
              " ";
    }
    return text;
  }
};

TEST_F(ProjectImpactTest, a_dry_run_tells_what_would_change_and_changes_nothing) {
  put_project(project("20s", "1"));
  start("one");
  start("one");
  start("two");
  const std::string before = get("/v1/project").headers.at("etag");
  const auto open = open_runs(project("20s", "2"), "?dry_run=true");
  EXPECT_EQ(open.at("total").as_int64(), 3);
  EXPECT_EQ(changes(open), "one:changed:2 ");
  EXPECT_EQ("\"" + std::string(open.at("affected").at(0).at("definition").as_string()) + "\"", before);
  EXPECT_EQ(get("/v1/project").headers.at("etag"), before);
  EXPECT_EQ(
      put("/v1/project?dry_run=true", "ganglion: 1\nworkflows: 7\n", {"Content-Type: text/yaml"}).status,
      422);
  EXPECT_EQ(put("/v1/project?dry_run=x", project("20s", "1"), {"Content-Type: text/yaml"}).status, 400);
}

TEST_F(ProjectImpactTest, what_says_the_same_in_other_words_affects_nobody) {
  put_project(project("20s", "1"));
  start("one");
  EXPECT_EQ(changes(open_runs("# a comment\n" + project("20s", " 1 "))), "");
  EXPECT_EQ(changes(open_runs(project("20s", "1", "  three:\n    steps:\n      a: {transform: 1}\n"))), "");
}

TEST_F(ProjectImpactTest, another_agent_or_no_workflow_affects_its_runs) {
  put_project(project("20s", "1"));
  start("one");
  start("two");
  EXPECT_EQ(changes(open_runs(project("30s", "1"), "?dry_run=true")), "one:changed:1 ");
  const std::string only =
      "ganglion: 1\nagents:\n  idle: {kind: worker}\nworkflows:\n  two:\n    steps:\n      work: "
      "{agent: idle, input: 1}\n";
  EXPECT_EQ(changes(open_runs(only)), "one:removed:1 ");
  EXPECT_EQ(changes(open_runs(project("20s", "1"))), "");
}

}  // namespace
}  // namespace ganglion::ingress
