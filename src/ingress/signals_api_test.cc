#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

constexpr const char* kSignals = R"(ganglion: 1
agents:
  worker: {kind: worker, retry: {max_attempts: 1}}
workflows:
  wait:
    steps:
      work: {agent: worker, input: 1}
      answer: {wait_for: {event: answer, timeout: 1h}, needs: [work]}
    output: "${{ steps.answer.output }}"
)";

class SignalsTest : public ApiTest {
 protected:
  Answer signal(const std::string& run, const std::string& name, const std::string& body,
                const std::vector<std::string>& headers = {}) {
    return post("/v1/runs/" + run + "/signals/" + name, body, headers);
  }
};

TEST_F(SignalsTest, a_signal_ends_the_wait_with_its_data) {
  put_project(kSignals);
  const std::string id = start("wait");
  succeed(take("worker"), "1");
  EXPECT_EQ(status(id), "waiting");
  ASSERT_EQ(signal(id, "other", "1").status, 200);
  EXPECT_EQ(status(id), "waiting");
  const Answer answer = signal(id, "answer", R"({"x": 1.50})", {"Idempotency-Key: k"});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto output = run(id).at("output");
  EXPECT_EQ(output.at("type").as_string(), "answer");
  EXPECT_EQ(output.at("source").as_string(), "signal");
  EXPECT_EQ(output.at("id").as_string(), "k");
  EXPECT_EQ(boost::json::serialize(output.at("data")), R"({"x":1.5E0})");
  const Answer late = signal(id, "answer", "1");
  EXPECT_EQ(late.status, 409);
  EXPECT_EQ(late.code(), "conflict");
}

TEST_F(SignalsTest, a_signal_that_comes_early_is_kept_and_one_without_a_body_is_null) {
  put_project(kSignals);
  const std::string id = start("wait");
  ASSERT_EQ(signal(id, "answer", "").status, 200);
  succeed(take("worker"), "1");
  EXPECT_EQ(status(id), "completed");
  EXPECT_TRUE(run(id).at("output").at("data").is_null());
}

TEST_F(SignalsTest, the_same_key_is_one_signal) {
  put_project(kSignals);
  const std::string id = start("wait");
  const auto before = signal(id, "answer", "1", {"Idempotency-Key: k"}).json().at("version").as_int64();
  EXPECT_EQ(signal(id, "answer", "1", {"Idempotency-Key: k"}).json().at("version").as_int64(), before);
  EXPECT_EQ(signal(id, "answer", "1").json().at("version").as_int64(), before + 1);
}

TEST_F(SignalsTest, a_run_keeps_only_so_many_signals) {
  put_project(kSignals);
  const std::string id = start("wait");
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(signal(id, "answer", "1").status, 200);
  const Answer beyond = signal(id, "answer", "1");
  EXPECT_EQ(beyond.status, 429);
  EXPECT_EQ(beyond.code(), "too_many_signals");
}

TEST_F(SignalsTest, what_is_no_signal_is_refused) {
  put_project(kSignals);
  const std::string id = start("wait");
  EXPECT_EQ(signal("nonsense", "answer", "1").status, 404);
  EXPECT_EQ(signal("01ARZ3NDEKTSV4RRFFQ69G5FAV", "answer", "1").status, 404);
  EXPECT_EQ(signal(id, std::string(256, 'n'), "1").status, 400);
  EXPECT_EQ(signal(id, "answer", "{").status, 400);
  EXPECT_EQ(signal(id, "answer", "1", {"Content-Type: text/plain"}).status, 415);
  EXPECT_EQ(signal(id, "answer", "1", {"Idempotency-Key: a b"}).status, 400);
  EXPECT_EQ(signal(id, "answer", "\"" + std::string(1 << 20, 'x') + "\"").status, 413);
  EXPECT_EQ(signal(id, "answer", R"({"$ref":"sha256:)" + std::string(64, 'a') + "\"}").status, 422);
}

}  // namespace
}  // namespace ganglion::ingress
