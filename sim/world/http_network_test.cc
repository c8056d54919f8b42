#include "sim/world/http_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingress/http/exchange.h"
#include "ingress/http/router.h"
#include "sim/world/process_clock.h"

namespace ganglion::sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr HostId kHost(3);
constexpr SimTime kSecond{1'000'000};

// A host whose process answers `/echo/{word}` at once, and `/wait` and `/stream` when the test says so.
class HttpNetworkTest : public ::testing::Test {
 protected:
  HttpNetworkTest() {
    router_.add(http::Method::post, "/echo/{word}", [this](http::Request request, http::Responder responder) {
      note("served " + request.parameters.at(0));
      std::string body = request.parameters.at(0) + "," + request.body + "," +
                         std::string(request.header("X-Test").value_or("none"));
      responder.respond({201, "text/plain", {{"Location", "/there"}}, std::move(body)});
    });
    router_.add(http::Method::post, "/wait", [this](http::Request request, http::Responder responder) {
      note("waits " + request.body);
      responder.on_interrupt([this, name = request.body](http::Interrupt why) {
        note(name + (why == http::Interrupt::client_gone ? " has gone" : " drains"));
      });
      waiting_.push_back(std::move(responder));
    });
    router_.add(http::Method::get, "/stream", [this](const http::Request&, http::Responder responder) {
      responder.on_interrupt([this](http::Interrupt) { note("reader has gone"); });
      stream_ = responder.start_stream();
    });
    start();
  }

  // A process at the host.
  void start() {
    clock_.emplace(timeline_, Timestamp(1'700'000'000'000));
    network_.listen(kHost, {&router_, &*clock_});
  }
  void die() {
    clock_->stop();
    network_.die(kHost);
    waiting_.clear();
    stream_ = {};
  }

