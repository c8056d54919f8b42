#include "core/tax.h"

#include <gtest/gtest.h>

#include <memory>

#include "core/context_bytes.h"
#include "core/event_codec.h"
#include "core/testing/project_builder.h"

namespace ganglion {
namespace {

using testing::ProjectBuilder;

constexpr StepIndex kA(0);
constexpr StepIndex kB(1);
constexpr StepIndex kC(2);

// A journal, written line by line; times are milliseconds from the creation of the run.
class TaxTest : public ::testing::Test {
 protected:
  TaxTest()
      : project_(ProjectBuilder()
                     .agent_step("a", {})
                     .agent_step("b", {})
                     .agent_step("c", {.needs = {"a", "b"}})
                     .build()),
        workflow_(project_->workflows.at("w")) {
    RunCreated created;
    created.workflow = "w";
    add(0, created);
  }

  void add(std::int64_t at, const Event& event) {
    journal_.push_back(encode(event, journal_.size() + 1, Timestamp(kStart + at), workflow_));
  }
  void scheduled(std::int64_t at, StepIndex step, std::uint32_t attempt = 1, const std::string& input = "1",
                 TaskRole role = TaskRole::work) {
    TaskScheduled event;
    event.step = step;
    event.attempt = Attempt(attempt);
    event.agent = "worker";
    event.role = role;
    if (attempt == 1) event.input = Payload(input);
    add(at, event);
  }
  struct Times {
    std::int64_t queued, started;
    std::optional<std::int64_t> work = {};
  };
  template <typename End>
  void ended(std::int64_t at, End event, StepIndex step, std::uint32_t attempt, const Times& times) {
    event.step = step;
    event.attempt = Attempt(attempt);
    event.started_at = Timestamp(kStart + times.started);
    event.queued_at = Timestamp(kStart + times.queued);
    if (times.work) event.work = Duration(*times.work);
    add(at, event);
  }
  void succeeded(std::int64_t at, StepIndex step, const Times& times, std::uint32_t attempt = 1) {
    TaskSucceeded event;
    event.output = Payload("1");
    ended(at, event, step, attempt, times);
  }
  void failed(std::int64_t at, StepIndex step, const Times& times, std::optional<std::int64_t> retry_at,
              std::uint32_t attempt = 1) {
    TaskFailed event;
    event.error = {"broken", "it broke"};
    if (retry_at) event.retry_at = Timestamp(kStart + *retry_at);
    ended(at, event, step, attempt, times);
  }
  void completed(std::int64_t at) { add(at, RunCompleted{Payload("1")}); }

  Tax tax() {
    const auto result = tax_of(journal_, workflow_);
    EXPECT_TRUE(result) << result.error().message;
    const TaxParts& parts = result->parts;
    // What holds of every run.
    const Duration sum =
        parts.admit + parts.queue + parts.dispatch + parts.persist + parts.decide + parts.backoff;
    EXPECT_EQ(sum + result->work, result->wall);
    EXPECT_LE(result->repeated_context_bytes, result->context_bytes);
    return *result;
  }
  static std::string path(const Tax& tax) {
    std::string text;
    for (const PathEntry& entry : tax.critical_path) text += entry.step + std::to_string(entry.attempt) + " ";
    return text;
  }

