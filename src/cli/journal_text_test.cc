#include "cli/journal_text.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "cli/elapsed.h"
#include "cli/table.h"

namespace ganglion::cli {
namespace {

JournalEntry read(std::string_view json) {
  auto entry = read_entry(json);
  EXPECT_TRUE(entry) << (entry ? "" : entry.error().message);
  return entry.value_or(JournalEntry{});
}

TEST(JournalText, reads_an_entry_as_the_api_sends_it) {
  const JournalEntry entry = read(
      R"({"seq":7,"at":"2026-03-01T09:30:00.250Z","type":"task_failed","step":"a \"b\"","item":3,"attempt":2,"data":{"x": [1]}})");
  EXPECT_EQ(entry.seq, 7u);
  EXPECT_EQ(format_rfc3339(entry.at), "2026-03-01T09:30:00.250Z");
  EXPECT_EQ(entry.step, "a \"b\"");
  EXPECT_EQ(entry.item, 3u);
  EXPECT_EQ(entry.attempt, 2u);
  EXPECT_EQ(entry.data, R"({"x": [1]})");
}

TEST(JournalText, refuses_what_is_not_an_entry) {
  for (const std::string_view json : {"", "{}", "[]", "<html>", R"({"seq":1})", R"({"seq":-1,"type":"x"})",
                                      R"({"seq":1,"type":"x","at":"yesterday"})"}) {
    EXPECT_FALSE(read_entry(json)) << json;
  }
}

TEST(JournalText, any_bytes_are_read_without_a_crash) {
  rc::check([](const std::string& bytes) {
    const auto entry = read_entry("{\"seq\":1,\"type\":\"x\",\"data\":" + bytes);
    RC_ASSERT(!entry || (entry->seq > 0 && !entry->type.empty()));
  });
}

TEST(JournalText, counts_the_items_of_a_list_of_anything) {
  const auto count = [](const std::string& items) {
    JournalEntry entry;
    entry.data = R"({"items":)" + items + "}";
    return item_count(entry);
  };
  EXPECT_EQ(count("[]"), 0u);
  EXPECT_EQ(count("[ ]"), 0u);
  EXPECT_EQ(count("[1]"), 1u);
  EXPECT_EQ(count(R"([[1,2],{"a":[3,4],"b":1},"x,]\",[", null])"), 4u);
  EXPECT_EQ(count("7"), 0u);
}

TEST(JournalText, tells_a_run_as_lines_with_times) {
  Narrator narrator;
  const auto tell = [&](std::string_view json) { return narrator.line(read(json)); };
  EXPECT_EQ(
      tell(R"({"seq":1,"at":"2026-03-01T09:30:00.000Z","type":"run_created","data":{"workflow":"review"}})"),
      "+0.000s  run started: workflow review");
  EXPECT_EQ(
      tell(
          R"({"seq":2,"at":"2026-03-01T09:30:00.001Z","type":"step_started","step":"scan","data":{"items":[1,2]}})"),
      "+0.001s  scan  started with 2 items");
  EXPECT_EQ(
      tell(
          R"({"seq":3,"at":"2026-03-01T09:30:00.002Z","type":"task_scheduled","step":"scan","item":1,"attempt":1,"data":{"agent":"scanner"}})"),
      "+0.002s  scan[1]  attempt 1 for agent scanner");
  EXPECT_EQ(
      tell(
          R"({"seq":4,"at":"2026-03-01T09:30:01.002Z","type":"task_failed","step":"scan","item":1,"attempt":1,)"
          R"("data":{"error":{"code":"timeout","message":"took\ntoo long"},"retry_at":"2026-03-01T09:30:01.202Z"}})"),
      "+1.002s  scan[1]  attempt 1 failed: timeout: took\\ntoo long; again in 200ms  (1.0s)");
  EXPECT_EQ(
      tell(R"({"seq":5,"at":"2026-03-01T09:30:02.001Z","type":"step_completed","step":"scan","data":{}})"),
      "+2.001s  scan  completed  (2.0s)");
  EXPECT_EQ(tell(R"({"seq":6,"at":"2026-03-01T09:30:02.500Z","type":"run_completed","data":{"output":1}})"),
            "+2.500s  run completed  (2.5s)");
}

