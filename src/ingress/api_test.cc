#include <algorithm>

#include "base/json_text.h"
#include "ingress/api_fixture.h"

namespace ganglion::ingress {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string text(const boost::json::value& value, std::string_view member) {
  return std::string(value.at(member).as_string());
}

// --- reference ---

TEST_F(ApiTest, the_reference_lists_exactly_the_routes) {
  EXPECT_EQ(reference_.operations(), routes_);
  EXPECT_EQ(get("/openapi.json").json().at("openapi").as_string(), "3.1.0");
}

TEST_F(ApiTest, what_is_not_there_yet_says_so) {
  int later = 0;
  for (const std::string& route : routes_) {
    const std::size_t space = route.find(' ');
    const std::string method = route.substr(0, space);
    const Answer answer = ask(method, route.substr(space + 1));
    later += answer.status == 501 ? 1 : 0;
    if (answer.status == 501) EXPECT_EQ(answer.code(), "not_available_yet");
  }
  EXPECT_EQ(later, 5);
  EXPECT_EQ(get("/").code(), "not_available_yet");
  EXPECT_EQ(get("/v1/unknown").status, 404);
}

// --- runs ---

TEST_F(ApiTest, a_started_run_is_shown_with_its_location) {
  put_project();
  const Answer answer = post("/v1/runs",
                             R"({"workflow":"echo","input":{"a": 1.50},"labels":{"team":"x"},)"
                             R"("session_id":"s","priority":5})",
                             {"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"});
  ASSERT_EQ(answer.status, 201) << answer.body;
  const auto run = answer.json();
  EXPECT_EQ(answer.headers.at("location"), "/v1/runs/" + text(run, "id"));
  EXPECT_THAT(answer.body, HasSubstr(R"("input":{"a": 1.50})"));
  const Answer shown = get("/v1/runs/" + text(run, "id"));
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.body, answer.body);
  EXPECT_EQ(text(take("worker"), "traceparent"), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
}

TEST_F(ApiTest, the_same_key_and_body_give_one_run_and_another_body_is_refused) {
  put_project();
  const std::vector<std::string> key = {"Idempotency-Key: k-1"};
  const Answer first = post("/v1/runs", R"({"workflow":"echo"})", key);
  const Answer second = post("/v1/runs", R"({"workflow":"echo"})", key);
  const Answer other = post("/v1/runs", R"({"workflow":"echo","input":1})", key);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(other.status, 409);
  EXPECT_EQ(other.code(), "idempotency_mismatch");
  EXPECT_EQ(post("/v1/runs", R"({"workflow":"echo"})", {"Idempotency-Key: " + std::string(255, 'k')}).status,
            201);
  EXPECT_EQ(post("/v1/runs", R"({"workflow":"echo"})", {"Idempotency-Key: " + std::string(256, 'k')}).status,
            400);
  EXPECT_EQ(post("/v1/runs", R"({"workflow":"echo"})", {"Idempotency-Key: a b"}).status, 400);
}

TEST_F(ApiTest, a_request_that_makes_no_sense_is_told_everything_that_is_wrong) {
  put_project();
  const Answer answer =
      post("/v1/runs", R"({"workflow":7,"priority":1.5,"labels":{"":"x"},"session_id":"","extra":1})");
  EXPECT_EQ(answer.status, 422);
  std::vector<std::string> paths;
  for (const auto& error : answer.json().at("errors").as_array()) paths.push_back(text(error, "path"));
  EXPECT_THAT(paths,
              ::testing::UnorderedElementsAre("/workflow", "/priority", "/labels", "/session_id", "/extra"));
}

TEST_F(ApiTest, bodies_that_are_no_good_json_are_refused_by_kind) {
  put_project();
  EXPECT_EQ(post("/v1/runs", R"({"workflow":"echo")").code(), "malformed_json");
  EXPECT_EQ(post("/v1/runs", R"({"workflow":"echo","workflow":"x"})").code(), "duplicate_key");
  EXPECT_EQ(post("/v1/runs", R"({"input":)" + std::string(65, '[') + std::string(65, ']') + "}").code(),
            "json_too_deep");
  EXPECT_EQ(post("/v1/runs", "[]").status, 422);
  EXPECT_EQ(post("/v1/runs", "").status, 415);
  EXPECT_EQ(post("/v1/runs", "{}", {"Content-Type: text/plain"}).status, 415);
  EXPECT_EQ(post("/v1/runs", R"({"workflow":"echo","input":")" + std::string(1 << 20, 'x') + "\"}").status,
            413);
}

