// What people are shown of agents, approvals, dead letters, events and the coordination tax.

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "cli/agent_text.h"
#include "cli/approval_text.h"
#include "cli/dead_letter_text.h"
#include "cli/event_text.h"
#include "cli/fields.h"
#include "cli/tax_text.h"

namespace ganglion::cli {
namespace {

constexpr std::string_view kPlan =
    R"({"id":"01K-0-0-1","kind":"approval","run_id":"01K","workflow":"release","step":"plan","item":null,"agent":null,)"
    R"("by":["alice","bob"],"show":{"tag":"v1\u001b[2J"},"digest":"d1","requested_at":"2026-03-01T09:30:00.000Z","expires_at":null})";
constexpr std::string_view kLabel0 =
    R"({"id":"01K-1-0-1","kind":"task","run_id":"01K","workflow":"release","step":"label","item":0,"agent":"person",)"
    R"("by":[],"show":"a","digest":"d2","requested_at":"2026-03-01T09:30:01.000Z","expires_at":"2026-03-02T09:30:01.000Z"})";
constexpr std::string_view kLabel1 =
    R"({"id":"01K-1-1-1","kind":"task","run_id":"01K","workflow":"release","step":"label","item":1,"agent":"person",)"
    R"("by":[],"show":"b","digest":"d3","requested_at":"2026-03-01T09:30:01.000Z","expires_at":null})";

TEST(Fields, reads_members_by_name_and_kind) {
  const Fields fields(R"({"a":"x\n","b":1.5,"c":null,"d":["p",2],"e":{"f":true}})");
  EXPECT_EQ(fields.text("a"), "x\n");
  EXPECT_EQ(fields.raw("a"), R"("x\n")");
  EXPECT_EQ(fields.number("b"), 1.5);
  EXPECT_EQ(fields.number("a"), 0);
  EXPECT_FALSE(fields.has("c"));
  EXPECT_FALSE(fields.has("z"));
  EXPECT_EQ(fields.text("c"), "");
  EXPECT_EQ(fields.joined("d"), "p, 2");
  EXPECT_TRUE(fields.object("e").is_true("f"));
  EXPECT_TRUE(fields.object("a").empty());
}

TEST(Fields, names_a_step_and_its_item) {
  EXPECT_EQ(Fields(R"({"step":"ask","item":0})").place(), "ask[0]");
  EXPECT_EQ(Fields(R"({"step":"ask","item":null})").place(), "ask");
}

TEST(ApprovalText, lists_what_waits_and_for_whom) {
  EXPECT_EQ(
      approvals_table({kPlan, kLabel0}, 0),
      R"(APPROVAL   WORKFLOW  STEP               BY            ASKED                     EXPIRES                   SHOWS
01K-0-0-1  release   plan               alice or bob  2026-03-01T09:30:00.000Z                            {"tag":"v1\u001b[2J"}
01K-1-0-1  release   label[0] (person)  anybody       2026-03-01T09:30:01.000Z  2026-03-02T09:30:01.000Z  a
)");
}

TEST(ApprovalText, shows_the_whole_of_what_is_decided_without_a_control_character) {
  const std::string shown = approval_details(kPlan);
  EXPECT_EQ(shown, R"(approval   01K-0-0-1
run        01K
workflow   release
step       plan
by         alice or bob
asked      2026-03-01T09:30:00.000Z
digest     d1

{
  "tag": "v1\u001b[2J"
}
)");
}

TEST(ApprovalText, an_approval_is_found_by_its_id_its_run_and_its_step_where_that_is_clear) {
  const std::vector<std::string_view> all = {kPlan, kLabel0, kLabel1};
  EXPECT_EQ(find_approval(all, "01K-1-0-1"), kLabel0);
  EXPECT_EQ(find_approval(all, "01K/plan"), kPlan);
  EXPECT_EQ(find_approval(all, "01K/label[1]"), kLabel1);
  EXPECT_EQ(find_approval({kPlan}, "01K"), kPlan);
  const auto two = find_approval(all, "01K/label");
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error(), "2 approvals are called 01K/label:\n  01K-1-0-1  label[0]\n  01K-1-1-1  label[1]");
  EXPECT_FALSE(find_approval(all, "01K"));
  EXPECT_FALSE(find_approval(all, "01K/pl"));
  EXPECT_FALSE(find_approval({}, "01K"));
}

TEST(DeadLetterText, says_what_failed_and_why) {
  EXPECT_EQ(
      dead_letters_table(
          {R"({"id":"d1","kind":"task","at":"2026-03-01T09:30:00.000Z","run_id":"01K","workflow":"w","step":"scan","item":3,)"
           R"("agent":"scanner","attempts":3,"input":{},"event":null,"error":{"code":"timeout","message":"took too long"}})",
           R"({"id":"d2","kind":"event","at":"2026-03-01T09:30:00.000Z","run_id":null,"step":null,"item":null,"agent":null,)"
           R"("attempts":null,"input":null,"event":{"type":"a.b"},"error":{"code":"unknown_version","message":"9"}})"},
          0),
      R"(DEAD LETTER  KIND   SINCE                     OF                     ATTEMPTS  ERROR
d1           task   2026-03-01T09:30:00.000Z  01K/scan[3] (scanner)  3         timeout: took too long
d2           event  2026-03-01T09:30:00.000Z  a.b                              unknown_version: 9
)");
}

TEST(EventText, shows_time_type_source_and_cause) {
  const auto shown = [](std::string_view event) { return render(event_line(event), 200, Colour::off); };
  EXPECT_EQ(
      shown(
          R"({"specversion":"1.0","id":"e1","source":"/v1/runs/01K","type":"file.added","time":"2026-03-01T09:30:00.000Z",)"
          R"("subject":"a.md","data":{"n":1},"seq":7,"hops":1,"cause":{"run_id":"01K","step":"notify","event":3}})"),
      R"(2026-03-01T09:30:00.000Z  7  file.added  /v1/runs/01K  (a.md)  ← event 3, run 01K, step notify  {"n":1})");
  EXPECT_EQ(shown(R"({"source":"s","type":"t\u001b[2J","time":"x","data":null,"seq":8,"cause":null})"),
            R"(x  8  t\x1b[2J  s)");
}

TEST(EventText, a_draft_becomes_a_cloud_event) {
  EXPECT_EQ(
      cloud_event({.id = "1", .source = "/s", .type = "a.b", .subject = {}, .topic_version = {}, .data = {}}),
      R"({"specversion":"1.0","id":"1","source":"/s","type":"a.b"})");
  EXPECT_EQ(
      cloud_event(
          {.id = "1", .source = "/s", .type = "a.b", .subject = "x", .topic_version = 2, .data = "[1]"}),
      R"({"specversion":"1.0","id":"1","source":"/s","type":"a.b","subject":"x","topicversion":2,)"
      R"("datacontenttype":"application/json","data":[1]})");
}

TEST(AgentText, lists_agents_with_what_holds_their_tasks_back) {
  const std::string worker =
      R"({"name":"scan","kind":"worker","timeout":"30s","retry":{"max_attempts":3,"backoff":"exponential","initial":"200ms",)"
      R"("max":"30s","jitter":0.2},"queued":4,"handed_out":2,"waiting_polls":1,"breaker":"half_open","concurrency":2,)"
      R"("rate_limit":"60/m","idle_timeout":null,"fallback":["slow","cache"],"subscribes":["file.*"],"publishes":[],)"
      R"("state":{"read":["case.*"],"write":[]},"workers":[{"worker":"w.1","last_seen":"2026-03-01T09:30:00.000Z","handed_out":2}]})";
  const std::string process =
      R"({"name":"sh","kind":"process","queued":0,"handed_out":0,"breaker":"none","workers":[]})";
  EXPECT_EQ(agents_table({worker, process}, 0),
            R"(AGENT  KIND     QUEUED  HANDED OUT  WORKERS  BREAKER    LIMITS
scan   worker   4       2           1        half_open  2 at once, 60/m
sh     process  0       0
)");
  EXPECT_EQ(agent_details(worker, 0), R"(agent         scan
kind          worker
queued        4
handed out    2
polling       1
breaker       half_open
limits        2 at once, 60/m
timeout       30s
retry         3 attempts, exponential pauses from 200ms to 30s
fallback      slow, then cache
subscribes to file.*
reads state   case.*

WORKER  LAST SEEN                 HANDED OUT
w.1     2026-03-01T09:30:00.000Z  2
)");
}

constexpr std::string_view kTax =
    R"({"wall_ms":1000,"work_ms":750,"tax_ms":250,"tax_ratio":0.25,"parts":{"admit":0.5,"queue":100,"dispatch":20,)"
    R"("persist":30,"decide":1.25,"backoff":98.25},"messages":12,"context_bytes":12345,"repeated_context_bytes":300,"tokens":1500,)"
    R"("critical_path":[{"step":"scan","item":1,"attempt":2,"started_at":"2026-03-01T09:30:00.000Z",)"
    R"("ended_at":"2026-03-01T09:30:00.900Z","work_ms":750}]})";

std::string drawn(std::string_view tax, const TaxLayout& layout) {
  std::string text = "\n";
  for (const StyledLine& line : tax_lines(tax, layout))
    text += render(line, layout.columns, Colour::off) + "\n";
  return text;
}

TEST(TaxText, draws_each_part_as_a_share_of_the_whole) {
  EXPECT_EQ(drawn(kTax, {.columns = 48, .symbols = Symbols::unicode}), R"(
wall          1.0s  100.0%  ████████████████████
work         750ms   75.0%  ███████████████
tax          250ms   25.0%  █████
  admit     0.50ms    0.1%
  queue      100ms   10.0%  ██
  dispatch    20ms    2.0%  ▍
  persist     30ms    3.0%  ▋
  decide    1.25ms    0.1%
  backoff     98ms    9.8%  ██

12 messages, 12,345 bytes of context (300 repea…
)");
  EXPECT_EQ(drawn(kTax, {.columns = 32, .symbols = Symbols::ascii}), R"(
wall          1.0s  100.0%  ####
work         750ms   75.0%  ###
tax          250ms   25.0%  #
  admit     0.50ms    0.1%
  queue      100ms   10.0%
  dispatch    20ms    2.0%
  persist     30ms    3.0%
  decide    1.25ms    0.1%
  backoff     98ms    9.8%

12 messages, 12,345 bytes of co…
)");
}

TEST(TaxText, of_nothing_there_is_no_share_and_of_garbage_no_crash) {
  for (const std::string_view tax :
       {"{}", "[]", R"({"wall_ms":-5,"parts":7})", R"({"wall_ms":0,"tax_ms":1e300})"}) {
    EXPECT_EQ(tax_lines(tax, {.columns = 10}).size(), 11u) << tax;
    EXPECT_EQ(critical_path_table(tax, 0), "") << tax;
  }
}

TEST(TaxText, lists_the_critical_path) {
  EXPECT_EQ(critical_path_table(kTax, 0), R"(STEP     ATTEMPT  STARTED                   TOOK   WORK
scan[1]  2        2026-03-01T09:30:00.000Z  900ms  750ms
)");
}

TEST(TaxText, an_average_is_of_every_number_and_the_ratio_of_the_means) {
  const std::string other =
      R"({"wall_ms":3000,"work_ms":2950,"tax_ms":50,"tax_ratio":0.016,"parts":{"queue":50},"messages":2,"tokens":0})";
  const auto average = boost::json::parse(average_tax({kTax, other}));
  EXPECT_EQ(average.at("wall_ms").to_number<double>(), 2000);
  EXPECT_EQ(average.at("tax_ms").to_number<double>(), 150);
  EXPECT_EQ(average.at("tax_ratio").to_number<double>(), 0.075);
  EXPECT_EQ(average.at("parts").at("queue").to_number<double>(), 75);
  EXPECT_EQ(average.at("parts").at("dispatch").to_number<double>(), 10);
  EXPECT_EQ(average.at("messages").to_number<double>(), 7);
  EXPECT_EQ(average.at("tokens").to_number<double>(), 750);
  EXPECT_FALSE(average.as_object().contains("critical_path"));
}

}  // namespace
}  // namespace ganglion::cli
