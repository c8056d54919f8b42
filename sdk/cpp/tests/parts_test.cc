// What needs no server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cmath>

#include "attempt.h"
#include "digest.h"
#include "event_stream.h"
#include "http.h"
#include "idle_timeouts.h"
#include "outbox.h"

namespace ganglion {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using ::testing::ElementsAre;

json::object result_of(const AgentFunction& function, json::object task = {{"token", "t"}, {"agent", "a"}}) {
  Task attempt(std::move(task), [] {});
  json::object result = json::parse(perform(function, attempt).body).as_object();
  EXPECT_GE(result.at("work_ms").as_int64(), 0);
  result.erase("work_ms");
  return result;
}

TEST(Parts, events_and_state_go_with_a_success_only_and_usage_with_both) {
  const auto works = [](Task& task, bool fail) -> json::value {
    task.usage("input_tokens", 2);
    task.usage("input_tokens", 3);
    task.publish("order.paid", json::object{{"n", 1}});
    task.publish("order.paid", nullptr, 2);
    task.set_state("case.status", "open");
    task.set_state("case.status", "paid");
    task.set_state("scratch.x", nullptr);
    if (fail) throw Retry("not yet");
    return "done";
  };
  EXPECT_EQ(result_of([&](Task& task) { return works(task, false); }), json::parse(R"({
    "token": "t", "output": "done", "usage": {"input_tokens": 5},
    "events": [{"topic": "order.paid", "data": {"n": 1}}, {"topic": "order.paid", "data": null, "version": 2}],
    "state": {"case.status": "paid", "scratch.x": null}})"));
  EXPECT_EQ(result_of([&](Task& task) { return works(task, true); }), json::parse(R"({
    "token": "t", "usage": {"input_tokens": 5},
    "error": {"code": "retry", "message": "not yet", "retryable": true}})"));
}

TEST(Parts, exceptions_say_whether_another_attempt_makes_sense) {
  const auto error = [](const AgentFunction& function) {
    return result_of(function).at("error").as_object();
  };
  EXPECT_EQ(error([](Task&) -> json::value { throw Fail("no_money", "none left"); }),
            json::parse(R"({"code": "no_money", "message": "none left", "retryable": false})"));
  EXPECT_EQ(error([](Task&) -> json::value { throw std::runtime_error("oh"); }),
            json::parse(R"({"code": "exception", "message": "oh", "retryable": true})"));
  EXPECT_EQ(error([](Task&) -> json::value { throw 7; }).at("code"), "exception");
  EXPECT_EQ(error([](Task&) -> json::value { return NAN; }).at("code"), "invalid_output");
  EXPECT_EQ(error([](Task& task) -> json::value {
              task.cancel();
              task.throw_if_cancelled();
              return nullptr;
            }).at("code"),
            "cancelled");
  EXPECT_EQ(error([](Task&) -> json::value { throw Fail("", "\xff\xc3\xa9"); }),
            json::parse("{\"code\": \"failed\", \"message\": \"?\xc3\xa9\", \"retryable\": false}"));
}

TEST(Parts, usage_refuses_nonsense) {
  Task task({{"token", "t"}, {"agent", "a"}}, [] {});
  EXPECT_THROW(task.usage("usd", -1), std::invalid_argument);
  EXPECT_THROW(task.usage("usd", INFINITY), std::invalid_argument);
  task.usage("usd", 0.25);
  json::object result;
  task.add_usage(result);
  EXPECT_EQ(result, json::parse(R"({"usage": {"usd": 0.25}})"));
}

TEST(Parts, a_task_says_what_it_is) {
  const Task task(
      json::parse(R"({"token": "t", "agent": "a", "run_id": "r", "step": "s", "item": 3, "attempt": 2,
    "iteration": 4, "session_id": "S", "state_version": 7, "idempotency_key": "k", "input": [1]})")
          .as_object(),
      [] {});
  EXPECT_EQ(task.item(), 3);
  EXPECT_EQ(task.attempt(), 2);
  EXPECT_EQ(task.iteration(), 4);
  EXPECT_EQ(task.state_version(), 7);
  EXPECT_EQ(task.session_id() + task.run_id() + task.step() + task.idempotency_key(), "Srsk");
  EXPECT_EQ(task.input(), json::parse("[1]"));
}

