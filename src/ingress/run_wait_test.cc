#include "ingress/run_wait.h"

#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

TEST_F(ApiTest, a_client_that_went_before_the_wait_began_leaves_nothing_behind) {
  put_project();
  const auto run = RunId::parse(start());
  ASSERT_TRUE(run);
  const std::size_t timers = clock_.pending_timers();
  RunWait::begin({clock_, store_, coordinator_, definitions_, pool_, sessions_, events_, random_}, *run, 200,
                 Duration{30'000}, http::Responder());
  EXPECT_EQ(clock_.pending_timers(), timers);
}

TEST_F(ApiTest, a_server_that_drains_while_a_commit_is_under_way_answers_with_the_run) {
  put_project();
  Connection connection(*this);
  connection.send("POST", "/v1/runs?wait=30s", R"({"workflow":"echo"})");
  ASSERT_TRUE(turn_until([&] { return pool_.status("worker").queued == 1; }));
  const std::string id(get("/v1/runs").json().at("items").at(0).at("id").as_string());
  bool paused = false;
  coordinator_.submit(*RunId::parse(id), Pause{},
                      [&](const Result<void>& done) { paused = done.has_value(); });
  ASSERT_FALSE(paused);
  server_->stop(Duration{1000}, [] {});
  const Answer answer = connection.receive();
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.json().at("id").as_string(), id);
  EXPECT_EQ(answer.json().at("status").as_string(), "paused");
}

}  // namespace
}  // namespace ganglion::ingress