  static constexpr std::int64_t kStart = 1'700'000'000'000;
  std::shared_ptr<const Project> project_;
  const WorkflowDefinition& workflow_;
  std::vector<JournalEntry> journal_;
};

TEST_F(TaxTest, one_attempt_has_all_parts_but_backoff) {
  scheduled(5, kA);
  succeeded(100, kA, {.queued = 8, .started = 20, .work = 70});
  completed(104);
  const Tax got = tax();
  EXPECT_EQ(got.wall, Duration(104));
  EXPECT_EQ(got.parts.admit, Duration(5));
  EXPECT_EQ(got.parts.persist, Duration(3));
  EXPECT_EQ(got.parts.queue, Duration(12));
  EXPECT_EQ(got.parts.dispatch, Duration(10));
  EXPECT_EQ(got.work, Duration(70));
  EXPECT_EQ(got.parts.decide, Duration(4));
  EXPECT_EQ(got.messages, 2u);
}

TEST_F(TaxTest, without_a_measure_all_of_an_attempt_is_work_and_more_than_there_was_is_not_believed) {
  scheduled(0, kA);
  succeeded(100, kA, {.queued = 0, .started = 0});
  scheduled(100, kC);
  succeeded(200, kC, {.queued = 100, .started = 100, .work = 999});
  completed(200);
  EXPECT_EQ(tax().work, Duration(200));
  EXPECT_EQ(tax().parts.dispatch, Duration(0));
}

TEST_F(TaxTest, only_the_longer_of_two_branches_counts) {
  scheduled(0, kA);
  scheduled(0, kB);
  succeeded(30, kA, {.queued = 0, .started = 0});
  succeeded(80, kB, {.queued = 0, .started = 10});
  scheduled(80, kC);
  succeeded(100, kC, {.queued = 80, .started = 80});
  completed(100);
  const Tax got = tax();
  EXPECT_EQ(path(got), "b1 c1 ");
  EXPECT_EQ(got.work, Duration(90));
  EXPECT_EQ(got.parts.queue, Duration(10));
  EXPECT_EQ(got.messages, 6u);
}

TEST_F(TaxTest, a_retry_waits_for_its_backoff_whatever_else_ends_meanwhile) {
  scheduled(0, kA);
  scheduled(0, kB);
  failed(10, kA, {.queued = 0, .started = 0}, 510);
  succeeded(400, kB, {.queued = 0, .started = 0});
  scheduled(512, kA, 2);
  succeeded(600, kA, {.queued = 512, .started = 512}, 2);
  completed(600);
  const Tax got = tax();
  EXPECT_EQ(path(got), "a1 a2 ");
  EXPECT_EQ(got.parts.backoff, Duration(500));
  EXPECT_EQ(got.parts.decide, Duration(2));
  EXPECT_EQ(got.work, Duration(98));
}

TEST_F(TaxTest, times_that_contradict_each_other_never_make_a_part_negative) {
  scheduled(50, kA);
  succeeded(60, kA, {.queued = 10, .started = 900, .work = 5});
  completed(55);  // before the entry that it follows
  tax();
  EXPECT_GE(tax().parts.decide, Duration(0));
}

TEST_F(TaxTest, pauses_and_the_time_before_a_retry_of_the_run_are_left_out) {
  scheduled(0, kA);
  add(10, RunPaused{});
  succeeded(20, kA, {.queued = 0, .started = 0});
  add(1010, RunResumed{});
  scheduled(1010, kC);
  failed(1020, kC, {.queued = 1010, .started = 1010}, std::nullopt);
  add(1020, RunFailed{{"broken", "it broke"}, kC});
  add(9020, RunRetried{});
  scheduled(9020, kC, 2);
  succeeded(9050, kC, {.queued = 9020, .started = 9020}, 2);
  completed(9050);
  const Tax got = tax();
  EXPECT_EQ(got.wall, Duration(50));
  EXPECT_EQ(got.work, Duration(50));
}

TEST_F(TaxTest, waiting_on_purpose_is_no_tax) {
  TaskWaiting waiting;
  waiting.step = kA;
  waiting.attempt = Attempt(1);
  waiting.wait = UntilTime{Timestamp(kStart + 5000)};
  add(0, waiting);
  TaskSucceeded over;
  over.step = kA;
  over.attempt = Attempt(1);
  over.output = Payload("null");
  over.started_at = Timestamp(kStart);
  add(5000, over);
  completed(5000);
  EXPECT_EQ(tax().work, Duration(5000));
  EXPECT_EQ(tax().messages, 0u);
}

TEST_F(TaxTest, what_a_cancelled_run_was_doing_was_work) {
  scheduled(0, kA);
  succeeded(10, kA, {.queued = 0, .started = 0});
  scheduled(10, kC);
  add(500, RunCancelled{"enough"});
  EXPECT_EQ(path(tax()), "a1 c1 ");
  EXPECT_EQ(tax().work, Duration(500));
}

TEST_F(TaxTest, of_an_open_run_the_figures_go_as_far_as_the_journal) {
  EXPECT_EQ(tax().wall, Duration(0));
  EXPECT_TRUE(tax().critical_path.empty());
  scheduled(3, kA);
  EXPECT_EQ(tax().wall, Duration(3));
  EXPECT_EQ(tax().parts.admit, Duration(3));
}

TEST_F(TaxTest, a_fork_counts_from_the_fork) {
  scheduled(0, kA, 1, "\"" + std::string(100, 'x') + "\"");
  succeeded(1000, kA, {.queued = 0, .started = 0});
  RunForked forked;
  forked.seq = 3;
  forked.step = "c";
  add(90'000, forked);
  scheduled(90'001, kC, 1, "[\"" + std::string(100, 'x') + "\"]");
  succeeded(90'011, kC, {.queued = 90'001, .started = 90'001});
  completed(90'011);
  const Tax got = tax();
  EXPECT_EQ(got.wall, Duration(11));
  EXPECT_EQ(path(got), "c1 ");
  EXPECT_EQ(got.messages, 2u);
  EXPECT_EQ(got.context_bytes, 104u);
  EXPECT_EQ(got.repeated_context_bytes, 102u);
}

TEST_F(TaxTest, an_answer_from_the_cache_is_no_message_and_no_work) {
  scheduled(0, kA, 1, "1", TaskRole::cache);
  succeeded(5, kA, {.queued = 0, .started = 0});
  completed(5);
  EXPECT_EQ(tax().messages, 0u);
  EXPECT_EQ(tax().context_bytes, 0u);
  EXPECT_EQ(tax().work, Duration(0));
  EXPECT_EQ(tax().parts.decide, Duration(5));
}

TEST_F(TaxTest, a_journal_that_makes_no_sense_is_an_error) {
  journal_.push_back(journal_.front());
  journal_.back().type = "nonsense";
  EXPECT_EQ(tax_of(journal_, workflow_).error().code, "corrupt_journal");
}

// --- context ---

TEST(ContextMeter, a_retry_repeats_its_whole_input) {
  ContextMeter meter;
  meter.first("12345");
  meter.again("12345");
  EXPECT_EQ(meter.bytes(), 10u);
  EXPECT_EQ(meter.repeated(), 5u);
}

TEST(ContextMeter, values_are_recognised_from_64_bytes_on) {
  const auto text = [](std::size_t bytes) { return "\"" + std::string(bytes - 2, 'x') + "\""; };
  for (const std::size_t size : {63u, 64u}) {
    ContextMeter meter;
    meter.first("{\"a\":" + text(size) + "}");
    EXPECT_EQ(meter.repeated(), 0u);
    meter.first("[1," + text(size) + "]");
    EXPECT_EQ(meter.repeated(), size == 64 ? 64u : 0u) << size;
  }
}

TEST(ContextMeter, the_outermost_known_value_counts_once_and_one_input_does_not_repeat_itself) {
  const std::string inner = "\"" + std::string(80, 'y') + "\"";
  const std::string outer = "{\"deep\": [" + inner + "]}";
  ContextMeter meter;
  meter.first("[" + outer + "," + inner + "]");
  EXPECT_EQ(meter.repeated(), 0u);
  meter.first("{\"x\":" + outer + "}");
  EXPECT_EQ(meter.repeated(), outer.size());
}

TEST(ContextMeter, quotes_and_brackets_in_texts_and_long_names_are_no_values) {
  const std::string tricky = "\"}]{[\\\"" + std::string(80, 'z') + "\"";
  const std::string name = "\"" + std::string(80, 'n') + "\"";
  ContextMeter meter;
  meter.first("{" + name + ":" + tricky + "}");
  meter.first("[" + tricky + "]");
  EXPECT_EQ(meter.repeated(), tricky.size());
  meter.first("{" + name + " : 1}");
  EXPECT_EQ(meter.repeated(), tricky.size());
}

}  // namespace
}  // namespace ganglion
