// Recordings: journals become answers, and runs become arrivals.

#include "sim/scenario/recorded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/event_codec.h"
#include "core/run_json.h"
#include "sim/scenario/scenario_testing.h"

namespace ganglion::scenario {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::Key;
using ::testing::Pair;
using ::testing::SizeIs;

// A journal as the API gives it: what happened a second after the other.
class Journal {
 public:
  explicit Journal(std::string workflow = "order", Timestamp start = Timestamp(1'000'000))
      : definition_(project_of_tests().workflows.at(workflow)), at_(start) {
    add(RunCreated{.workflow = std::move(workflow), .definition = "d", .input = Payload(R"({"id":1})")});
  }

  Journal& add(const Event& event) {
    text_ += entry_json(encode(event, ++seq_, at_, definition_)) + "\n";
    at_ = at_ + seconds(1);
    return *this;
  }
  Journal& asks(std::uint32_t attempt, std::optional<Payload> input, TaskRole role = TaskRole::work) {
    return add(TaskScheduled{.step = StepIndex(0),
                             .item = ItemIndex(0),
                             .attempt = Attempt(attempt),
                             .agent = "scan",
                             .input = std::move(input),
                             .role = role});
  }
  Journal& fails(std::uint32_t attempt, std::string code, bool again) {
    return add(TaskFailed{.step = StepIndex(0),
                          .item = ItemIndex(0),
                          .attempt = Attempt(attempt),
                          .error = {std::move(code), "why"},
                          .retry_at = again ? std::optional(at_) : std::nullopt,
                          .worker = "w",
                          .started_at = at_ - milliseconds(300)});
  }
  Journal& succeeds(std::uint32_t attempt, std::string output) {
    return add(TaskSucceeded{.step = StepIndex(0),
                             .item = ItemIndex(0),
                             .attempt = Attempt(attempt),
                             .output = Payload(std::move(output)),
                             .usage = Payload(R"({"tokens":7})"),
                             .worker = "w",
                             .started_at = at_ - milliseconds(300),
                             .work = milliseconds(120)});
  }

  const std::string& text() const { return text_; }