TEST(Parts, a_wait_ends_when_the_task_is_cancelled) {
  Task task({{"token", "t"}, {"agent", "a"}}, [] {});
  EXPECT_FALSE(task.wait_cancelled(milliseconds(1)));
  task.cancel();
  EXPECT_TRUE(task.wait_cancelled(std::chrono::hours(1)));
}

TEST(Parts, event_streams_may_be_cut_anywhere) {
  const std::string stream = ": hello\r\nid: 7\r\ndata: {\"a\":\ndata: 1}\n\nevent: end\ndata:x\n\n\n";
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    EventStreamParser parser;
    std::vector<std::string> events;
    for (std::size_t start = 0; start < stream.size(); start += size) {
      for (std::string& data : parser.feed(std::string_view(stream).substr(start, size)))
        events.push_back(data);
    }
    EXPECT_THAT(events, ElementsAre("{\"a\":\n1}", "x")) << size;
  }
}

TEST(Parts, durations_are_read) {
  EXPECT_EQ(parse_duration("1m30s"), milliseconds(90'000));
  EXPECT_EQ(parse_duration("500ms"), milliseconds(500));
  EXPECT_EQ(parse_duration("2h"), milliseconds(7'200'000));
  EXPECT_EQ(parse_duration("soon"), milliseconds(0));
}

TEST(Parts, results_stay_until_they_are_settled_and_batches_are_bounded) {
  Outbox outbox;
  for (int n = 0; n < 257; ++n) outbox.put({std::to_string(n), "a", {"{}", true}});
  EXPECT_EQ(outbox.batch().size(), 256u);
  EXPECT_EQ(outbox.batch().size(), 256u);
  outbox.send_one_by_one();
  ASSERT_EQ(outbox.batch().size(), 1u);
  outbox.settle({outbox.batch()[0]->token});
  EXPECT_EQ(outbox.batch().size(), 256u);
  EXPECT_FALSE(outbox.contains("0"));
  EXPECT_TRUE(outbox.contains("1"));
}

TEST(Parts, a_batch_is_bounded_in_bytes_but_never_empty) {
  Outbox outbox;
  for (int n = 0; n < 3; ++n) outbox.put({std::to_string(n), "a", {std::string(5 << 20, 'x'), true}});
  EXPECT_EQ(outbox.batch().size(), 1u);
}

TEST(Parts, any_error_page_is_a_problem) {
  const HttpResponse page{.status = 503, .headers = {{"retry-after", "2"}}, .body = "<html>"};
  try {
    (void)page.json();
    FAIL();
  } catch (const Problem& problem) {
    EXPECT_EQ(problem.code(), "http_503");
    EXPECT_TRUE(problem.temporary());
    EXPECT_EQ(problem.retry_after_seconds(), 2);
  }
  EXPECT_THROW((HttpResponse{.status = 200, .body = "{"}.json()), Problem);
}

TEST(Parts, addresses_and_tokens_are_checked) {
  EXPECT_EQ(Endpoint({.server = "localhost:1"}).url(), "http://localhost:1");
  EXPECT_EQ(Endpoint({.server = "https://example.org/prefix/"}).url(), "https://example.org/prefix");
  EXPECT_THROW(Endpoint({.server = "ftp://x"}), std::invalid_argument);
  EXPECT_THROW(Endpoint({.server = "http://x", .token = "two\r\nlines"}), std::invalid_argument);
}

TEST(Parts, queries_and_paths_are_escaped) {
  EXPECT_EQ(percent_encoded("a b/ä~"), "a%20b%2F%C3%A4~");
  EXPECT_EQ(query({{"a", "1"}, {"b", std::nullopt}, {"c", "x=y"}}), "?a=1&c=x%3Dy");
  EXPECT_EQ(query({{"a", std::nullopt}}), "");
}

TEST(Parts, digests_are_sha_256) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Parts, agents_are_checked_when_they_are_added) {
  Worker worker;
  const AgentFunction echo = [](Task& task) { return task.input(); };
  worker.agent("a", echo);
  EXPECT_THROW(worker.agent("a", echo, 2), std::invalid_argument);
  EXPECT_THROW(worker.agent("b", echo, 1001), std::invalid_argument);
  EXPECT_THROW(Worker({.concurrency = 0}), std::invalid_argument);
  EXPECT_THROW(Worker().run(), std::invalid_argument);
}

}  // namespace
}  // namespace ganglion
