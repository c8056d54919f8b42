#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

constexpr const char* kResults = R"(ganglion: 1
agents:
  worker: {kind: worker, retry: {max_attempts: 1}, publishes: ["note.*"], state: {write: ["note.*"]}}
workflows:
  one:
    steps:
      work: {agent: worker, input: 1}
)";

class TaskResultsTest : public ApiTest {
 protected:
  std::string start_in_session() {
    return std::string(
        post("/v1/runs", R"({"workflow":"one","session_id":"s"})").json().at("id").as_string());
  }
  // A result for a new run; gives the verdict and the code of the run's error.
  std::string outcome(const std::string& rest) {
    const std::string id = start_in_session();
    const auto task = take("worker");
    const std::string verdict = report(task, rest);
    const auto error = run(id).at("error");
    if (!error.is_null()) return verdict + " " + std::string(error.at("code").as_string());
    // Still open, so that the next run's task isn't this one's.
    if (status(id) == "running") post("/v1/runs/" + id + "/cancel", "");
    return verdict;
  }
};

TEST_F(TaskResultsTest, events_and_state_come_with_the_result) {
  put_project(kResults);
  EXPECT_EQ(
      outcome(
          R"("output":1,"usage":{"tokens":5},"work_ms":3,)"
          R"("events":[{"topic":"note.made","data":{"x":1}},{"topic":"note.sent"}],"state":{"note.a":1})"),
      "accepted");
  EXPECT_EQ(get("/v1/events?topic=note.*").json().at("items").as_array().size(), 2u);
  EXPECT_EQ(get("/v1/sessions/s/state/note.a").body, "1");
}

TEST_F(TaskResultsTest, what_an_agent_may_not_do_fails_for_good) {
  put_project(kResults);
  EXPECT_EQ(outcome(R"("output":1,"events":[{"topic":"other"}])"), "invalid not_permitted");
  EXPECT_EQ(outcome(R"("output":1,"state":{"other":1})"), "invalid not_permitted");
  EXPECT_EQ(get("/v1/events").json().at("items").as_array().size(), 0u);
}

TEST_F(TaskResultsTest, a_malformed_result_is_invalid_and_changes_nothing) {
  put_project(kResults);
  for (const char* rest : {
           R"("output":1,"events":{})",
           R"("output":1,"events":[1])",
           R"("output":1,"events":[{"topic":"a b"}])",
           R"("output":1,"events":[{"topic":"note.a","version":0}])",
           R"("output":1,"events":[{"topic":"note.a","extra":0}])",
           R"("output":1,"state":[])",
           R"("output":1,"state":{"a b":1})",
           R"("output":1,"work_ms":-1)",
           R"("output":1,"work_ms":"x")",
           R"("error":{"code":"x"},"events":[])",
           R"("error":{"code":"x"},"state":{})",
           R"("error":{"code":"x"},"usage":7)",
       }) {
    EXPECT_EQ(outcome(rest), "invalid") << rest;
  }
  std::string events = R"("output":1,"events":[)";
  for (int i = 0; i <= 64; ++i) events += i == 0 ? R"({"topic":"note.a"})" : R"(,{"topic":"note.a"})";
  EXPECT_EQ(outcome(events + "]"), "invalid");
  std::string state = R"("output":1,"state":{)";
  for (int i = 0; i <= 256; ++i) state += (i == 0 ? "\"note.k" : ",\"note.k") + std::to_string(i) + "\":1";
  EXPECT_EQ(outcome(state + "}"), "invalid");
}

TEST_F(TaskResultsTest, a_failure_has_used_something_too) {
  put_project(kResults);
  const std::string id = start_in_session();
  EXPECT_EQ(report(take("worker"), R"("error":{"code":"x"},"usage":{"tokens":4},"work_ms":1)"), "accepted");
  EXPECT_EQ(run(id).at("usage").at("tokens").to_number<double>(), 4);
}

}  // namespace
}  // namespace ganglion::ingress