  void note(std::string what) { story_.push_back(std::move(what)); }
  HttpNetwork::Done note_answer(std::string name) {
    return [this, name = std::move(name)](const Result<HttpAnswer>& answer) {
      note(name + ": " +
           (answer ? std::to_string(answer->status) + " " + answer->body : answer.error().code));
    };
  }
  CallId send(std::string target, std::string body, SimTime timeout = kSecond) {
    const std::string name = body;
    return network_.send("client", kHost, {.method = "POST", .target = std::move(target), .body = body},
                         timeout, note_answer(name));
  }
  CallId listen_to_stream() {
    HttpNetwork::StreamHooks hooks;
    hooks.piece = [this](std::string_view bytes) {
      note("piece " + std::string(bytes.substr(0, bytes.find('\n'))));
    };
    hooks.end = [this](const Error& why) { note("end: " + why.code); };
    return network_.stream("client", kHost, {.method = "GET", .target = "/stream"}, std::move(hooks));
  }
  void respond(std::string body, http::LossHook lost = {}) {
    auto responder = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    responder.respond(http::Response::json(200, std::move(body)), std::move(lost));
  }
  void run(SimTime by = SimTime(10'000)) { timeline_.run_until(timeline_.now() + by); }

  Timeline timeline_;
  Fate fate_{1, timeline_};
  NetworkFaults faults_;
  std::vector<std::string> story_;
  std::vector<http::Responder> waiting_;
  http::EventStream stream_;
  http::Router router_;
  HttpNetwork network_{timeline_, fate_, faults_};
  std::optional<ProcessClock> clock_;
};

// --- requests and answers ---

TEST_F(HttpNetworkTest, a_request_reaches_its_route_and_its_answer_comes_back_whole) {
  Result<HttpAnswer> answer = fail("none", "");
  network_.send("client", kHost,
                {.method = "POST", .target = "/echo/a%20b?x=1", .headers = {{"x-test", "7"}}, .body = "{}"},
                kSecond, [&](Result<HttpAnswer> came) { answer = std::move(came); });
  EXPECT_FALSE(answer) << "never inside the call";
  run();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "a b,{},7");
  EXPECT_THAT(answer->headers, ElementsAre(std::pair<std::string, std::string>("Location", "/there")));
  EXPECT_EQ(network_.open_calls(), 0u);
}

TEST_F(HttpNetworkTest, each_way_takes_its_latency) {
  faults_.latency_least = faults_.latency_most = SimTime(250);
  send("/echo/x", "a");
  run(SimTime(249));
  EXPECT_THAT(story_, IsEmpty());
  run(SimTime(1));
  EXPECT_THAT(story_, ElementsAre("served x"));
  run(SimTime(249));
  EXPECT_EQ(story_.size(), 1u);
  run(SimTime(1));
  EXPECT_THAT(story_, ElementsAre("served x", "a: 201 x,a,none"));
}

TEST_F(HttpNetworkTest, what_is_not_there_is_answered_by_the_host) {
  Result<HttpAnswer> answer = fail("none", "");
  for (const auto& [target, status] : {std::pair("/nothing", 404), std::pair("no target", 400)}) {
    network_.send("client", kHost, {.method = "POST", .target = target}, kSecond,
                  [&](Result<HttpAnswer> came) { answer = std::move(came); });
    run();
    EXPECT_EQ(answer->status, status);
  }
}

TEST_F(HttpNetworkTest, a_responder_that_is_dropped_answers_500) {
  send("/wait", "a");
  run();
  waiting_.clear();
  run();
  ASSERT_EQ(story_.size(), 2u);
  EXPECT_TRUE(story_[1].starts_with("a: 500")) << story_[1];
}

TEST_F(HttpNetworkTest, nobody_listens_before_a_start_and_after_a_death) {
  network_.send("client", HostId(9), {.method = "GET", .target = "/"}, kSecond, note_answer("never started"));
  die();
  send("/echo/x", "dead");
  run();
  std::ranges::sort(story_);
  EXPECT_THAT(story_, ElementsAre("dead: unreachable", "never started: unreachable"));
}

TEST_F(HttpNetworkTest, a_request_that_is_not_answered_times_out_and_the_engine_hears_of_it) {
  send("/wait", "a", SimTime(500'000));
  run(SimTime(499'999));
  EXPECT_THAT(story_, ElementsAre("waits a"));
  run(SimTime(1));
  EXPECT_THAT(story_, ElementsAre("waits a", "a: timeout"));
  run();
  EXPECT_THAT(story_, ElementsAre("waits a", "a: timeout", "a has gone"));
  EXPECT_FALSE(waiting_.front().open());
}

TEST_F(HttpNetworkTest, whoever_is_told_may_send_again_at_once) {
  network_.send("client", kHost, {.method = "POST", .target = "/wait"}, SimTime(1'000),
                [this](const Result<HttpAnswer>&) { send("/echo/x", "again"); });
  run();
  EXPECT_EQ(story_.back(), "again: 201 x,again,none");
}

// --- the client goes ---

TEST_F(HttpNetworkTest, a_closed_call_is_not_answered_and_the_engine_is_told) {
  const CallId call = send("/wait", "a");
  run();
  network_.close(call);
  network_.close(call);
  run();
  EXPECT_THAT(story_, ElementsAre("waits a", "a has gone"));
  run(2 * kSecond);
  EXPECT_EQ(story_.size(), 2u) << "no timeout either";
}

TEST_F(HttpNetworkTest, an_answer_for_a_client_that_has_gone_is_lost_and_known_to_be) {
  const CallId call = send("/wait", "a");
  run();
  network_.close(call);
  run();
  respond("task", [this] { note("lost"); });
  run();
  EXPECT_THAT(story_, ElementsAre("waits a", "a has gone", "lost"));
}

TEST_F(HttpNetworkTest, an_answer_that_crosses_with_the_news_is_lost_and_nobody_knows) {
  const CallId call = send("/wait", "a");
  run();
  network_.close(call);
  respond("task", [this] { note("lost"); });
  run();
  EXPECT_THAT(story_, ElementsAre("waits a"));
}

TEST_F(HttpNetworkTest, a_client_that_goes_before_its_request_arrives_has_gone_when_it_is_served) {
  faults_.slow_most = SimTime(5'000);
  faults_.slow = 1;
  const CallId call = send("/wait", "a");
  faults_.slow = 0;
  network_.close(call);
  run();
  EXPECT_THAT(story_, ElementsAre("waits a", "a has gone"));
}

// --- the process dies, or stands still ---

TEST_F(HttpNetworkTest, a_death_resets_what_was_under_way_and_forgets_it) {
  send("/wait", "a");
  run();
  die();
  start();
  run();
  send("/wait", "b");
  run();
  EXPECT_THAT(story_, ElementsAre("waits a", "a: reset", "waits b"));
  respond("answer");
  run();
  EXPECT_EQ(story_.back(), "b: 200 answer");
}

TEST_F(HttpNetworkTest, what_a_dead_process_answers_reaches_nobody) {
  send("/wait", "a");
  run();
  clock_->stop();
  network_.die(kHost);
  start();
  respond("from the grave", [this] { note("lost"); });
  run();
  EXPECT_THAT(story_, ElementsAre("waits a", "a: reset"));
}

TEST_F(HttpNetworkTest, an_answer_that_left_before_the_death_arrives) {
  send("/wait", "a");
  run();
  respond("answer");
  die();
  run();
  EXPECT_THAT(story_, ElementsAre("waits a", "a: 200 answer"));
}

TEST_F(HttpNetworkTest, a_request_on_its_way_reaches_the_process_that_is_there_then) {
  send("/echo/x", "a");
  die();
  start();
  run();
  EXPECT_THAT(story_, ElementsAre("served x", "a: 201 x,a,none"));
}

TEST_F(HttpNetworkTest, a_paused_process_serves_when_it_goes_on) {
  clock_->pause();
  send("/wait", "a", SimTime(100'000));
  run(kSecond);
  EXPECT_THAT(story_, ElementsAre("a: timeout"));
  clock_->go_on();
  run();
  EXPECT_THAT(story_, ElementsAre("a: timeout", "waits a", "a has gone"));
}

// --- lost and doubled messages ---

TEST_F(HttpNetworkTest, a_lost_request_is_not_served_and_a_lost_answer_is) {
  faults_.lost_request = 1;
  send("/echo/x", "a");
  run();
  faults_.lost_request = 0;
  faults_.lost_answer = 1;
  send("/echo/y", "b");
  run(2 * kSecond);
  EXPECT_THAT(story_, ElementsAre("served y", "a: timeout", "b: timeout"));
}

TEST_F(HttpNetworkTest, a_doubled_request_is_served_twice_and_answered_once) {
  faults_.duplicate = 1;
  send("/echo/x", "a");
  run(2 * kSecond);
  std::ranges::sort(story_);
  EXPECT_THAT(story_, ElementsAre("a: 201 x,a,none", "served x", "served x"));
  EXPECT_EQ(network_.open_calls(), 0u);
}

TEST_F(HttpNetworkTest, a_doubled_request_waits_twice_until_its_client_goes) {
  faults_.duplicate = 1;
  const CallId call = send("/wait", "a");
  run();
  EXPECT_THAT(story_, ElementsAre("waits a", "waits a"));
  EXPECT_TRUE(waiting_[0].open() && waiting_[1].open());
  network_.close(call);
  run();
  EXPECT_THAT(story_, ElementsAre("waits a", "waits a", "a has gone", "a has gone"));
}

TEST_F(HttpNetworkTest, a_doubled_request_that_is_answered_leaves_no_copy_waiting) {
  faults_.duplicate = 1;
  send("/wait", "a");
  run();
  respond("1", [this] { note("lost"); });
  run();
  if (story_.back() == "waits a") respond("2");  // the first was the copy
  run();
  EXPECT_EQ(std::ranges::count_if(story_, [](const auto& line) { return line.starts_with("a: 200"); }), 1);
  EXPECT_TRUE(waiting_.empty() || !waiting_.front().open());
}

TEST_F(HttpNetworkTest, an_event_that_is_left_out_moves_no_other_one) {
  const auto live = [](OnlyEvents only) {
    Timeline timeline;
    Fate fate(5, timeline, std::move(only));
    NetworkFaults faults{.lost_request = 0.1, .duplicate = 0.2, .slow = 0.2, .slow_most = SimTime(2'000)};
    HttpNetwork network(timeline, fate, faults);
    http::Router router;
    ProcessClock clock(timeline, Timestamp(1));
    network.listen(kHost, {&router, &clock});
    std::vector<std::int64_t> answered;
    for (int i = 0; i < 100; ++i) {
      network.send("client", kHost, {.method = "POST", .target = "/"}, SimTime(9'000),
                   [&](const Result<HttpAnswer>&) { answered.push_back(timeline.now().count()); });
      timeline.run_until(SimTime((i + 1) * 10'000));
    }
    std::vector<std::string> names;
    for (const auto& event : fate.events()) names.push_back(fate.name_of(event));
    return std::pair(names, answered);
  };
  const auto [names, answered] = live({});
  const auto duplicate =
      std::ranges::find_if(names, [](const auto& name) { return name.starts_with("client.duplicate"); });
  ASSERT_NE(duplicate, names.end());
  std::set<std::string> others(names.begin(), names.end());
  others.erase(*duplicate);
  EXPECT_EQ(live(others).second, answered);
  std::erase_if(others, [](const auto& name) { return name.find("slow_message") != std::string::npos; });
  const auto fast = live(others);
  EXPECT_EQ(fast.first.size(), others.size());
}

// --- partitions ---

TEST_F(HttpNetworkTest, a_partition_swallows_what_goes_to_the_host) {
  network_.part(kHost, HttpNetwork::Way::to_host);
  send("/echo/x", "a");
  run(2 * kSecond);
  EXPECT_THAT(story_, ElementsAre("a: timeout"));
  network_.mend(kHost, HttpNetwork::Way::to_host);
  send("/echo/y", "b");
  run();
  EXPECT_EQ(story_.back(), "b: 201 y,b,none");
}

TEST_F(HttpNetworkTest, a_partition_swallows_what_comes_from_the_host) {
  network_.part(kHost, HttpNetwork::Way::from_host);
  send("/echo/x", "a");
  die();
  send("/echo/x", "b");
  run(2 * kSecond);
  EXPECT_THAT(story_, ElementsAre("a: timeout", "b: timeout")) << "no refusal and no reset either";
}

TEST_F(HttpNetworkTest, an_answer_on_its_way_is_swallowed_as_well) {
  send("/wait", "a");
  run();
  respond("answer");
  network_.part(kHost, HttpNetwork::Way::from_host);
  run(2 * kSecond);
  EXPECT_THAT(story_, ElementsAre("waits a", "a: timeout"));
}

TEST_F(HttpNetworkTest, a_half_open_connection_looks_open_to_the_engine) {
  send("/wait", "a", SimTime(100'000));
  run();
  network_.part(kHost, HttpNetwork::Way::to_host);
  run(kSecond);
  EXPECT_THAT(story_, ElementsAre("waits a", "a: timeout"));
  EXPECT_TRUE(waiting_.front().open());
  respond("task", [this] { note("lost"); });
  run();
  EXPECT_EQ(story_.size(), 2u) << "neither told nor heard";
}

// --- streams ---

TEST_F(HttpNetworkTest, pieces_of_a_stream_come_in_order_and_then_its_end) {
  faults_.slow = 0.5;
  faults_.slow_most = SimTime(50'000);
  listen_to_stream();
  run(SimTime(100'000));
  std::vector<std::string> expected;
  for (int i = 0; i < 20; ++i) {
    stream_.send(std::to_string(i), "", "x");
    expected.push_back("piece id: " + std::to_string(i));
    run(SimTime(100));
  }
  stream_.end();
  expected.emplace_back("end: ended");
  run(2 * kSecond);
  EXPECT_EQ(story_, expected);
  EXPECT_EQ(network_.open_calls(), 0u);
}

TEST_F(HttpNetworkTest, a_stream_breaks_when_the_process_dies_or_was_never_there) {
  listen_to_stream();
  run();
  stream_.send("1", "", "x");
  run();
  die();
  run();
  EXPECT_THAT(story_, ElementsAre("piece id: 1", "end: reset"));
  listen_to_stream();
  run();
  EXPECT_EQ(story_.back(), "end: unreachable");
}

TEST_F(HttpNetworkTest, a_stream_that_is_refused_ends) {
  network_.stream("client", kHost, {.method = "GET", .target = "/nothing"},
                  {[](std::string_view) { FAIL(); }, [this](const Error& why) { note(why.code); }});
  run();
  EXPECT_THAT(story_, ElementsAre("refused"));
}

TEST_F(HttpNetworkTest, a_reader_that_closes_gets_nothing_more_and_the_engine_is_told) {
  const CallId call = listen_to_stream();
  run();
  stream_.send("1", "", "x");
  network_.close(call);
  run();
  EXPECT_THAT(story_, ElementsAre("reader has gone"));
  EXPECT_FALSE(stream_.open());
}

TEST_F(HttpNetworkTest, a_reader_may_close_as_it_reads) {
  std::optional<CallId> call;
  // Longer than what a string keeps in itself: freed if the hook is destroyed as it runs.
  const auto close = [this, &call, long_text = std::string(100, 'x')](std::string_view) {
    network_.close(*call);
    note("closed " + std::to_string(long_text.size()));
  };
  call =
      network_.stream("client", kHost, {.method = "GET", .target = "/stream"}, {close, [](const Error&) {}});
  run();
  stream_.send("1", "", "x");
  stream_.send("2", "", "x");
  run();
  EXPECT_THAT(story_, ElementsAre("closed 100", "reader has gone"));
}

TEST_F(HttpNetworkTest, a_stream_with_a_gap_never_goes_on) {
  const CallId call = listen_to_stream();
  run();
  network_.part(kHost, HttpNetwork::Way::from_host);
  stream_.send("1", "", "x");
  run();
  network_.mend(kHost, HttpNetwork::Way::from_host);
  stream_.send("2", "", "x");
  stream_.end();
  run(2 * kSecond);
  EXPECT_THAT(story_, IsEmpty());
  EXPECT_EQ(network_.open_calls(), 1u);
  network_.close(call);
  run();
  EXPECT_EQ(network_.open_calls(), 0u);
}

TEST_F(HttpNetworkTest, a_half_open_stream_is_noticed_at_the_first_piece_after_the_partition) {
  const CallId call = listen_to_stream();
  run();
  network_.part(kHost, HttpNetwork::Way::to_host);
  network_.close(call);
  stream_.send("1", "", "x");
  run(kSecond);
  EXPECT_TRUE(stream_.open());
  network_.mend(kHost, HttpNetwork::Way::to_host);
  stream_.send("2", "", "x");
  run();
  EXPECT_THAT(story_, ElementsAre("reader has gone"));
  EXPECT_FALSE(stream_.open());
}

}  // namespace
}  // namespace ganglion::sim
