#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <boost/json.hpp>

#include "cli/api.h"
#include "cli/json_list.h"
#include "cli/pretty_json.h"
#include "cli/run_summary.h"

namespace ganglion::cli {
namespace {

TEST(Problem, says_what_is_wrong_and_where) {
  const Failure one = failure_of(
      422,
      R"({"detail":"/texts/0: must be string","errors":[{"path":"/texts/0","message":"must be string"}]})");
  EXPECT_EQ(one.exit, ExitCode::usage);
  EXPECT_EQ(one.text, "/texts/0: must be string") << "said once";
  const Failure two = failure_of(
      422, R"({"detail":"invalid input","errors":[{"path":"/a","message":"x"},{"path":"","message":"y"}]})");
  EXPECT_EQ(two.text, "invalid input\n  /a: x\n  y");
}

TEST(Problem, says_what_to_do_where_something_can_be_done) {
  EXPECT_EQ(failure_of(401, R"({"detail":"no token."})").text,
            "no token; set GANGLION_TOKEN to the server's token");
  EXPECT_EQ(failure_of(503, R"({"title":"Busy"})").exit, ExitCode::unreachable);
  EXPECT_EQ(failure_of(404, "<html>").text, "the server answers 404");
}

TEST(JsonList, any_list_comes_apart_into_its_elements) {
  EXPECT_TRUE(elements_of("").empty());
  EXPECT_TRUE(elements_of("{}").empty());
  EXPECT_EQ(elements_of(R"([ 1, "a,]\"" ,{"x":[1,2]},[]])"),
            (std::vector<std::string_view>{"1", R"("a,]\"")", R"({"x":[1,2]})", "[]"}));
  rc::check("as many elements as a JSON parser finds", [](const std::vector<std::string>& texts) {
    boost::json::array list;
    for (const std::string& text : texts)
      list.push_back(boost::json::object{{text, boost::json::array{text, 1}}});
    RC_ASSERT(elements_of(boost::json::serialize(list)).size() == list.size());
  });
}

TEST(PrettyJson, only_adds_blanks) {
  EXPECT_EQ(pretty_json(R"({"a":[1,2.50],"b":{},"c":"x: {,}"})"),
            "{\n  \"a\": [\n    1,\n    2.50\n  ],\n  \"b\": {},\n  \"c\": \"x: {,}\"\n}");
  EXPECT_EQ(pretty_json("[]"), "[]");
  EXPECT_EQ(pretty_json("7"), "7");
}

TEST(PrettyJson, hides_controls_that_json_lets_through) {
  EXPECT_EQ(pretty_json("\"a\xc2\x9b"
                        "b\x7f\""),
            "\"a\\u009bb\\u007f\"");
}

TEST(RunSummary, shows_steps_as_a_table) {
  const std::string summary = run_summary(
      R"({"id":"01K","workflow":"w","status":"failed","input":{},"output":null,"error":{"code":"c","message":"m"},)"
      R"("session_id":null,"created_at":"2026-03-01T09:30:00.000Z","ended_at":"2026-03-01T09:30:01.000Z",)"
      R"("steps":{"scan":{"status":"running","attempts":2,"error":null,"items":{"total":3,"done":1,"failed":0}},)"
      R"("x\n":{"status":"failed","attempts":1,"error":{"code":"c","message":"m"},)"
      R"("started_at":"2026-03-01T09:30:00.000Z","ended_at":"2026-03-01T09:30:00.250Z"}}})",
      0);
  EXPECT_EQ(summary, R"(run       01K
workflow  w
status    failed
created   2026-03-01T09:30:00.000Z
ended     2026-03-01T09:30:01.000Z  (1.0s)
error     c: m

STEP  STATUS       TOOK   ATTEMPTS  ERROR
scan  running 1/3         2
x\n   failed       250ms  1         c: m

input
{}
)");
}

TEST(RunSummary, says_where_a_run_comes_from_and_what_its_steps_wait_for) {
  const std::string summary = run_summary(
      R"({"id":"01K","workflow":"w","status":"waiting","input":{},"output":null,"error":null,"session_id":null,)"
      R"("created_at":"2026-03-01T09:30:00.000Z","ended_at":null,"parent":{"run_id":"01A","step":"review","item":3},)"
      R"("forked_from":{"run_id":"01B","seq":7,"step":"ask"},"cause":{"event":9},"steps":{)"
      R"("ask":{"status":"waiting","attempts":1,"error":null,"waiting_for":{"kind":"approval","id":"x","by":["a","b"]}},)"
      R"("paid":{"status":"waiting","attempts":1,"error":null,"waiting_for":{"kind":"event","event":"order.*"}},)"
      R"("loop":{"status":"running","attempts":4,"iteration":3,"error":null},)"
      R"("sub":{"status":"running","attempts":1,"error":null,"run_id":"01C"}}})",
      0);
  EXPECT_EQ(summary, R"(run       01K
workflow  w
status    waiting
created   2026-03-01T09:30:00.000Z
parent    01A, step review[3]
fork of   01B, from step ask on, after entry 7
cause     event 9

STEP  STATUS                     TOOK  ATTEMPTS        RUN  ERROR
ask   waiting for a or b               1
paid  waiting for event order.*        1
loop  running                          4, iteration 3
sub   running                          1               01C

input
{}
)");
}

}  // namespace
}  // namespace ganglion::cli
