#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

constexpr const char* kFork = R"(ganglion: 1
agents:
  worker: {kind: worker, retry: {max_attempts: 1}}
workflows:
  two:
    input: {type: object, properties: {n: {type: integer}}}
    steps:
      first: {agent: worker, input: {first: "${{ input }}"}}
      second: {agent: worker, input: {second: "${{ steps.first.output }}", of: "${{ input }}"}}
      third: {agent: worker, needs: [second], input: 3}
    output: "${{ steps.second.output }}"
)";

class ForkTest : public ApiTest {
 protected:
  Answer fork(const std::string& run, const std::string& body) {
    return post("/v1/runs/" + run + "/fork", body);
  }
};

TEST_F(ForkTest, a_fork_shares_what_was_before_and_does_the_rest_again) {
  put_project(kFork);
  const std::string id = start("two", R"({"n":1})");
  succeed(take("worker"), "\"one\"");
  succeed(take("worker"), "\"two\"");
  succeed(take("worker"), "3");
  ASSERT_EQ(status(id), "completed");
  const Answer forked = fork(id, R"({"from_step":"second","input":{"n":2}})");
  ASSERT_EQ(forked.status, 201) << forked.body;
  const auto run_json = forked.json();
  const std::string other(run_json.at("id").as_string());
  EXPECT_EQ(forked.headers.at("location"), "/v1/runs/" + other);
  EXPECT_EQ(run_json.at("forked_from").at("run_id").as_string(), id);
  EXPECT_EQ(run_json.at("forked_from").at("step").as_string(), "second");
  EXPECT_EQ(run_json.at("steps").at("first").at("output").as_string(), "one");
  const auto task = take("worker");
  EXPECT_EQ(task.at("run_id").as_string(), other);
  EXPECT_EQ(boost::json::serialize(task.at("input")), R"({"second":"one","of":{"n":2}})");
  succeed(task, "\"new\"");
  succeed(take("worker"), "3");
  EXPECT_EQ(run(other).at("output").as_string(), "new");
  EXPECT_EQ(run(id).at("output").as_string(), "two");
}

TEST_F(ForkTest, only_from_a_step_that_has_begun) {
  put_project(kFork);
  const std::string id = start("two");
  const Answer early = fork(id, R"({"from_step":"second"})");
  EXPECT_EQ(early.status, 409);
  EXPECT_EQ(early.code(), "conflict");
  const Answer unknown = fork(id, R"({"from_step":"none"})");
  EXPECT_EQ(unknown.status, 422);
  EXPECT_EQ(unknown.code(), "unknown_step");
  EXPECT_EQ(fork(id, R"({"from_step":"first"})").status, 201);
}

TEST_F(ForkTest, what_makes_no_sense_is_refused) {
  put_project(kFork);
  const std::string id = start("two");
  EXPECT_EQ(fork("nonsense", R"({"from_step":"first"})").status, 404);
  EXPECT_EQ(fork("01ARZ3NDEKTSV4RRFFQ69G5FAV", R"({"from_step":"first"})").status, 404);
  EXPECT_EQ(fork(id, "{}").status, 422);
  EXPECT_EQ(fork(id, R"({"from_step":"first","x":1})").status, 422);
  const Answer input = fork(id, R"({"from_step":"first","input":{"n":"x"}})");
  EXPECT_EQ(input.status, 422);
  EXPECT_EQ(input.json().at("errors").at(0).at("path").as_string(), "/input/n");
  EXPECT_EQ(fork(id, R"({"from_step":"first","input":{"a":{"$ref":"sha256:)" + std::string(64, 'a') + "\"}}}")
                .status,
            422);
  EXPECT_EQ(fork(id, "").status, 415);
  EXPECT_EQ(get("/v1/runs").json().at("items").as_array().size(), 1u);
}

}  // namespace
}  // namespace ganglion::ingress