TEST_F(ApiTest, an_input_is_held_against_the_workflows_schema) {
  put_project();
  const Answer answer = post("/v1/runs", R"({"workflow":"checked","input":{"n":"x"}})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(text(answer.json().at("errors").at(0), "path"), "/input/n");
  EXPECT_EQ(post("/v1/runs", R"({"workflow":"checked"})").status, 422);
  EXPECT_EQ(post("/v1/runs", R"({"workflow":"checked","input":{"n":1}})").status, 201);
}

TEST_F(ApiTest, an_unknown_workflow_is_answered_with_the_nearest_name) {
  EXPECT_EQ(post("/v1/runs", R"({"workflow":"echo"})").code(), "unknown_workflow");
  put_project();
  const Answer answer = post("/v1/runs", R"({"workflow":"ehco"})");
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.code(), "unknown_workflow");
  EXPECT_THAT(answer.body, HasSubstr("did you mean"));
}

TEST_F(ApiTest, beyond_the_open_runs_a_start_is_put_off) {
  put_project();
  const std::string others = R"({"workflow":"echo","labels":{"tenant":"other"}})";
  for (int i = 0; i < 40; ++i) start();
  const Answer share = post("/v1/runs", R"({"workflow":"echo"})");
  EXPECT_EQ(share.status, 429);
  EXPECT_EQ(share.code(), "too_many_runs");
  EXPECT_EQ(share.headers.at("retry-after"), "1");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(post("/v1/runs", others).status, 201);
  const Answer answer = post("/v1/runs", others);
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.code(), "overloaded");
  EXPECT_EQ(answer.headers.at("retry-after"), "1");
}

TEST_F(ApiTest, unknown_runs_are_not_found) {
  for (const char* id : {"nonsense", "01ARZ3NDEKTSV4RRFFQ69G5FAV"}) {
    const std::string run = std::string("/v1/runs/") + id;
    EXPECT_EQ(get(run).status, 404);
    EXPECT_EQ(get(run + "?wait=1s").status, 404);
    EXPECT_EQ(get(run + "/journal").status, 404);
    EXPECT_EQ(ask("GET", run + "/journal", "", {"Accept: text/event-stream"}).status, 404);
    for (const char* verb : {"/cancel", "/pause", "/resume", "/retry"})
      EXPECT_EQ(post(run + verb, "").status, 404);
  }
}

