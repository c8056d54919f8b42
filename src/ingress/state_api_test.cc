#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

constexpr const char* kState = R"(ganglion: 1
agents:
  worker: {kind: worker, retry: {max_attempts: 1}, state: {read: ["case.*"], write: ["case.*"]}}
workflows:
  note:
    steps:
      work: {agent: worker, input: {case: "${{ state.case.status }}"}}
      keep: {set: {case.done: "${{ steps.work.output }}", scratch.x: 1}, needs: [work]}
)";

class StateTest : public ApiTest {
 protected:
  Answer write(const std::string& key, const std::string& value,
               const std::vector<std::string>& headers = {}) {
    return put("/v1/sessions/s/state/" + key, value, headers);
  }
  Answer read(const std::string& key) { return get("/v1/sessions/s/state/" + key); }
};

TEST_F(StateTest, a_key_comes_back_byte_for_byte_with_its_version) {
  EXPECT_EQ(read("a.b").status, 404);
  const Answer written = write("a.b", R"({"x": 1.50})");
  ASSERT_EQ(written.status, 200) << written.body;
  EXPECT_EQ(written.body, R"({"key":"a.b","version":1})");
  EXPECT_EQ(written.headers.at("etag"), "\"1\"");
  EXPECT_EQ(write("other", "null").headers.at("etag"), "\"2\"");
  const Answer shown = read("a.b");
  EXPECT_EQ(shown.body, R"({"x": 1.50})");
  EXPECT_EQ(shown.headers.at("etag"), "\"1\"");
  EXPECT_EQ(read("other").body, "null");
}

TEST_F(StateTest, of_two_who_write_over_the_same_version_one_loses) {
  EXPECT_EQ(write("k", "1", {"If-None-Match: *"}).status, 200);
  const Answer second = write("k", "2", {"If-None-Match: *"});
  EXPECT_EQ(second.status, 412);
  EXPECT_EQ(second.code(), "precondition_failed");
  EXPECT_EQ(second.headers.at("etag"), "\"1\"");
  EXPECT_EQ(write("k", "2", {"If-Match: \"1\""}).headers.at("etag"), "\"2\"");
  EXPECT_EQ(write("k", "3", {"If-Match: \"1\""}).status, 412);
  EXPECT_EQ(write("none", "3", {"If-Match: \"1\""}).status, 412);
  EXPECT_EQ(read("k").body, "2");
}

TEST_F(StateTest, a_removed_key_is_gone_and_can_be_made_again) {
  write("k", "1");
  EXPECT_EQ(ask("DELETE", "/v1/sessions/s/state/k", "", {"If-Match: \"9\""}).status, 412);
  EXPECT_EQ(ask("DELETE", "/v1/sessions/s/state/k", "", {"If-Match: \"1\""}).status, 204);
  EXPECT_EQ(read("k").status, 404);
  EXPECT_EQ(ask("DELETE", "/v1/sessions/s/state/k").status, 404);
  EXPECT_EQ(ask("DELETE", "/v1/sessions/s/state/k", "", {"If-Match: \"2\""}).status, 412);
  EXPECT_EQ(write("k", "2", {"If-None-Match: *"}).headers.at("etag"), "\"3\"");
}

TEST_F(StateTest, a_key_whose_time_is_over_is_gone_at_once_and_may_be_taken) {
  EXPECT_EQ(put("/v1/sessions/s/state/lock?ttl=10s", "\"me\"", {"If-None-Match: *"}).status, 200);
  EXPECT_EQ(put("/v1/sessions/s/state/lock?ttl=10s", "\"you\"", {"If-None-Match: *"}).status, 412);
  pass(std::chrono::seconds(10));
  EXPECT_EQ(read("lock").status, 404);
  EXPECT_EQ(write("lock", "\"me\"", {"If-Match: \"1\""}).status, 412);
  EXPECT_EQ(get("/v1/sessions/s/state").json().at("entries").as_object().size(), 0u);
  EXPECT_EQ(put("/v1/sessions/s/state/lock?ttl=10s", "\"you\"", {"If-None-Match: *"}).status, 200);
  EXPECT_EQ(read("lock").body, "\"you\"");
  write("scratch.x", "1");
  EXPECT_EQ(read("scratch.x").status, 200);
  pass(std::chrono::seconds(300));
  EXPECT_EQ(read("scratch.x").status, 404);
}

