#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

constexpr const char* kLetters = R"(ganglion: 1
agents:
  worker: {kind: worker, retry: {max_attempts: 2, initial: 1s, backoff: constant, jitter: 0}}
topics:
  order: {1: {type: object, required: [n]}}
triggers:
  - {on: order, workflow: checked, input: "${{ event.data }}"}
workflows:
  plain:
    steps:
      work: {agent: worker, input: {in: "${{ input }}"}, retry: {max_attempts: 1}}
  held:
    steps:
      work: {agent: worker, input: 1, retry: {max_attempts: 1}, on_failure: pause}
  lenient:
    steps:
      work: {agent: worker, input: 1, retry: {max_attempts: 1}, on_failure: continue}
  checked:
    input: {type: object, properties: {n: {type: integer}}}
    steps:
      work: {agent: worker, input: "${{ input }}"}
)";

constexpr const char* kFails = R"("error":{"code":"broken","message":"it broke"})";

class DeadLettersTest : public ApiTest {
 protected:
  boost::json::array letters(const std::string& query = "") {
    return get("/v1/dead-letters" + query).json().at("items").as_array();
  }
  std::string failed(const std::string& workflow) {
    const std::string id = start(workflow);
    EXPECT_EQ(report(take("worker"), kFails), "accepted");
    return id;
  }
  Answer requeue(const boost::json::value& letter) {
    return post("/v1/dead-letters/" + std::string(letter.at("id").as_string()) + "/requeue", "");
  }
  Answer publish(const std::string& id, const std::string& data, int version) {
    return post("/v1/events",
                R"({"specversion":"1.0","id":")" + id + R"(","source":"shop","type":"order","data":)" + data +
                    R"(,"topicversion":)" + std::to_string(version) + "}",
                {"Content-Type: application/cloudevents+json"});
  }
};

TEST_F(DeadLettersTest, a_task_that_failed_for_good_is_told_and_tried_again) {
  put_project(kLetters);
  const std::string id = failed("plain");
  ASSERT_EQ(letters().size(), 1u);
  const auto letter = letters().front();
  EXPECT_EQ(letter.at("kind").as_string(), "task");
  EXPECT_EQ(letter.at("run_id").as_string(), id);
  EXPECT_EQ(letter.at("step").as_string(), "work");
  EXPECT_TRUE(letter.at("item").is_null());
  EXPECT_EQ(letter.at("agent").as_string(), "worker");
  EXPECT_EQ(letter.at("attempts").as_int64(), 1);
  EXPECT_EQ(boost::json::serialize(letter.at("input")), R"({"in":{}})");
  EXPECT_EQ(letter.at("error").at("code").as_string(), "broken");
  const Answer again = requeue(letter);
  ASSERT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.json().at("run_id").as_string(), id);
  EXPECT_EQ(letters().size(), 0u);
  EXPECT_EQ(succeed(take("worker"), "1"), "accepted");
  EXPECT_EQ(status(id), "completed");
  EXPECT_EQ(requeue(letter).status, 404);
}

TEST_F(DeadLettersTest, a_run_on_hold_is_resumed) {
  put_project(kLetters);
  const std::string id = failed("held");
  EXPECT_EQ(status(id), "paused");
  ASSERT_EQ(requeue(letters().front()).status, 200);
  EXPECT_EQ(succeed(take("worker"), "1"), "accepted");
  EXPECT_EQ(status(id), "completed");
}

TEST_F(DeadLettersTest, a_run_that_went_on_without_it_is_a_conflict) {
  put_project(kLetters);
  const std::string id = failed("lenient");
  EXPECT_EQ(status(id), "completed");
  ASSERT_EQ(letters().size(), 1u);
  const Answer answer = requeue(letters().front());
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.code(), "conflict");
  EXPECT_EQ(letters().size(), 1u);
}

TEST_F(DeadLettersTest, letters_are_filtered_paged_and_forgotten) {
  put_project(kLetters);
  const std::string first = failed("plain");
  pass(std::chrono::seconds(1));
  failed("plain");
  pass(std::chrono::seconds(1));
  publish("e", R"({"n":1})", 9);
  EXPECT_EQ(letters().size(), 3u);
  EXPECT_EQ(letters("?kind=event").size(), 1u);
  EXPECT_EQ(letters("?kind=task").size(), 2u);
  EXPECT_EQ(letters("?run=" + first).size(), 1u);
  const auto page = get("/v1/dead-letters?kind=task&limit=1").json();
  EXPECT_EQ(page.at("items").as_array().size(), 1u);
  const std::string cursor(page.at("next_cursor").as_string());
  const auto rest = get("/v1/dead-letters?kind=task&limit=1&cursor=" + cursor).json();
  EXPECT_EQ(rest.at("items").at(0).at("run_id").as_string(), first);
  EXPECT_TRUE(rest.at("next_cursor").is_null());
  EXPECT_EQ(get("/v1/dead-letters?kind=x").status, 400);
  EXPECT_EQ(get("/v1/dead-letters?run=x").status, 400);
  const std::string id(letters("?kind=event").front().at("id").as_string());
  EXPECT_EQ(ask("DELETE", "/v1/dead-letters/" + id).status, 204);
  EXPECT_EQ(ask("DELETE", "/v1/dead-letters/" + id).status, 404);
  EXPECT_EQ(ask("DELETE", "/v1/dead-letters").body, R"({"purged":2})");
  EXPECT_EQ(letters().size(), 0u);
}

TEST_F(DeadLettersTest, an_event_of_an_unknown_version_is_published_once_the_project_knows_it) {
  put_project(kLetters);
  publish("e", R"({"n":1})", 2);
  const auto letter = letters().front();
  EXPECT_EQ(requeue(letter).code(), "conflict");
  std::string next = kLetters;
  next.replace(next.find("order: {1:"), 10, "order: {2:");
  put_project(next);
  const Answer published = requeue(letter);
  ASSERT_EQ(published.status, 200) << published.body;
  EXPECT_EQ(published.json().at("event_seq").as_int64(), 1);
  EXPECT_EQ(letters().size(), 0u);
  ASSERT_TRUE(turn_until([&] { return get("/v1/runs").json().at("items").as_array().size() == 1; }));
}

TEST_F(DeadLettersTest, an_event_that_could_not_start_a_run_is_published_again) {
  put_project(kLetters);
  publish("e", R"({"n":"no number"})", 1);
  ASSERT_TRUE(turn_until([&] { return letters().size() == 1; }));
  const auto letter = letters().front();
  EXPECT_EQ(letter.at("error").at("code").as_string(), "invalid_input");
  std::string next = kLetters;
  next.replace(next.find("{type: integer}"), 15, "{type: string}");
  put_project(next);
  const Answer published = requeue(letter);
  ASSERT_EQ(published.status, 200) << published.body;
  EXPECT_EQ(published.json().at("event_seq").as_int64(), 2);
  ASSERT_TRUE(turn_until([&] { return get("/v1/runs").json().at("items").as_array().size() == 1; }));
}

}  // namespace
}  // namespace ganglion::ingress