 private:
  const WorkflowDefinition& definition_;
  Timestamp at_;
  std::uint64_t seq_ = 0;
  std::string text_;
};

const Place kScan{"order", "scan", std::nullopt, 1};

const RecordedAnswer& nth(const Recording& recording, const Payload& input, std::uint64_t used) {
  return recording.answer(*recording.find(kScan, input), used);
}

TEST(RecordedAnswers, follow_a_task_from_attempt_to_attempt) {
  const Payload input(R"({"n":1})");
  Journal journal;
  journal.asks(1, input).fails(1, "upstream", true).asks(2, std::nullopt).succeeds(2, R"({"ok":true})");
  const auto recordings = read_recorded_answers(journal.text());
  ASSERT_TRUE(recordings);
  ASSERT_THAT(*recordings, ElementsAre(Key("scan")));
  const Recording& scan = recordings->at("scan");
  ASSERT_EQ(scan.size(), 2u);
  const auto& failure = std::get<TaskFailure>(nth(scan, input, 0).outcome);
  EXPECT_EQ(failure.code, "upstream");
  EXPECT_TRUE(failure.retryable);
  EXPECT_EQ(nth(scan, input, 0).took, milliseconds(300));
  const auto& success = std::get<TaskSuccess>(nth(scan, input, 1).outcome);
  EXPECT_EQ(success.output, Payload(R"({"ok":true})"));
  EXPECT_EQ(success.usage, Payload(R"({"tokens":7})"));
  EXPECT_EQ(nth(scan, input, 1).took, milliseconds(120));
}

TEST(RecordedAnswers, of_a_timeout_are_silence_and_those_of_the_engine_none) {
  const Payload input("1");
  Journal journal;
  journal.asks(1, input).fails(1, "timeout", true).asks(2, std::nullopt).fails(2, "circuit_open", true);
  journal.asks(3, std::nullopt, TaskRole::recall).succeeds(3, "5");
  const auto recordings = read_recorded_answers(journal.text());
  ASSERT_TRUE(recordings);
  ASSERT_EQ(recordings->at("scan").size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Hung>(nth(recordings->at("scan"), input, 0).outcome));
}

TEST(RecordedAnswers, of_several_runs_stand_one_after_the_other) {
  const auto recordings =
      read_recorded_answers(Journal().asks(1, Payload("1")).succeeds(1, "10").text() + "\n" +
                            Journal().asks(1, Payload("2")).succeeds(1, "20").text());
  ASSERT_TRUE(recordings);
  EXPECT_EQ(std::get<TaskSuccess>(nth(recordings->at("scan"), Payload("2"), 0).outcome).output,
            Payload("20"));
  // Of an input that nobody asked about: in the order of the place.
  EXPECT_EQ(std::get<TaskSuccess>(nth(recordings->at("scan"), Payload("3"), 1).outcome).output,
            Payload("20"));
}

TEST(RecordedAnswers, say_in_which_line_they_are_wrong) {
  const auto error_of = [](const std::string& text) {
    const auto read = read_recorded_answers(text);
    return read ? "" : std::to_string(read.error().line) + ": " + read.error().message;
  };
  EXPECT_EQ(error_of("\n\n[1]\n"), "3: expected one JSON object on each line");
  EXPECT_EQ(error_of("{\"a\":"), "1: expected one JSON object on each line");
  EXPECT_EQ(error_of("{\"a\":1}"), "1: no entry of a journal: it has no \"type\" and \"at\"");
  EXPECT_EQ(error_of(R"({"type":"task_failed","at":"2026-03-01T09:30:00.000Z","data":{}})"),
            "1: a journal begins with run_created, not task_failed");
  EXPECT_EQ(error_of(""), "");
}

TEST(RecordedRuns, come_at_their_times_after_the_first) {
  const auto runs = read_recorded_runs(Journal("order", Timestamp(5'000)).text() +
                                       Journal("other", Timestamp(2'000)).asks(1, Payload("1")).text());
  ASSERT_TRUE(runs);
  ASSERT_THAT(*runs, SizeIs(2));
  EXPECT_EQ((*runs)[0].workflow, "other");
  EXPECT_EQ((*runs)[0].offset, Duration(0));
  EXPECT_EQ((*runs)[1].workflow, "order");
  EXPECT_EQ((*runs)[1].offset, seconds(3));
  EXPECT_EQ((*runs)[1].input, Payload(R"({"id":1})"));
}

TEST(RecordedRuns, may_be_whole_runs) {
  const auto runs = read_recorded_runs(
      R"({"id":"x","workflow":"order","created_at":"2026-03-01T09:30:00.000Z","input":[1],"session_id":"s","labels":{"a":"\u0062"},"parent":null,"cause":null})");
  ASSERT_TRUE(runs);
  ASSERT_THAT(*runs, SizeIs(1));
  EXPECT_EQ(runs->front().input, Payload("[1]"));
  EXPECT_EQ(runs->front().session_id, "s");
  EXPECT_THAT(runs->front().labels, ElementsAre(Pair("a", "b")));
}

TEST(RecordedRuns, leave_out_what_other_runs_and_events_started) {
  const auto runs = read_recorded_runs(
      R"({"workflow":"order","created_at":"2026-03-01T09:30:00.000Z","input":1,"parent":{"run_id":"x"},"cause":null}
{"workflow":"order","created_at":"2026-03-01T09:30:00.000Z","input":1,"parent":null,"cause":{"event":3}})");
  ASSERT_TRUE(runs);
  EXPECT_THAT(*runs, SizeIs(0));
  EXPECT_EQ(read_recorded_runs("{}").error().message,
            "neither an entry of a journal nor a run with \"workflow\" and \"created_at\"");
}

TEST(Recordings, have_a_bound) {
  std::string lines(kMaxRecordedLines + 1, '\n');
  EXPECT_EQ(read_recorded_answers(lines).error().message, "a recording has at most 1000000 lines");
  lines.pop_back();
  EXPECT_TRUE(read_recorded_answers(lines));
}

}  // namespace
}  // namespace ganglion::scenario