TEST_F(StateTest, a_snapshot_is_of_one_version_and_never_changes) {
  write("a", "1");
  write("b", "2");
  write("a", "3");
  const Answer second = get("/v1/sessions/s/state?version=2");
  EXPECT_EQ(second.body,
            R"({"session_id":"s","version":2,"entries":{"a":{"value":1,"version":1,"expires_at":null},)"
            R"("b":{"value":2,"version":2,"expires_at":null}}})");
  EXPECT_EQ(get("/v1/sessions/s/state").json().at("entries").at("a").at("value").as_int64(), 3);
  EXPECT_EQ(get("/v1/sessions/s/state?version=4").status, 404);
  EXPECT_EQ(get("/v1/sessions/s/state?version=-1").status, 400);
  EXPECT_EQ(get("/v1/sessions/none/state").json().at("version").as_int64(), 0);
  for (int i = 0; i < 1000; ++i) write("a", std::to_string(i));
  EXPECT_EQ(get("/v1/sessions/s/state?version=2").status, 410);
  EXPECT_EQ(get("/v1/sessions/s/state?version=2").code(), "gone");
}

TEST_F(StateTest, requests_that_make_no_sense_are_refused) {
  EXPECT_EQ(write("bad..key", "1").status, 400);
  EXPECT_EQ(write(std::string(256, 'k'), "1").status, 400);
  EXPECT_EQ(put("/v1/sessions/" + std::string(256, 's') + "/state/k", "1").status, 400);
  EXPECT_EQ(write("k", "{").status, 400);
  EXPECT_EQ(write("k", "1", {"Content-Type: text/plain"}).status, 415);
  EXPECT_EQ(write("k", "1", {"If-Match: 1"}).status, 400);
  EXPECT_EQ(write("k", "1", {"If-Match: *"}).status, 400);
  EXPECT_EQ(write("k", "1", {"If-None-Match: \"1\""}).status, 400);
  EXPECT_EQ(write("k", "1", {"If-None-Match: *", "If-Match: \"1\""}).status, 400);
  EXPECT_EQ(put("/v1/sessions/s/state/k?ttl=0s", "1").status, 400);
  EXPECT_EQ(put("/v1/sessions/s/state/k?ttl=soon", "1").status, 400);
  EXPECT_EQ(write("k", "\"" + std::string(1 << 20, 'x') + "\"").status, 413);
  EXPECT_EQ(write("k", R"({"$ref":"sha256:)" + std::string(64, 'a') + "\"}").status, 422);
  EXPECT_EQ(ask("DELETE", "/v1/sessions/s/state/k", "", {"If-None-Match: *"}).status, 400);
  EXPECT_EQ(get("/v1/sessions/s/state").json().at("version").as_int64(), 0);
}

TEST_F(StateTest, a_session_has_room_for_so_many_keys) {
  const std::string value = "\"" + std::string((1 << 20) - 2, 'x') + "\"";
  for (int i = 0; i < 8; ++i) ASSERT_EQ(write("k" + std::to_string(i), value).status, 200);
  const Answer beyond = write("k8", "1");
  EXPECT_EQ(beyond.status, 413);
  EXPECT_EQ(beyond.code(), "too_large");
  EXPECT_EQ(ask("DELETE", "/v1/sessions/s/state/k0").status, 204);
  EXPECT_EQ(write("k8", "1").status, 200);
}

TEST_F(StateTest, runs_of_the_session_see_it_and_write_it) {
  put_project(kState);
  write("case.status", "\"open\"");
  const Answer started = post("/v1/runs", R"({"workflow":"note","session_id":"s"})");
  ASSERT_EQ(started.status, 201);
  const auto task = take("worker");
  EXPECT_EQ(boost::json::serialize(task.at("input")), R"({"case":"open"})");
  EXPECT_EQ(task.at("state_version").as_int64(), 1);
  EXPECT_EQ(
      report(task, R"("output":7,"usage":{"tokens":5},"state":{"case.status":"closed","case.note":null})"),
      "accepted");
  EXPECT_EQ(read("case.status").body, "\"closed\"");
  EXPECT_EQ(read("case.done").body, "7");
  EXPECT_TRUE(get("/v1/sessions/s/state").json().at("entries").at("scratch.x").at("expires_at").is_string());
  const auto session = get("/v1/sessions/s").json();
  EXPECT_EQ(session.at("runs").as_int64(), 1);
  EXPECT_EQ(session.at("open_runs").as_int64(), 0);
  EXPECT_EQ(session.at("usage").at("tokens").to_number<double>(), 5);
  EXPECT_GE(session.at("state_version").as_int64(), 2);
  EXPECT_EQ(get("/v1/sessions/none").status, 404);
}

}  // namespace
}  // namespace ganglion::ingress
