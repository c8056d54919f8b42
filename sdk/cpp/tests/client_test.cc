// The client against a real server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <boost/json/parse.hpp>
#include <condition_variable>
#include <mutex>

#include "ganglion/client.h"
#include "server.h"

namespace ganglion {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::RunningWorker;
using testing::Server;

constexpr seconds kPatience{60};

constexpr const char* kProject = R"(
ganglion: 1
topics:
  order.paid:
    1: {type: object, required: [n], properties: {n: {type: integer}}}
agents:
  first:
    kind: worker
    timeout: 60s
    publishes: [order.paid]
    state: {read: ["*"], write: ["case.*"]}
triggers:
  - {on: order.paid, workflow: instant, input: "${{ event.data }}"}
workflows:
  instant:
    steps: {same: {transform: "${{ input }}"}}
    output: "${{ steps.same.output }}"
  one:
    steps: {work: {agent: first, input: "${{ input }}"}}
    output: "${{ steps.work.output }}"
  ask:
    steps:
      ask: {approve: {by: [ada], show: {amount: "${{ input.amount }}"}}}
    output: "${{ steps.ask.output }}"
  await:
    steps:
      go: {wait_for: {event: go, timeout: 60s}}
    output: "${{ steps.go.output.data }}"
)";

class ClientTest : public ::testing::Test {
 protected:
  using Run = ganglion::Run;  // hides a private name of the fixture
  Server server{kProject};
  Client client{server.connection()};
};

std::vector<std::int64_t> seqs_of(const std::vector<JournalEvent>& events) {
  std::vector<std::int64_t> seqs;
  for (const JournalEvent& event : events) seqs.push_back(event.seq);
  return seqs;
}

template <typename Action>
std::string code_of(Action action) {
  try {
    action();
  } catch (const Problem& problem) {
    return std::to_string(problem.status()) + " " + problem.code();
  }
  return "no problem";
}

TEST_F(ClientTest, a_started_run_can_be_read) {
  const json::value input = json::parse(R"({"x": [1, "é", null]})");
  const Run run = client.start("instant", input, {.labels = {{"team", "a"}}, .wait = kPatience});
  const Run again = client.get(run.id);
  EXPECT_EQ(again.status, "completed");
  EXPECT_EQ(again.workflow, "instant");
  EXPECT_EQ(again.output(), input);
}

TEST_F(ClientTest, an_idempotency_key_stands_for_one_run_and_one_body) {
  const Run first = client.start("instant", {{"x", 1}}, {.idempotency_key = "k"});
  EXPECT_EQ(client.start("instant", {{"x", 1}}, {.idempotency_key = "k"}).id, first.id);
  EXPECT_EQ(code_of([&] { client.start("instant", {{"x", 2}}, {.idempotency_key = "k"}); }),
            "409 idempotency_mismatch");
}

TEST_F(ClientTest, listing_goes_over_all_pages_newest_first) {
  std::vector<std::string> started;
  for (int n = 0; n < 205; ++n) started.push_back(client.start("instant", {{"n", n}}).id);
  std::vector<std::string> listed;
  for (const Run& run : client.list({.workflow = "instant"})) listed.push_back(run.id);
  std::ranges::reverse(listed);
  EXPECT_TRUE(std::ranges::is_sorted(listed));  // ids sort by time
  std::ranges::sort(started);
  EXPECT_EQ(listed, started);
  EXPECT_TRUE(client.list({.workflow = "one"}).empty());
}

TEST_F(ClientTest, waiting_has_a_limit_and_the_run_goes_on) {
  const Run run = client.start("one");
  EXPECT_THROW(client.wait(run.id, milliseconds(50)), RunNotFinished);
  EXPECT_EQ(client.get(run.id).status, "running");
  EXPECT_EQ(client.pause(run.id).status, "paused");
  EXPECT_EQ(client.resume(run.id).status, "running");
  EXPECT_EQ(client.cancel(run.id).status, "cancelled");
  EXPECT_EQ(client.wait(run.id).status, "cancelled");
}

