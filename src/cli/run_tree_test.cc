#include "cli/run_tree.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "cli/live_view.h"
#include "cli/terminal_text.h"

namespace ganglion::cli {
namespace {

constexpr std::int64_t kStart = 1'000'000;

JournalEntry entry(std::uint64_t seq, std::int64_t at, std::string type, std::optional<std::string> step = {},
                   std::string data = "{}") {
  return {.seq = seq,
          .at = Timestamp(kStart + at),
          .type = std::move(type),
          .step = std::move(step),
          .item = {},
          .attempt = 1,
          .data = std::move(data)};
}

JournalEntry item_entry(std::uint64_t seq, std::int64_t at, std::string type, std::string step,
                        std::uint32_t item, std::string data = "{}", std::uint32_t attempt = 1) {
  JournalEntry made = entry(seq, at, std::move(type), std::move(step), std::move(data));
  made.item = item;
  made.attempt = attempt;
  return made;
}

std::string drawn(const RunTree& tree, std::int64_t at, std::size_t columns, std::size_t max_lines = 0,
                  Symbols symbols = Symbols::unicode) {
  std::string text = "\n";
  for (const StyledLine& line : tree.lines({Timestamp(kStart + at), symbols, max_lines})) {
    text += render(line, columns, Colour::off) + "\n";
  }
  return text;
}

// One step done, a map with a failed and a retried item, one to come.
RunTree review_under_way() {
  RunTree tree("01K", "review", {"changes", "scan", "report"});
  tree.apply(entry(1, 0, "run_created"));
  tree.apply(entry(2, 1, "task_scheduled", "changes"));
  tree.apply(entry(3, 250, "task_succeeded", "changes",
                   R"({"output":[],"usage":{"input_tokens":1200,"output_tokens":34}})"));
  tree.apply(entry(4, 251, "step_started", "scan", R"({"items":["a",{"b":[1,2]},"c,d","e"]})"));
  for (std::uint32_t i = 0; i < 4; ++i) tree.apply(item_entry(5 + i, 252, "task_scheduled", "scan", i));
  tree.apply(item_entry(9, 700, "task_succeeded", "scan", 0, R"({"output":1})"));
  tree.apply(item_entry(10, 800, "task_failed", "scan", 1,
                        R"({"error":{"code":"bad_file","message":"no such file"}})"));
  tree.apply(item_entry(
      11, 900, "task_failed", "scan", 2,
      R"({"error":{"code":"timeout","message":"took too long"},"retry_at":"1970-01-01T00:16:42.000Z"})"));
  return tree;
}

TEST(RunTree, shows_states_times_counts_and_errors_of_a_run_under_way) {
  EXPECT_EQ(drawn(review_under_way(), 1600, 80), R"(
review 01K running 1.6s  1/3 steps, 1,234 tokens
├─ ✓ changes  completed  249ms
├─ ⣷ scan     running     1.3s  1/4, 1 failed, 1 under way, 1 to be tried again
│     [1] failed: bad_file: no such file
│     [2] attempt 1: timeout: took too long
└─ · report   pending
)");
}

TEST(RunTree, cuts_its_lines_to_the_width_of_the_terminal) {
  EXPECT_EQ(drawn(review_under_way(), 1600, 32), R"(
review 01K running 1.6s  1/3 st…
├─ ✓ changes  completed  249ms
├─ ⣷ scan     running     1.3s …
│     [1] failed: bad_file: no …
│     [2] attempt 1: timeout: t…
└─ · report   pending
)");
}

TEST(RunTree, draws_with_ascii_where_the_terminal_knows_no_better) {
  EXPECT_EQ(drawn(review_under_way(), 1600, 80, 0, Symbols::ascii), R"(
review 01K running 1.6s  1/3 steps, 1,234 tokens
|- + changes  completed  249ms
|- | scan     running     1.3s  1/4, 1 failed, 1 under way, 1 to be tried again
|     [1] failed: bad_file: no such file
|     [2] attempt 1: timeout: took too long
`- . report   pending
)");
}

TEST(RunTree, counts_what_does_not_fit_and_shows_what_matters_first) {
  RunTree tree("01K", "many", {"a", "b", "c", "d", "e", "f"});
  tree.apply(entry(1, 0, "run_created"));
  tree.apply(entry(2, 0, "task_scheduled", "a"));
  tree.apply(entry(3, 10, "task_succeeded", "a"));
  tree.apply(entry(4, 20, "task_scheduled", "e"));
  EXPECT_EQ(drawn(tree, 30, 80, 4), R"(
many 01K running 30ms  1/6 steps
├─ · b  pending
├─ ⣷ e  running     10ms
└─ 4 more steps
)");
}

TEST(RunTree, a_failed_run_says_why_and_calls_the_rest_off) {
  RunTree tree("01K", "review", {"scan", "report"});
  tree.apply(entry(1, 0, "run_created"));
  tree.apply(entry(2, 0, "task_scheduled", "scan"));
  const std::string error = R"({"error":{"code":"exit_status","message":"exit status 1"}})";
  tree.apply(entry(3, 1000, "task_failed", "scan", error));
  tree.apply(entry(4, 1000, "step_failed", "scan", error));
  tree.apply(entry(5, 1000, "run_failed", "scan", error));
  EXPECT_TRUE(tree.ended());
  EXPECT_EQ(drawn(tree, 99'000, 80), R"(
review 01K failed 1.0s  0/2 steps  exit_status: exit status 1
├─ ✗ scan    failed      1.0s  exit_status: exit status 1
└─ ⊘ report  cancelled
)");
}

TEST(RunTree, a_retried_run_goes_on_from_what_failed) {
  RunTree tree("01K", "review", {"scan", "report"});
  tree.apply(entry(1, 0, "run_created"));
  tree.apply(entry(2, 0, "task_scheduled", "scan"));
  tree.apply(entry(3, 10, "task_failed", "scan", R"({"error":{"code":"x","message":"y"}})"));
  tree.apply(entry(4, 10, "step_failed", "scan", R"({"error":{"code":"x","message":"y"}})"));
  tree.apply(entry(5, 10, "run_failed", "scan", R"({"error":{"code":"x","message":"y"}})"));
  tree.apply(entry(6, 20, "run_retried"));
  EXPECT_FALSE(tree.ended());
  tree.apply(entry(7, 20, "task_scheduled", "scan"));
  tree.apply(entry(8, 40, "task_succeeded", "scan"));
  EXPECT_EQ(tree.status(), "running");
  EXPECT_EQ(drawn(tree, 50, 80), R"(
review 01K running 50ms  1/2 steps
├─ ✓ scan    completed   40ms
└─ · report  pending
)");
}

TEST(RunTree, says_what_a_person_has_to_type) {
  RunTree tree("01K", "release", {"plan", "checks", "ship"});
  tree.apply(entry(1, 0, "run_created"));
  tree.apply(entry(2, 10, "task_waiting", "plan",
                   R"({"for":"person","by":["alice","bob"],"show":{"tag":"v1"},"digest":"d","agent":""})"));
  tree.apply(entry(3, 10, "step_started", "checks", R"({"items":[1,2]})"));
  for (std::uint32_t item = 0; item < 2; ++item) {
    tree.apply(item_entry(4 + item, 10, "task_waiting", "checks", item,
                          R"({"for":"person","by":[],"show":1,"digest":"d","agent":"tester"})"));
  }
  EXPECT_EQ(drawn(tree, 1600, 80), R"(
release 01K waiting 1.6s  0/3 steps
├─ ◦ plan    waiting     1.5s  for alice or bob
│     ganglion approvals approve 01K/plan --by NAME
├─ ⣷ checks  running     1.5s  0/2, 2 waiting
│     ganglion approvals list --run 01K
└─ · ship    pending
)");
  const auto demands = tree.demands(" --server http://x");
  ASSERT_EQ(demands.size(), 2u);
  EXPECT_EQ(demands[0].command, "ganglion approvals approve 01K/plan --by NAME --server http://x");
  EXPECT_EQ(demands[0].what, "waits for alice or bob");

  tree.apply(entry(6, 1500, "approval_decided", "plan", R"({"decision":"approve","by":"bob"})"));
  tree.apply(entry(7, 1500, "task_succeeded", "plan", R"({"output":{}})"));
  EXPECT_EQ(tree.demands("").size(), 1u) << "what is decided is asked for no more";
  tree.apply(entry(8, 1600, "run_cancelled"));
  EXPECT_TRUE(tree.demands("").empty());
}

TEST(RunTree, shows_waits_for_events_and_times) {
  RunTree tree("01K", "w", {"paid", "pause"});
  tree.apply(entry(1, 0, "run_created"));
  tree.apply(entry(2, 0, "task_waiting", "paid", R"({"for":"event","event":"order.*","since":3})"));
  tree.apply(entry(3, 0, "task_waiting", "pause", R"({"for":"timer","until":"2026-03-01T09:30:00.000Z"})"));
  EXPECT_EQ(drawn(tree, 500, 80), R"(
w 01K waiting 500ms  0/2 steps
├─ ◦ paid   waiting    500ms  for event order.*
└─ ◦ pause  waiting    500ms  until 2026-03-01T09:30:00.000Z
)");
  tree.apply(entry(4, 600, "event_delivered", "paid", R"({"id":"e1","seq":4})"));
  tree.apply(entry(5, 600, "task_succeeded", "paid", R"({"output":{}})"));
  EXPECT_EQ(drawn(tree, 700, 80), R"(
w 01K waiting 700ms  1/2 steps
├─ ✓ paid   completed  600ms
└─ ◦ pause  waiting    700ms  until 2026-03-01T09:30:00.000Z
)");
}

TEST(RunTree, shows_who_performs_a_step_where_that_is_not_its_agent) {
  RunTree tree("01K", "w", {"write", "sub", "route", "again"});
  tree.apply(entry(1, 0, "run_created"));
  tree.apply(entry(2, 0, "task_scheduled", "write", R"({"agent":"fast","role":"cache"})"));
  tree.apply(entry(3, 0, "task_failed", "write",
                   R"({"error":{"code":"cache_miss","message":"none"},"fall_back":true})"));
  tree.apply(entry(4, 0, "task_scheduled", "write", R"({"agent":"fast","link":1})"));
  tree.apply(entry(5, 0, "task_failed", "write",
                   R"({"error":{"code":"timeout","message":"late"},"fall_back":true})"));
  tree.apply(entry(6, 0, "task_scheduled", "write", R"({"agent":"slow","link":2})"));
  EXPECT_FALSE(tree.has_sub_run());
  tree.apply(entry(7, 0, "task_scheduled", "sub", R"({"agent":"details","role":"sub_run"})"));
  EXPECT_TRUE(tree.has_sub_run());
  tree.apply(entry(8, 0, "task_routed", "route", R"({"router":"r","to":"billing","by":"rule"})"));
  tree.apply(entry(9, 0, "task_scheduled", "route", R"({"agent":"billing"})"));
  tree.apply(entry(10, 0, "task_scheduled", "again", R"({"agent":"judge"})"));
  tree.apply(entry(11, 0, "task_succeeded", "again", R"({"output":1,"again":true})"));
  JournalEntry second = entry(12, 0, "task_scheduled", "again", R"({"agent":"judge","iteration":2})");
  second.attempt = 2;
  tree.apply(second);
  EXPECT_EQ(drawn(tree, 100, 80), R"(
w 01K running 100ms  0/4 steps
├─ ⣯ write  running    100ms  fallback slow  timeout: late
├─ ⣯ sub    running    100ms  workflow details
├─ ⣯ route  running    100ms  routed to billing
└─ ⣯ again  running    100ms  iteration 2, attempt 2
)");
}

TEST(RunTree, a_failure_that_pauses_waits_for_a_person_and_is_tried_again) {
  RunTree tree("01K", "w", {"a"});
  tree.apply(entry(1, 0, "run_created"));
  tree.apply(entry(2, 0, "task_scheduled", "a"));
  tree.apply(entry(3, 10, "task_failed", "a", R"({"error":{"code":"x","message":"y"}})"));
  tree.apply(entry(4, 10, "run_paused", "a"));
  EXPECT_EQ(drawn(tree, 20, 80), R"(
w 01K paused 20ms  0/1 steps
└─ ◦ a  paused      20ms  x: y
      ganglion runs resume 01K
)");
  tree.apply(entry(5, 30, "run_resumed"));
  tree.apply(entry(6, 30, "task_scheduled", "a"));
  EXPECT_EQ(tree.status(), "running");
  EXPECT_TRUE(tree.demands("").empty());
}

TEST(RunTree, a_fork_does_its_step_and_what_needs_it_again) {
  RunTree tree("01K", "w", {"a", "b", "c"}, {{"b", {"a"}}, {"c", {"b"}}});
  std::uint64_t seq = 0;
  tree.apply(entry(++seq, 0, "run_created"));
  for (const char* step : {"a", "b", "c"}) {
    tree.apply(entry(++seq, 10, "task_scheduled", step));
    tree.apply(entry(++seq, 20, "task_succeeded", step));
  }
  tree.apply(entry(++seq, 90'000, "run_forked", {}, R"({"from":"01J","seq":7,"from_step":"b"})"));
  EXPECT_EQ(drawn(tree, 90'000, 80), R"(
w 01K running 0ms  1/3 steps
├─ ✓ a  completed   10ms
├─ · b  pending
└─ · c  pending
)");
}

TEST(RunTree, an_entry_that_comes_twice_counts_once) {
  RunTree once = review_under_way(), twice = review_under_way();
  twice.apply(item_entry(9, 700, "task_succeeded", "scan", 0));
  twice.apply(entry(3, 250, "task_succeeded", "changes", R"({"usage":{"tokens":9}})"));
  EXPECT_EQ(drawn(twice, 1600, 80), drawn(once, 1600, 80));
}

TEST(RunTree, nothing_in_an_entry_reaches_the_terminal_as_a_command) {
  RunTree tree("01K\x1b]0;owned\x07", "work\x1b[2Jflow", {"st\nep\x1b[31m"});
  tree.apply(entry(1, 0, "run_created"));
  tree.apply(entry(2, 0, "task_scheduled", "st\nep\x1b[31m"));
  tree.apply(entry(3, 5, "task_failed", "st\nep\x1b[31m",
                   "{\"error\":{\"code\":\"\\u001b[2J\",\"message\":\"a\\nb\\u009b\"}}"));
  for (const StyledLine& line : tree.lines({Timestamp(kStart), Symbols::unicode, 0})) {
    const std::string text = render(line, 400, Colour::off);
    EXPECT_TRUE(std::ranges::none_of(text, [](unsigned char c) { return c < 0x20; })) << text;
  }
}

TEST(RunTree, any_order_of_entries_is_drawn_within_its_bounds) {
  rc::check("no crash, no line too wide, no line too many", [] {
    RunTree tree("01K", "w", {"a", "b", "c"}, {{"b", {"a"}}, {"c", {"a", "b"}}, {"a", {"c"}}});
    const auto count = *rc::gen::inRange<std::uint64_t>(0, 40);
    for (std::uint64_t seq = 1; seq <= count; ++seq) {
      const std::string type = *rc::gen::element<std::string>(
          "run_created", "run_forked", "step_started", "task_scheduled", "task_waiting", "task_routed",
          "approval_decided", "signal_received", "event_delivered", "event_published", "state_changed",
          "task_succeeded", "task_failed", "step_completed", "step_failed", "step_skipped", "run_paused",
          "run_resumed", "run_retried", "run_completed", "run_failed", "new_type");
      JournalEntry made = entry(
          seq, static_cast<std::int64_t>(seq), type, *rc::gen::element<std::string>("a", "b", "c", "d"),
          *rc::gen::element<std::string>(R"({"items":[1,2],"error":{"code":"c","message":"m"}})",
                                         R"({"for":"person","by":["x"],"show":1,"digest":"d","again":true})",
                                         R"({"from_step":"a","fall_back":true,"role":"cache"})", "[]"));
      made.item = *rc::gen::inRange<std::uint32_t>(0, 3);
      tree.apply(made);
    }
    const auto columns = *rc::gen::inRange<std::size_t>(1, 60);
    const auto max_lines = *rc::gen::inRange<std::size_t>(3, 9);
    const auto lines = tree.lines({Timestamp(kStart + 50), Symbols::unicode, max_lines});
    RC_ASSERT(lines.size() <= max_lines);
    for (const auto& line : lines) RC_ASSERT(columns_of(render(line, columns, Colour::off)) <= columns);
  });
}

TEST(LiveView, draws_over_its_last_block_and_erases_what_is_left_of_it) {
  LiveView view(Colour::off);
  EXPECT_EQ(view.frame({{{"one"}}, {{"two"}}}, 80), "\x1b[?2026hone\x1b[K\ntwo\x1b[K\n\x1b[?2026l");
  EXPECT_EQ(view.frame({{{"only"}}}, 80), "\x1b[?2026h\r\x1b[2Aonly\x1b[K\n\x1b[J\x1b[?2026l");
  EXPECT_EQ(view.frame({{{"block"}}}, 80, {{{"above"}}}),
            "\x1b[?2026h\r\x1b[1Aabove\x1b[K\nblock\x1b[K\n\x1b[?2026l");
}

TEST(LiveView, counts_the_rows_of_a_block_that_a_narrower_terminal_has_wrapped) {
  LiveView view(Colour::off);
  view.frame({{{"0123456789"}}}, 80);
  EXPECT_EQ(view.frame({{{"0123"}}}, 4), "\x1b[?2026h\r\x1b[3A0123\x1b[K\n\x1b[J\x1b[?2026l");
}

TEST(StyledLine, colours_only_where_asked) {
  const StyledLine line = {{"a", Tint::bad}, {"b"}};
  EXPECT_EQ(render(line, 80, Colour::off), "ab");
  EXPECT_EQ(render(line, 80, Colour::on), "\x1b[31ma\x1b[0mb");
  EXPECT_EQ(render({{"abc", Tint::bad}, {"d"}}, 2, Colour::on), "\x1b[31ma…\x1b[0m")
      << "the colour ends with the line";
}

}  // namespace
}  // namespace ganglion::cli