TEST(JournalText, tells_every_kind_of_event) {
  const auto told = [](const std::string& type, const std::string& data, const std::string& more = "") {
    return describe(read(R"({"seq":1,"at":"2026-03-01T09:30:00.000Z","type":")" + type + "\"" + more +
                         ",\"data\":" + data + "}"));
  };
  EXPECT_EQ(told("run_forked", R"({"from":"01J","seq":4,"from_step":"b","input":{}})"),
            "forked from run 01J after entry 4, from step b on, with another input");
  EXPECT_EQ(told("task_scheduled", R"({"agent":"a","iteration":3})"), "attempt 1 for agent a, iteration 3");
  EXPECT_EQ(told("task_scheduled", R"({"agent":"a","role":"cache"})"), "looks into the cache");
  EXPECT_EQ(told("task_scheduled", R"({"agent":"a","role":"recall"})"),
            "looks for an older answer in the cache");
  EXPECT_EQ(told("task_scheduled", R"({"agent":"w","role":"sub_run"})", R"(,"attempt":2)"),
            "attempt 2 in a run of workflow w");
  EXPECT_EQ(told("task_scheduled", R"({"agent":"c","role":"classify"})"), "attempt 1 for classifier c");
  EXPECT_EQ(told("task_waiting", R"({"for":"timer","until":"2026-03-01T09:31:00.000Z"})"),
            "waiting until 2026-03-01T09:31:00.000Z");
  EXPECT_EQ(told("task_waiting", R"({"for":"person","by":["alice","b\u001bob"],"show":1,"digest":"d"})"),
            "waiting for alice or b\\x1bob");
  EXPECT_EQ(told("task_waiting", R"({"for":"person","by":[],"show":1,"digest":"d"})"),
            "waiting for a person");
  EXPECT_EQ(told("task_waiting", R"({"for":"event","event":"a.*","since":2})"), "waiting for event a.*");
  EXPECT_EQ(told("task_routed", R"({"to":"x","by":"rule","reason":"^bill"})"),
            "routed to agent x by the rule ^bill");
  EXPECT_EQ(told("task_routed", R"({"to":"x","by":"classifier","reason":"x"})"),
            "routed to agent x by the classifier");
  EXPECT_EQ(told("task_routed", R"({"to":"x","by":"default","reason":"no rule matches"})"),
            "routed to agent x by default: no rule matches");
  EXPECT_EQ(told("approval_decided", R"({"decision":"approve","by":"alice","comment":""})"),
            "approved by alice");
  EXPECT_EQ(told("approval_decided", R"({"decision":"reject","by":"","comment":"no"})"), "rejected: no");
  EXPECT_EQ(told("signal_received", R"({"id":"1","name":"go","data":null})"), "signal received: go");
  EXPECT_EQ(told("event_delivered", R"({"id":"e1","seq":4})"), "received event e1");
  EXPECT_EQ(told("event_published", R"({"id":"e2","topic":"a.b","version":1,"data":1})"),
            "published a.b, event e2");
  EXPECT_EQ(told("state_changed", R"({"key":"case.status","value":"open"})"), "state written: case.status");
  EXPECT_EQ(told("state_changed", R"({"key":"case.status"})"), "state removed: case.status");
  EXPECT_EQ(told("task_succeeded", R"({"output":1,"again":true})"), "not there yet; another iteration");
  EXPECT_EQ(told("task_failed", R"({"error":{"code":"x","message":"y"},"fall_back":true})"),
            "attempt 1 failed: x: y; the fallback is next");
  EXPECT_EQ(told("task_failed", R"({"error":{"code":"cache_miss","message":"y"},"fall_back":true})"),
            "not in the cache");
  EXPECT_EQ(told("run_paused", "{}"), "run paused");
  EXPECT_EQ(told("run_paused", "{}", R"(,"step":"a")"), "run paused: this step's failure waits for a person");
  EXPECT_EQ(told("run_paused", R"({"by_parent":true})"), "run paused with the run that started it");
  EXPECT_EQ(told("something_new", "{}"), "something_new");
}

TEST(Elapsed, stays_within_six_columns) {
  EXPECT_EQ(elapsed_text(Duration(-5)), "0ms");
  EXPECT_EQ(elapsed_text(Duration(999)), "999ms");
  EXPECT_EQ(elapsed_text(Duration(59'999)), "59.9s");
  EXPECT_EQ(elapsed_text(Duration(184'000)), "3m04s");
  EXPECT_EQ(elapsed_text(Duration(7'620'000)), "2h07m");
  EXPECT_EQ(elapsed_text(Duration(273'600'000)), "3d04h");
}

TEST(Table, aligns_columns_and_cuts_lines) {
  const Table table{{"ID", "STATUS"}, {{"1", "done"}, {"日本", "a\nb"}}};
  EXPECT_EQ(render(table, 0), "ID    STATUS\n1     done\n日本  a\\nb\n");
  EXPECT_EQ(render(table, 8), "ID    S…\n1     d…\n日本  a…\n");
}

}  // namespace
}  // namespace ganglion::cli