TEST_F(ApiTest, waiting_answers_when_the_run_ends_or_the_time_is_up) {
  put_project();
  EXPECT_EQ(text(post("/v1/runs?wait=30s", R"({"workflow":"instant"})").json(), "status"), "completed");

  Connection ends(*this);
  ends.send("POST", "/v1/runs?wait=30s", R"({"workflow":"echo"})");
  boost::json::value task;
  ASSERT_TRUE(turn_until([&] { return pool_.status("worker").queued == 1; }));
  task = take("worker");
  EXPECT_EQ(succeed(task, "\"done\""), "accepted");
  const Answer ended = ends.receive();
  EXPECT_EQ(ended.status, 201);
  EXPECT_EQ(text(ended.json(), "status"), "completed");
  EXPECT_EQ(text(ended.json(), "output"), "done");

  Connection gives_up(*this);
  gives_up.send("POST", "/v1/runs?wait=10s", R"({"workflow":"echo"})");
  ASSERT_TRUE(turn_until([&] { return pool_.status("worker").queued == 1; }));
  pass(Duration{10'000});
  const Answer late = gives_up.receive();
  EXPECT_EQ(late.status, 201);
  EXPECT_EQ(text(late.json(), "status"), "running");
  EXPECT_EQ(get("/v1/runs/" + text(late.json(), "id") + "?wait=301s").status, 400);
}

TEST_F(ApiTest, a_client_that_goes_while_it_waits_leaves_nothing_behind) {
  put_project();
  const std::string id = start();
  Connection connection(*this);
  connection.send("GET", "/v1/runs/" + id + "?wait=5m");
  ASSERT_TRUE(turn_until([&] { return server_->statistics().waiting == 1; }));
  const std::size_t timers = clock_.pending_timers();
  connection.close();
  ASSERT_TRUE(turn_until([&] { return clock_.pending_timers() < timers; }));
}

TEST_F(ApiTest, lists_are_newest_first_filtered_and_paged) {
  put_project();
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    pass(Duration{1000});
    ids.push_back(text(post("/v1/runs", R"({"workflow":"echo","session_id":"s)" + std::to_string(i % 2) +
                                            R"(","labels":{"i":")" + std::to_string(i) + "\"}}")
                           .json(),
                       "id"));
  }
  std::ranges::reverse(ids);
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const auto page = get("/v1/runs?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor)).json();
    for (const auto& item : page.at("items").as_array()) seen.push_back(text(item, "id"));
    cursor = page.at("next_cursor").is_null() ? "" : text(page, "next_cursor");
  } while (!cursor.empty());
  EXPECT_EQ(seen, ids);

  const auto count = [&](const std::string& query) {
    return get("/v1/runs?" + query).json().at("items").as_array().size();
  };
  EXPECT_EQ(count("session_id=s1"), 2u);
  EXPECT_EQ(count("label=i%3D3"), 1u);
  EXPECT_EQ(count("label=i%3D3&session_id=s0"), 0u);
  EXPECT_EQ(count("status=running&workflow=echo"), 5u);
  EXPECT_EQ(count("status=completed"), 0u);
  for (const char* bad : {"status=done", "limit=0", "limit=201", "limit=x", "cursor=x", "label=x"}) {
    EXPECT_EQ(get(std::string("/v1/runs?") + bad).status, 400) << bad;
  }
}

TEST_F(ApiTest, verbs_are_idempotent_and_answer_with_the_run) {
  put_project();
  const std::string run = "/v1/runs/" + start();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(text(post(run + "/pause", "").json(), "status"), "paused");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(text(post(run + "/resume", "").json(), "status"), "running");
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(text(post(run + "/cancel", R"({"reason":"enough"})").json(), "status"), "cancelled");
  EXPECT_THAT(get(run).body, HasSubstr("enough"));
  EXPECT_EQ(post(run + "/pause", "").status, 409);
  EXPECT_EQ(text(post(run + "/retry", "").json(), "status"), "running");
}

// --- journal ---

TEST_F(ApiTest, the_journal_is_read_in_pages) {
  put_project();
  const std::string journal = "/v1/runs/" + start("instant") + "/journal";
  const auto all = get(journal).json().at("items").as_array();
  ASSERT_GE(all.size(), 3u);
  const auto page = get(journal + "?after=1&limit=1").json();
  EXPECT_EQ(page.at("items").as_array().size(), 1u);
  EXPECT_EQ(page.at("items").at(0).at("seq").as_int64(), 2);
  EXPECT_EQ(text(page, "next_cursor"), "2");
  EXPECT_EQ(get(journal + "?cursor=2&limit=200").json().at("items").as_array().size(), all.size() - 2);
  EXPECT_EQ(get(journal + "?after=x").status, 400);
}

TEST_F(ApiTest, a_stream_follows_a_run_to_its_end_and_resumes) {
  put_project();
  const std::string id = start();
  const auto journal = [&] {
    return get("/v1/runs/" + id + "/journal?limit=200").json().at("items").as_array();
  };
  const std::string last = std::to_string(journal().size());
  Connection stream(*this);
  stream.send("GET", "/v1/runs/" + id + "/journal", "", {"Accept: text/event-stream"});
  EXPECT_THAT(stream.read_until("\r\n\r\n"), HasSubstr("text/event-stream"));
  EXPECT_THAT(stream.read_until("id: " + last + "\n"), HasSubstr("id: 1\ndata: {\"seq\":1,"));
  EXPECT_EQ(succeed(take("worker"), "1"), "accepted");
  const std::string rest = stream.read_until("0\r\n\r\n");
  EXPECT_THAT(rest, HasSubstr("run_completed"));

  Connection resumed(*this);
  resumed.send("GET", "/v1/runs/" + id + "/journal?after=0", "",
               {"Accept: text/event-stream", "Last-Event-ID: " + last});
  resumed.read_until("\r\n\r\n");
  const std::string again = resumed.read_until("0\r\n\r\n");
  EXPECT_EQ(again.find("id: " + last + "\n"), std::string::npos);
  EXPECT_THAT(again, HasSubstr("id: " + std::to_string(journal().size()) + "\n"));
}

TEST_F(ApiTest, a_stream_of_an_ended_run_gives_everything_and_ends) {
  put_project();
  const std::string id = start("instant");
  Connection stream(*this);
  stream.send("GET", "/v1/runs/" + id + "/journal", "", {"Accept: text/event-stream"});
  stream.read_until("\r\n\r\n");
  const std::string all = stream.read_until("0\r\n\r\n");
  std::size_t at = 0;
  for (std::size_t seq = 1; seq <= get("/v1/runs/" + id).json().at("version").to_number<std::size_t>();
       ++seq) {
    at = all.find("id: " + std::to_string(seq) + "\n", at);
    ASSERT_NE(at, std::string::npos) << seq;
  }
}

// --- tasks ---

TEST_F(ApiTest, a_task_is_taken_and_its_result_counts_once) {
  put_project();
  const std::string id = start("echo", R"({"a":[1,2]})");
  const auto task = take("worker");
  EXPECT_EQ(text(task, "run_id"), id);
  EXPECT_EQ(boost::json::serialize(task.at("input")), R"({"got":{"a":[1,2]}})");
  EXPECT_TRUE(take("worker").is_null());
  EXPECT_EQ(succeed(task, R"({"x":"é"})"), "accepted");
  EXPECT_EQ(succeed(task, R"({"x":"é"})"), "stale_attempt");
  EXPECT_EQ(text(get("/v1/runs/" + id).json(), "status"), "completed");
}

TEST_F(ApiTest, a_poll_waits_for_a_task_or_until_the_time_is_up) {
  put_project();
  Connection poll(*this);
  poll.send("POST", "/v1/tasks/poll", R"({"agents":["worker"],"worker":"w","wait":"30s","max":8})");
  ASSERT_TRUE(turn_until([&] { return pool_.status("worker").waiting_polls == 1; }));
  start();
  EXPECT_EQ(poll.receive().json().at("tasks").as_array().size(), 1u);
  poll.send("POST", "/v1/tasks/poll", R"({"agents":["worker"],"worker":"w","wait":"30s"})");
  ASSERT_TRUE(turn_until([&] { return pool_.status("worker").waiting_polls == 1; }));
  pass(Duration{30'000});
  EXPECT_EQ(poll.receive().json().at("tasks").as_array().size(), 0u);
}

TEST_F(ApiTest, a_poller_that_has_gone_gets_no_task) {
  put_project();
  {
    Connection gone(*this);
    gone.send("POST", "/v1/tasks/poll", R"({"agents":["worker"],"worker":"w","wait":"30s"})");
    ASSERT_TRUE(turn_until([&] { return pool_.status("worker").waiting_polls == 1; }));
    gone.close();
    ASSERT_TRUE(turn_until([&] { return pool_.status("worker").waiting_polls == 0; }));
  }
  start();
  EXPECT_FALSE(take("worker").is_null());
}

TEST_F(ApiTest, a_task_whose_answer_was_lost_goes_back_with_its_attempt) {
  put_project();
  Connection gone(*this);
  gone.send("POST", "/v1/tasks/poll", R"({"agents":["worker"],"worker":"w","wait":"30s"})");
  ASSERT_TRUE(turn_until([&] { return pool_.status("worker").waiting_polls == 1; }));
  // The client closes and the task comes in one turn: the server can't have noticed yet.
  gone.close();
  bool started = false;
  coordinator_.start_run({.workflow = "echo",
                          .input = Payload("{}"),
                          .session_id = {},
                          .priority = 0,
                          .labels = {},
                          .traceparent = {},
                          .claim = {}},
                         [&](Result<StartedRun> run) { started = run.has_value(); });
  clock_.run();
  ASSERT_TRUE(started);
  ASSERT_TRUE(turn_until(
      [&] { return pool_.status("worker").queued == 1 && server_->statistics().connections == 0; }));
  const auto task = take("worker");
  ASSERT_FALSE(task.is_null());
  EXPECT_EQ(task.at("attempt").as_int64(), 1);
}

TEST_F(ApiTest, an_exchange_gives_verdicts_and_the_next_tasks) {
  put_project();
  start();
  start();
  const auto task = take("worker");
  const Answer answer =
      post("/v1/tasks/exchange",
           R"({"agents":["worker"],"worker":"w-1","wait":"0s","max":256,"results":[)"
           R"({"token":)" +
               boost::json::serialize(task.at("token")) +
               R"(,"output":null,"usage":{"input_tokens":3}},{"token":"nonsense","output":1}]})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, StartsWith(R"({"verdicts":["accepted","unknown"],"tasks":[{"token":)"));
}

TEST_F(ApiTest, a_failure_ends_the_attempt_and_a_wrong_output_is_invalid) {
  put_project();
  const std::string failing = start();
  const auto task = take("worker");
  const Answer failed =
      post("/v1/tasks/complete", R"({"results":[{"token":)" + boost::json::serialize(task.at("token")) +
                                     R"(,"error":{"code":"boom","message":"it broke","retryable":false}}]})");
  EXPECT_EQ(failed.body, R"({"verdicts":["accepted"]})");
  EXPECT_EQ(text(get("/v1/runs/" + failing).json(), "status"), "failed");
  start("checked", R"({"n":1})");
  EXPECT_EQ(succeed(take("strict"), "{}"), "invalid");
}

TEST_F(ApiTest, an_output_beyond_the_limit_ends_the_attempt) {
  put_project();
  const std::string id = start();
  EXPECT_EQ(succeed(take("worker"), "\"" + std::string(1 << 20, 'x') + "\""), "invalid");
  EXPECT_THAT(get("/v1/runs/" + id).body, HasSubstr("output_too_large"));
}

TEST_F(ApiTest, a_heartbeat_tells_whether_to_go_on) {
  put_project();
  const std::string id = start();
  const auto task = take("worker");
  const std::string beat =
      R"({"progress":0.5,"details":{"at":"x"},"token":)" + boost::json::serialize(task.at("token")) + "}";
  const auto going = post("/v1/tasks/heartbeat", beat).json();
  EXPECT_FALSE(going.at("cancelled").as_bool());
  EXPECT_EQ(text(going, "deadline"), text(task, "deadline"));
  post("/v1/runs/" + id + "/cancel", "");
  EXPECT_TRUE(post("/v1/tasks/heartbeat", beat).json().at("cancelled").as_bool());
  EXPECT_TRUE(post("/v1/tasks/heartbeat", R"({"token":"nonsense"})").json().at("cancelled").as_bool());
}

TEST_F(ApiTest, what_workers_send_is_checked) {
  for (const char* body :
       {R"({})", R"({"agents":[],"worker":"w"})", R"({"agents":["a"]})", R"({"agents":[1],"worker":"w"})",
        R"({"agents":["a"],"worker":"w","max":0})", R"({"agents":["a"],"worker":"w","max":257})",
        R"({"agents":["a"],"worker":"w","wait":"10m"})", R"({"agents":["a"],"worker":"w","wait":30})"}) {
    EXPECT_EQ(post("/v1/tasks/poll", body).status, 422) << body;
  }
  for (const char* body :
       {R"({})", R"({"results":{}})", R"({"results":[{}]})", R"({"results":[{"output":1}]})",
        R"({"results":[{"token":7,"output":1}]})", R"({"results":[1]})", R"({"results":[],"extra":1})"}) {
    EXPECT_EQ(post("/v1/tasks/complete", body).status, 422) << body;
  }
}

TEST_F(ApiTest, a_malformed_result_is_invalid_at_its_place_and_the_others_count) {
  put_project();
  start();
  const std::string token = boost::json::serialize(take("worker").at("token"));
  const Answer answer =
      post("/v1/tasks/complete",
           R"({"results":[{"token":"x"},{"token":"x","output":1,"error":{"code":"c"}},)"
           R"({"token":"x","error":{}},{"token":"x","error":null},{"token":"x","output":1,"usage":3},)"
           R"({"token":"x","output":1,"extra":2},{"token":"x","output":1},{"token":)" +
               token + R"(,"output":1}]})");
  EXPECT_EQ(answer.body, R"({"verdicts":["invalid","invalid","invalid","invalid","invalid","invalid",)"
                         R"("unknown","accepted"]})");
}

TEST_F(ApiTest, a_body_with_many_flaws_is_told_the_first_of_them) {
  std::string body = R"({"workflow":"echo")";
  for (int i = 0; i < 1000; ++i) body += ",\"m" + std::to_string(i) + "\":1";
  const Answer answer = post("/v1/runs", body + "}");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.json().at("errors").as_array().size(), 50u);
}

TEST_F(ApiTest, a_server_that_drains_gives_an_exchange_its_verdicts) {
  put_project();
  start();
  const auto task = take("worker");
  Connection exchange(*this);
  exchange.send("POST", "/v1/tasks/exchange",
                R"({"agents":["worker"],"worker":"w","wait":"30s","results":[{"token":)" +
                    boost::json::serialize(task.at("token")) + R"(,"output":1}]})");
  Connection poll(*this);
  poll.send("POST", "/v1/tasks/poll", R"({"agents":["worker"],"worker":"w","wait":"30s"})");
  ASSERT_TRUE(turn_until([&] { return pool_.status("worker").waiting_polls == 2; }));
  server_->stop(Duration{1000}, [] {});
  EXPECT_EQ(exchange.receive().body, R"({"verdicts":["accepted"],"tasks":[]})");
  EXPECT_EQ(poll.receive().code(), "shutting_down");
}

// --- project and system ---

TEST_F(ApiTest, a_project_is_put_shown_and_taken_apart) {
  EXPECT_EQ(get("/v1/project").status, 404);
  EXPECT_EQ(get("/v1/workflows").json().at("items").as_array().size(), 0u);
  put_project();
  const Answer file = get("/v1/project");
  EXPECT_THAT(file.headers.at("content-type"), StartsWith("text/yaml"));
  EXPECT_THAT(file.body, StartsWith("ganglion: 1\n"));
  const auto summary = ask("GET", "/v1/project", "", {"Accept: application/json"}).json();
  EXPECT_EQ(ask("GET", "/v1/project?digest=" + text(summary, "digest")).body, file.body);
  EXPECT_EQ(get("/v1/project?digest=none").status, 404);
  EXPECT_EQ(get("/v1/workflows?limit=2").json().at("next_cursor").as_string(), "echo");
  EXPECT_EQ(get("/v1/workflows?limit=2&cursor=echo").json().at("items").as_array().size(), 1u);
  EXPECT_EQ(text(get("/v1/workflows/echo").json().at("steps").at(0), "agent"), "worker");
  EXPECT_THAT(get("/v1/workflows/ecoh").body, HasSubstr("did you mean"));
  start();
  EXPECT_EQ(get("/v1/agents/worker").json().at("queued").as_int64(), 1);
  take("worker");
  const auto agent = get("/v1/agents/worker").json();
  EXPECT_EQ(agent.at("handed_out").as_int64(), 1);
  EXPECT_EQ(text(agent.at("workers").at(0), "worker"), "w-1");
  EXPECT_EQ(get("/v1/agents").json().at("items").as_array().size(), 2u);
  EXPECT_EQ(get("/v1/agents/none").status, 404);
}

TEST_F(ApiTest, a_broken_project_is_refused_with_every_error_at_its_place) {
  const Answer answer =
      ask("PUT", "/v1/project",
          "ganglion: 1\nworkflows:\n  w:\n    steps:\n      a: {agent: none}\n      b: {agnt: x}\n",
          {"Content-Type: application/yaml"});
  EXPECT_EQ(answer.status, 422);
  ASSERT_GE(answer.json().at("errors").as_array().size(), 2u);
  EXPECT_EQ(answer.json().at("errors").at(0).at("line").as_int64(), 5);
  EXPECT_EQ(ask("PUT", "/v1/project", "ganglion: 1", {"Content-Type: application/json"}).status, 415);
  EXPECT_EQ(get("/v1/project").status, 404);
}

TEST_F(ApiTest, probes_and_figures) {
  put_project();
  start();
  EXPECT_EQ(get("/healthz").body, R"({"status":"ok"})");
  EXPECT_EQ(text(get("/readyz").json(), "status"), "ready");
  const std::string metrics = get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("# TYPE ganglion_open_runs gauge\nganglion_open_runs 1\n"));
  EXPECT_THAT(metrics, HasSubstr("ganglion_agent_queued_tasks{agent=\"worker\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("ganglion_http_responses_total{class=\"2xx\"} "));
  api_.set_readiness(Api::Readiness::starting);
  EXPECT_EQ(get("/readyz").code(), "starting");
}

}  // namespace
}  // namespace ganglion::ingress