TEST_F(ClientTest, following_survives_a_crash_of_the_server_without_gap_or_repetition) {
  // given somebody who follows a run that waits for an agent
  std::mutex mutex;
  std::condition_variable changed;
  bool working = false;
  bool go_on = false;
  Worker worker({.connection = server.connection()});
  worker.agent("first", [&](Task&) -> json::value {
    std::unique_lock lock(mutex);
    working = true;
    changed.notify_all();
    changed.wait(lock, [&] { return go_on; });
    return 1;
  });
  RunningWorker running(worker);
  const Run run = client.start("one");
  std::vector<JournalEvent> seen;
  std::thread follower([&] {
    Client(server.connection()).follow(run.id, [&](const JournalEvent& event) {
      const std::scoped_lock lock(mutex);
      seen.push_back(event);
      changed.notify_all();
      return true;
    });
  });
  {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, kPatience, [&] { return working && !seen.empty(); }));
  }
  // when the server crashes and comes back, and the run ends
  server.kill();
  server.start();
  {
    const std::scoped_lock lock(mutex);
    go_on = true;
    changed.notify_all();
  }
  follower.join();
  // then the follower has seen every event once
  EXPECT_EQ(seqs_of(seen), seqs_of(client.journal(run.id)));
  EXPECT_EQ(client.get(run.id).status, "completed");
}

TEST_F(ClientTest, a_long_journal_is_followed_to_its_end_and_left_when_the_reader_has_enough) {
  const Run run = client.start("instant", {{"x", 1}}, {.wait = kPatience});
  std::vector<std::int64_t> all_but_one = seqs_of(client.journal(run.id));
  ASSERT_GT(all_but_one.size(), 1u);
  all_but_one.erase(all_but_one.begin());
  EXPECT_EQ(seqs_of(client.journal(run.id, 1)), all_but_one);
  int count = 0;
  client.follow(run.id, [&](const JournalEvent&) { return ++count < 1; });
  EXPECT_EQ(count, 1);
}

TEST_F(ClientTest, refusals_are_problems_and_silence_is_not) {
  EXPECT_EQ(code_of([&] { client.get("no-run"); }).substr(0, 3), "404");
  EXPECT_EQ(code_of([&] { client.put_project("ganglion: 1\nnonsense: true\n"); }), "422 invalid");
  Client nobody({.server = "http://127.0.0.1:9"});
  EXPECT_THROW(nobody.get("x"), Unavailable);
}

TEST_F(ClientTest, an_approval_is_for_what_was_shown_and_counts_once) {
  const Run run = client.start("ask", {{"amount", 5}});
  std::vector<json::object> open;
  client.follow(run.id, [&](const JournalEvent&) { return (open = client.approvals(run.id)).empty(); });
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(open[0].at("show"), json::parse(R"({"amount": 5})"));
  const std::string id(open[0].at("id").as_string());
  const std::string digest(open[0].at("digest").as_string());
  EXPECT_EQ(code_of([&] { client.approve(id, {.digest = std::string(64, '0'), .by = "ada"}); }),
            "409 digest_mismatch");
  EXPECT_EQ(code_of([&] { client.approve(id, {.digest = digest, .by = "eve"}); }), "403 not_permitted");
  EXPECT_EQ(client.approve(id, {.digest = digest, .by = "ada", .comment = "fine"}).at("decision"), "approve");
  EXPECT_EQ(code_of([&] { client.reject(id, {.digest = digest, .by = "ada"}); }), "409 conflict");
  const Run ended = client.wait(run.id, kPatience);
  EXPECT_EQ(ended.status, "completed");
  EXPECT_EQ(ended.output().at("comment"), "fine");
}

TEST_F(ClientTest, a_signal_reaches_the_step_that_waits_for_it) {
  const Run run = client.start("await");
  client.signal(run.id, "go", json::object{{"n", 7}});
  EXPECT_EQ(client.wait(run.id, kPatience).output(), json::parse(R"({"n": 7})"));
  EXPECT_EQ(code_of([&] { client.signal(run.id, "go"); }), "409 conflict");
}

TEST_F(ClientTest, a_fork_shares_what_came_before_its_step) {
  const Run run = client.start("instant", {{"x", 1}}, {.wait = kPatience});
  const Run fork = client.fork(run.id, "same", json::value{{"x", 2}});
  EXPECT_NE(fork.id, run.id);
  EXPECT_EQ(client.wait(fork.id, kPatience).output(), json::parse(R"({"x": 2})"));
  EXPECT_EQ(code_of([&] { client.fork(run.id, "nothing"); }).substr(0, 3), "422");
}

