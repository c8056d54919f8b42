#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kEvents = R"(ganglion: 1
agents:
  watcher: {kind: worker, retry: {max_attempts: 1}, subscribes: ["alarm.*"]}
topics:
  order.placed:
    1: {type: object}
    2: {type: object, required: [total], properties: {total: {type: number}}}
triggers:
  - {on: "order.placed", workflow: bill, input: {total: "${{ event.data.total }}"}, where: "${{ event.data.total > 10 }}"}
workflows:
  bill:
    steps:
      tell: {publish: {topic: bill.sent, data: "${{ input }}"}}
  wait:
    steps:
      order: {wait_for: {event: "order.*", where: "${{ event.data.total == 5 }}", timeout: 1h}}
    output: "${{ steps.order.output.data }}"
)";

class EventsTest : public ApiTest {
 protected:
  static std::string event(const std::string& id, const std::string& type, const std::string& data,
                           const std::string& rest = "") {
    return R"({"specversion":"1.0","id":")" + id + R"(","source":"shop","type":")" + type + R"(","data":)" +
           data + rest + "}";
  }
  Answer publish(const std::string& body, const std::string& type = "application/cloudevents+json") {
    return post("/v1/events", body, {"Content-Type: " + type});
  }
  std::vector<std::string> types(const std::string& query = "") {
    std::vector<std::string> found;
    const auto page = get("/v1/events" + query).json();
    for (const auto& item : page.at("items").as_array()) found.emplace_back(item.at("type").as_string());
    return found;
  }
};

TEST_F(EventsTest, an_event_is_published_once_and_shown_with_its_position) {
  const Answer first =
      publish(event("1", "a.b", R"({"x": 1.50})", R"(,"subject":"s","time":"2026-03-01T09:30:00Z")"));
  ASSERT_EQ(first.status, 202) << first.body;
  EXPECT_EQ(first.body,
            R"({"items":[{"source":"shop","id":"1","seq":1,"duplicate":false,"dead_lettered":false}]})");
  EXPECT_EQ(publish(event("1", "a.b", "2"), "application/json").body,
            R"({"items":[{"source":"shop","id":"1","seq":1,"duplicate":true,"dead_lettered":false}]})");
  EXPECT_EQ(
      get("/v1/events").body,
      R"({"items":[{"specversion":"1.0","id":"1","source":"shop","type":"a.b","time":"2026-03-01T09:30:00.000Z",)"
      R"("subject":"s","datacontenttype":"application/json","data":{"x": 1.50},"seq":1,"topicversion":null,)"
      R"("hops":0,"cause":null}],"next_cursor":null})");
}

TEST_F(EventsTest, the_binary_form_has_its_attributes_in_headers) {
  const Answer answer = post("/v1/events", R"({"x":1})",
                             {"Content-Type: application/json", "ce-specversion: 1.0", "ce-id: 7",
                              "ce-source: shop%20a", "ce-type: a.b", "ce-unknown: 1"});
  ASSERT_EQ(answer.status, 202) << answer.body;
  const auto shown = get("/v1/events").json().at("items").at(0);
  EXPECT_EQ(shown.at("source").as_string(), "shop a");
  EXPECT_EQ(boost::json::serialize(shown.at("data")), R"({"x":1})");
  EXPECT_EQ(
      post("/v1/events", "", {"ce-specversion: 1.0", "ce-id: 8", "ce-source: shop", "ce-type: a.b"}).status,
      202);
  EXPECT_EQ(
      post("/v1/events", "<x/>",
           {"Content-Type: text/xml", "ce-specversion: 1.0", "ce-id: 9", "ce-source: shop", "ce-type: a.b"})
          .status,
      415);
}

