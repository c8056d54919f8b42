#include "core/event_codec.h"

#include <gtest/gtest.h>

#include "core/fold.h"
#include "core/testing/project_builder.h"

namespace ganglion {
namespace {

using ganglion::testing::ProjectBuilder;

constexpr Timestamp kNow(1'700'000'000'123);

class EventCodec : public ::testing::Test {
 protected:
  // Encodes, decodes, encodes again: what an entry says survives.
  void expect_round_trip(const Event& event) {
    const JournalEntry entry = encode(event, 7, kNow, workflow);
    const auto decoded = decode(entry, workflow);
    ASSERT_TRUE(decoded) << entry.data << ": " << decoded.error().message;
    EXPECT_EQ(decoded->index(), event.index());
    EXPECT_EQ(encode(*decoded, 7, kNow, workflow), entry);
  }
  std::string complaint(JournalEntry entry) {
    const auto decoded = decode(entry, workflow);
    return decoded ? "" : decoded.error().code + ": " + decoded.error().message;
  }

  std::shared_ptr<const Project> project =
      ProjectBuilder().agent_step("a", {}).agent_step("m", {.for_each = "${{ [1] }}"}).build();
  const WorkflowDefinition& workflow = project->workflows.at("w");
  const StepIndex a{0};
  const StepIndex m{1};
};

TEST_F(EventCodec, EveryEventComesBackAsItWent) {
  const Payload odd("{\"x\":[1.0,1e400,\"\\u00e4\\\"}\"],  \"y\":12345678901234567890}");
  const Error error{"boom", "a \"quoted\"\nline\x01 and ü"};
  expect_round_trip(RunCreated{.workflow = "w",
                               .definition = "d",
                               .input = odd,
                               .session_id = "s\n1",
                               .priority = -3,
                               .labels = {{"k\"", "v\\"}},
                               .traceparent = "00-1-2-01"});
  expect_round_trip(RunCreated{.workflow = "w", .definition = "d", .input = Payload()});
  expect_round_trip(StepStarted{m, Payload("[1, 2]")});
  expect_round_trip(TaskScheduled{m, ItemIndex(3), Attempt(1), "worker", odd});
  expect_round_trip(TaskScheduled{a, ItemIndex(0), Attempt(2), "worker", std::nullopt});
  expect_round_trip(TaskSucceeded{m, ItemIndex(3), Attempt(2), odd, Payload("{\"usd\":0.1}"), "w-1", kNow});
  expect_round_trip(TaskFailed{a, ItemIndex(0), Attempt(1), error, kNow + Duration(5), "w-1", kNow});
  expect_round_trip(TaskFailed{a, ItemIndex(0), Attempt(1), error, std::nullopt, "", kNow});
  expect_round_trip(TaskWaiting{a, ItemIndex(0), Attempt(1), UntilTime{kNow}});
  expect_round_trip(StepCompleted{a, odd, std::nullopt});
  expect_round_trip(StepCompleted{m, std::nullopt, error});
  expect_round_trip(StepFailed{a, error});
  expect_round_trip(StepSkipped{a});
  expect_round_trip(RunPaused{});
  expect_round_trip(RunResumed{});
  expect_round_trip(RunRetried{});
  expect_round_trip(RunCompleted{odd});
  expect_round_trip(RunFailed{error, a});
  expect_round_trip(RunFailed{error, std::nullopt});
  expect_round_trip(RunCancelled{"by \"me\""});
}

TEST_F(EventCodec, APayloadIsKeptByteForByte) {
  const auto decoded = decode(encode(RunCompleted{Payload("{ \"n\" : 1.00 }")}, 1, kNow, workflow), workflow);
  EXPECT_EQ(std::get<RunCompleted>(*decoded).output.bytes(), "{ \"n\" : 1.00 }");
}

TEST_F(EventCodec, AnEntryNamesItsStepAndTheItemOfAMap) {
  const JournalEntry mapped =
      encode(TaskScheduled{m, ItemIndex(3), Attempt(1), "worker", Payload("1")}, 5, kNow, workflow);
  EXPECT_EQ(mapped.type, "task_scheduled");
  EXPECT_EQ(mapped.step, "m");
  EXPECT_EQ(mapped.item, 3u);
  EXPECT_EQ(mapped.attempt, 1u);
  EXPECT_EQ(mapped.data, R"({"agent":"worker","input":1})");
  EXPECT_EQ(
      encode(TaskScheduled{a, ItemIndex(0), Attempt(1), "worker", Payload("1")}, 5, kNow, workflow).item,
      std::nullopt);
}

TEST_F(EventCodec, WhatDoesNotFitIsACorruptJournal) {
  const JournalEntry good{.seq = 2,
                          .at = kNow,
                          .type = "step_failed",
                          .step = "a",
                          .item = {},
                          .attempt = {},
                          .data = R"({"error":{"code":"c","message":"m"}})"};
  EXPECT_EQ(complaint(good), "");
  JournalEntry bad = good;
  bad.type = "step_exploded";
  EXPECT_EQ(complaint(bad),
            "corrupt_journal: journal entry 2 (step_exploded): its type is unknown to this version");
  bad = good;
  bad.step = "z";
  EXPECT_EQ(complaint(bad), "corrupt_journal: journal entry 2 (step_failed): its workflow has no step \"z\"");
  bad = good;
  bad.data = "{\"error\":";
  EXPECT_NE(complaint(bad), "");
  bad.data = "{}";
  EXPECT_EQ(complaint(bad), "corrupt_journal: journal entry 2 (step_failed): its data has no \"error\"");
}

TEST_F(EventCodec, AJournalWithAGapIsRefused) {
  const RunCreated created{.workflow = "w", .definition = "d0", .input = Payload("{}")};
  std::vector<JournalEntry> journal = {encode(created, 1, kNow, workflow),
                                       encode(RunPaused{}, 3, kNow, workflow)};
  const RunId id = RunId::make(kNow, 1, 1);
  EXPECT_EQ(fold(id, project, journal).error().code, "corrupt_journal");
  journal.pop_back();
  EXPECT_TRUE(fold(id, project, journal));
  journal.push_back(encode(created, 2, kNow, workflow));
  EXPECT_EQ(fold(id, project, journal).error().code, "corrupt_journal");
  EXPECT_EQ(fold(id, project, {}).error().code, "corrupt_journal");
}

TEST_F(EventCodec, AnEntryThatDoesNotFitWhatCameBeforeIsRefusedAndNotApplied) {
  const RunId id = RunId::make(kNow, 1, 1);
  const JournalEntry created =
      encode(RunCreated{.workflow = "w", .definition = "d0", .input = Payload("{}")}, 1, kNow, workflow);
  const std::vector<Event> misfits = {TaskSucceeded{a, ItemIndex(0), Attempt(1), Payload("1"), {}, "w", kNow},
                                      TaskScheduled{m, ItemIndex(9), Attempt(1), "worker", Payload("1")},
                                      TaskFailed{m, ItemIndex(0), Attempt(1), {"c", "m"}, {}, "w", kNow},
                                      StepStarted{m, Payload("7")},
                                      StepStarted{a, Payload("[1]")},
                                      RunRetried{}};
  for (const Event& misfit : misfits) {
    const std::vector<JournalEntry> journal = {created, encode(misfit, 2, kNow, workflow)};
    const auto folded = fold(id, project, journal);
    ASSERT_FALSE(folded) << event_type(misfit);
    EXPECT_EQ(folded.error().code, "corrupt_journal");
  }
}

}  // namespace
}  // namespace ganglion