TEST_F(ClientTest, an_event_is_published_once_listed_followed_and_starts_what_it_triggers) {
  const NewEvent event{.type = "order.paid", .data = json::object{{"n", 1}}, .source = "shop", .id = "17"};
  const json::object published = client.publish(event);
  EXPECT_EQ(published.at("duplicate"), false);
  EXPECT_EQ(client.publish(event).at("duplicate"), true);
  EXPECT_EQ(code_of([&] { client.publish({.type = "order.paid", .data = "no object"}); }), "422 invalid");
  const std::vector<Event> listed = client.events("order.*");
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].raw.at("data"), json::parse(R"({"n": 1})"));
  std::vector<Event> followed;
  client.tail("order.*", [&](const Event& seen) { return followed.push_back(seen), false; }, 0);
  EXPECT_EQ(followed.at(0).seq, listed[0].seq);
  const std::vector<Run> runs = client.list({.workflow = "instant"});
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(client.wait(runs[0].id, kPatience).output(), json::parse(R"({"n": 1})"));
}

TEST_F(ClientTest, state_has_versions_and_of_two_writers_one_wins) {
  EXPECT_FALSE(client.get_state("S", "case.status"));
  const std::int64_t first = client.put_state("S", "case.status", "open", {.if_absent = true});
  EXPECT_EQ(code_of([&] { client.put_state("S", "case.status", "x", {.if_absent = true}); }),
            "412 precondition_failed");
  const std::int64_t second =
      client.put_state("S", "case.status", json::array{1, nullptr}, {.if_version = first});
  EXPECT_GT(second, first);
  EXPECT_EQ(code_of([&] { client.put_state("S", "case.status", "x", {.if_version = first}); }),
            "412 precondition_failed");
  const auto found = client.get_state("S", "case.status");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->value, json::parse("[1, null]"));
  EXPECT_EQ(found->version, second);
  EXPECT_EQ(client.snapshot("S", first).at("entries").at("case.status").at("value"), "open");
  client.delete_state("S", "case.status", second);
  EXPECT_FALSE(client.get_state("S", "case.status"));
  EXPECT_EQ(client.session("S").at("session_id"), "S");
}

TEST_F(ClientTest, blobs_come_back_as_they_were) {
  std::string bytes(3 << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
  const json::object reference = client.put_blob(bytes);
  EXPECT_EQ(client.put_blob(bytes), reference);
  EXPECT_EQ(client.get_blob(reference), bytes);
  EXPECT_EQ(code_of([&] {
              client.get_blob(json::object{{"$ref", "sha256:" + std::string(64, '0')}});
            }).substr(0, 3),
            "404");
  EXPECT_THROW(client.get_blob("x"), std::invalid_argument);
}

TEST_F(ClientTest, the_tax_of_a_run_adds_up) {
  const Run run = client.start("instant", {{"x", 1}}, {.wait = kPatience});
  const json::object tax = client.tax(run.id);
  EXPECT_NEAR(tax.at("wall_ms").to_number<double>(),
              tax.at("work_ms").to_number<double>() + tax.at("tax_ms").to_number<double>(), 1.0);
}

TEST_F(ClientTest, a_failed_task_is_a_dead_letter_until_it_is_requeued_or_forgotten) {
  Worker worker({.connection = server.connection()});
  std::atomic<bool> broken = true;
  worker.agent("first", [&](Task&) -> json::value {
    if (broken) throw Fail("broken", "out of order");
    return "repaired";
  });
  RunningWorker running(worker);
  const Run run = client.start("one", {{"x", 1}}, {.wait = kPatience});
  ASSERT_EQ(run.status, "failed");
  const std::vector<json::object> letters = client.dead_letters(run.id);
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].at("error").at("code"), "broken");
  broken = false;
  client.requeue(std::string(letters[0].at("id").as_string()));
  EXPECT_EQ(client.wait(run.id, kPatience).output(), "repaired");
  broken = true;
  for (int n = 0; n < 3; ++n) client.start("one", {{"n", n}}, {.wait = kPatience});
  const std::vector<json::object> more = client.dead_letters({}, "task");
  ASSERT_EQ(more.size(), 3u);
  client.delete_dead_letter(std::string(more[0].at("id").as_string()));
  EXPECT_EQ(client.purge_dead_letters(), 2);
}

TEST_F(ClientTest, a_project_is_checked_without_a_change) {
  const std::string before = client.project();
  EXPECT_EQ(before, kProject);
  const std::string other = std::string(kProject) + "# another one\n";
  EXPECT_TRUE(client.check_project(other).contains("open_runs"));
  EXPECT_EQ(client.project(), before);
  client.put_project(other);
  EXPECT_EQ(client.project(), other);
}

}  // namespace
}  // namespace ganglion