TEST_F(EventsTest, a_batch_is_taken_as_a_whole_or_not_at_all) {
  const std::string type = "application/cloudevents-batch+json";
  const Answer good = publish(
      "[" + event("1", "a", "1") + "," + event("2", "b", "2") + "," + event("1", "a", "1") + "]", type);
  ASSERT_EQ(good.status, 202) << good.body;
  EXPECT_TRUE(good.json().at("items").at(2).at("duplicate").as_bool());
  const Answer bad = publish("[" + event("3", "a", "1") + "," + event("4", "a..b", "2") + "]", type);
  EXPECT_EQ(bad.status, 422);
  EXPECT_EQ(bad.json().at("errors").at(0).at("path").as_string(), "/1/type");
  EXPECT_THAT(types(), ElementsAre("b", "a"));
  EXPECT_EQ(publish("[]", type).status, 422);
  EXPECT_EQ(publish("{}", type).status, 422);
  std::string many = "[";
  for (int i = 0; i <= 1000; ++i) many += (i == 0 ? "" : ",") + event("m" + std::to_string(i), "a", "1");
  EXPECT_EQ(publish(many + "]", type).status, 422);
}

TEST_F(EventsTest, what_is_no_event_is_refused_with_every_flaw) {
  const Answer answer =
      publish(R"({"specversion":"0.3","id":"","source":"/v1/runs/x","type":"a b","time":"noon",)"
              R"("datacontenttype":"text/plain","data_base64":"AA==","topicversion":0})");
  EXPECT_EQ(answer.status, 422);
  std::vector<std::string> paths;
  for (const auto& error : answer.json().at("errors").as_array())
    paths.emplace_back(error.at("path").as_string());
  EXPECT_THAT(paths, ::testing::UnorderedElementsAre("/specversion", "/id", "/source", "/type", "/time",
                                                     "/datacontenttype", "/data_base64", "/topicversion"));
  EXPECT_EQ(publish("[]").status, 422);
  EXPECT_EQ(publish("{").status, 400);
  EXPECT_EQ(publish("{}", "text/plain").status, 415);
  EXPECT_EQ(publish(event("1", "a", "\"" + std::string(1 << 20, 'x') + "\"")).status, 413);
  EXPECT_EQ(publish(event("1", "a", R"({"$ref":"sha256:)" + std::string(64, 'a') + "\"}")).status, 422);
  EXPECT_THAT(types(), ElementsAre());
}

TEST_F(EventsTest, data_is_held_against_the_topics_schema_and_an_unknown_version_is_a_dead_letter) {
  put_project(kEvents);
  const Answer invalid = publish(event("1", "order.placed", R"({"total":"x"})"));
  EXPECT_EQ(invalid.status, 422);
  EXPECT_EQ(invalid.json().at("errors").at(0).at("path").as_string(), "/data/total");
  EXPECT_EQ(publish(event("2", "order.placed", "{}", R"(,"topicversion":1)")).status, 202);
  EXPECT_EQ(get("/v1/events").json().at("items").at(0).at("topicversion").as_int64(), 1);
  const Answer unknown = publish(event("3", "order.placed", R"({"total":1})", R"(,"topicversion":"3")"));
  EXPECT_EQ(unknown.body,
            R"({"items":[{"source":"shop","id":"3","seq":null,"duplicate":false,"dead_lettered":true}]})");
  const auto dead = get("/v1/dead-letters?kind=event").json().at("items").at(0);
  EXPECT_EQ(dead.at("error").at("code").as_string(), "unknown_topic_version");
  EXPECT_EQ(dead.at("event").at("topicversion").as_int64(), 3);
}

TEST_F(EventsTest, lists_are_newest_first_by_pattern_and_paged) {
  for (int i = 1; i <= 5; ++i) publish(event(std::to_string(i), i % 2 == 0 ? "even.x" : "odd.x.y", "1"));
  EXPECT_THAT(types(), ElementsAre("odd.x.y", "even.x", "odd.x.y", "even.x", "odd.x.y"));
  EXPECT_THAT(types("?topic=even.*"), ElementsAre("even.x", "even.x"));
  EXPECT_THAT(types("?topic=odd.**"), ElementsAre("odd.x.y", "odd.x.y", "odd.x.y"));
  const auto page = get("/v1/events?topic=odd.**&limit=2").json();
  EXPECT_EQ(page.at("next_cursor").as_string(), "3");
  EXPECT_THAT(types("?topic=odd.**&limit=2&cursor=3"), ElementsAre("odd.x.y"));
  EXPECT_EQ(get("/v1/events?topic=a..b").status, 400);
  EXPECT_EQ(get("/v1/events?cursor=x").status, 400);
  EXPECT_EQ(get("/v1/events?limit=201").status, 400);
}

TEST_F(EventsTest, a_stream_gives_what_comes_and_resumes_where_it_was) {
  publish(event("1", "a.x", "1"));
  Connection live(*this);
  live.send("GET", "/v1/events?topic=a.*", "", {"Accept: text/event-stream"});
  EXPECT_THAT(live.read_until("\r\n\r\n"), HasSubstr("text/event-stream"));
  publish(event("2", "b.x", "2"));
  publish(event("3", "a.x", "3"));
  EXPECT_THAT(live.read_until("\n\n"), HasSubstr("id: 3\n"));
  live.close();
  Connection resumed(*this);
  resumed.send("GET", "/v1/events", "", {"Accept: text/event-stream", "Last-Event-ID: 1"});
  resumed.read_until("\r\n\r\n");
  EXPECT_THAT(resumed.read_until("\n\n"), HasSubstr("id: 2\n"));
  EXPECT_THAT(resumed.read_until("\n\n"), HasSubstr("id: 3\n"));
  Connection after(*this);
  after.send("GET", "/v1/events?after=2", "", {"Accept: text/event-stream"});
  after.read_until("\r\n\r\n");
  EXPECT_THAT(after.read_until("\n\n"), HasSubstr("id: 3\n"));
  EXPECT_EQ(ask("GET", "/v1/events?after=x", "", {"Accept: text/event-stream"}).status, 400);
}

TEST_F(EventsTest, a_stream_sends_each_event_once_also_to_a_slow_client) {
  Connection slow(*this);
  slow.send("GET", "/v1/events", "", {"Accept: text/event-stream"});
  slow.read_until("\r\n\r\n");
  const std::string large = "\"" + std::string(100'000, 'x') + "\"";
  for (int i = 1; i <= 60; ++i) publish(event(std::to_string(i), "a", large));
  for (int i = 1; i <= 60; ++i) {
    ASSERT_THAT(slow.read_until("\n\n").substr(0, 20), HasSubstr("id: " + std::to_string(i) + "\n"));
  }
}

TEST_F(EventsTest, an_event_sets_off_triggers_and_reactions_with_their_cause) {
  put_project(kEvents);
  publish(event("1", "order.placed", R"({"total":5})"));
  publish(event("2", "order.placed", R"({"total":50})"));
  ASSERT_TRUE(turn_until([&] { return types("?topic=bill.*").size() == 1; }));
  const auto sent = get("/v1/events?topic=bill.*").json().at("items").at(0);
  EXPECT_EQ(boost::json::serialize(sent.at("data")), R"({"total":50})");
  EXPECT_EQ(sent.at("cause").at("event").as_int64(), 2);
  const auto billed = run(std::string(sent.at("cause").at("run_id").as_string()));
  EXPECT_EQ(billed.at("cause").at("event").as_int64(), 2);
  publish(event("3", "alarm.fire", "true"));
  ASSERT_TRUE(turn_until(
      [&] { return get("/v1/runs?workflow=@watcher").json().at("items").as_array().size() == 1; }));
  const auto task = take("watcher");
  EXPECT_EQ(task.at("input").at("type").as_string(), "alarm.fire");
  EXPECT_EQ(succeed(task, "1"), "accepted");
  EXPECT_EQ(get("/v1/workflows").json().at("items").as_array().size(), 2u);
  EXPECT_EQ(get("/v1/workflows/@watcher").status, 404);
  EXPECT_EQ(post("/v1/runs", R"({"workflow":"@watcher"})").status, 404);
}

TEST_F(EventsTest, a_run_waits_for_the_event_that_it_wants) {
  put_project(kEvents);
  const std::string id = start("wait");
  EXPECT_EQ(status(id), "waiting");
  EXPECT_EQ(run(id).at("steps").at("order").at("waiting_for").at("event").as_string(), "order.*");
  publish(event("1", "order.placed", R"({"total":4})"));
  publish(event("2", "order.placed", R"({"total":5})"));
  ASSERT_TRUE(turn_until([&] { return status(id) == "completed"; }));
  EXPECT_EQ(boost::json::serialize(run(id).at("output")), R"({"total":5})");
  EXPECT_THAT(get("/metrics").body, HasSubstr("ganglion_event_log_last_seq 2\n"));
}

}  // namespace
}  // namespace ganglion::ingress
