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
  expect_round_trip(
      TaskWaiting{m, ItemIndex(3), Attempt(4), ForPerson{{"a\"nn", "bob"}, odd, "00ff", "legal"}, 2, 3});
  expect_round_trip(TaskWaiting{a, ItemIndex(0), Attempt(1), ForPerson{{}, Payload(), "00ff", ""}});
  expect_round_trip(
      TaskWaiting{a, ItemIndex(0), Attempt(1), ForEvent{"order.**", 9'223'372'036'854'775'807U}});
  expect_round_trip(TaskRouted{a, ItemIndex(0), Attempt(0), "r", "x", RoutedBy::rule, "(?i)\\b\"x", odd});
  expect_round_trip(TaskRouted{
      m, ItemIndex(3), Attempt(2), "r", "x", RoutedBy::otherwise, "", {}, Payload("{\"usd\":0.1}")});
  expect_round_trip(ApprovalDecided{a, ItemIndex(0), Attempt(1), false, "ann", "no\n", "00ff"});
  expect_round_trip(SignalReceived{"id\"1", "go", odd});
  expect_round_trip(EventDelivered{m, ItemIndex(3), Attempt(1), "id", 7});
  expect_round_trip(EventDelivered{a, ItemIndex(0), Attempt(1), "id", std::nullopt});
  expect_round_trip(EventPublished{m, ItemIndex(3), "9", "file.made", 2, odd});
  expect_round_trip(StateChanged{m, ItemIndex(3), {"case.a", odd, kNow}});
  expect_round_trip(StateChanged{a, ItemIndex(0), {"case.a", std::nullopt, std::nullopt}});
  expect_round_trip(RunForked{RunId::make(kNow, 1, 2), 17, "a", odd});
  expect_round_trip(RunForked{RunId::make(kNow, 1, 2), 17, "a"});
  expect_round_trip(RunPaused{a, true});
  TaskScheduled full{m, ItemIndex(3), Attempt(7), "worker", odd};
  full.role = TaskRole::classify;
  full.link = 2;
  full.iteration = 3;
  full.reserved = Budget{.tokens = 1.5e9, .usd = 0.1};
  full.state_version = 4;
  full.cache_key = "00ff";
  full.router = "r";
  expect_round_trip(full);
  expect_round_trip(TaskSucceeded{
      a, ItemIndex(0), Attempt(2), odd, {}, "w-1", kNow, true, kNow - Duration(5), Duration(17)});
  expect_round_trip(
      TaskFailed{a, ItemIndex(0), Attempt(1), error, {}, "", kNow, true, Payload("{}"), kNow, Duration(0)});
  RunCreated child{.workflow = "w", .definition = "d", .input = odd};
  RunOrigin& origin = child.origin.edit();
  origin.parent = AttemptToken{RunId::make(kNow, 1, 2), a, ItemIndex(4), Attempt(2)};
  origin.depth = 3;
  origin.cause = EventCause{12, 4};
  origin.budget = Budget{.tokens = {}, .usd = 0.25};
  expect_round_trip(child);
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

TEST_F(EventCodec, ASleepOfTheFirstVersionIsAWait) {
  const JournalEntry old{.seq = 2,
                         .at = kNow,
                         .type = "step_sleeping",
                         .step = "a",
                         .item = {},
                         .attempt = {},
                         .data = R"({"until":"2023-11-14T22:13:25.123Z"})"};
  const auto decoded = decode(old, workflow);
  ASSERT_TRUE(decoded);
  const auto& waiting = std::get<TaskWaiting>(*decoded);
  EXPECT_EQ(waiting.step, a);
  EXPECT_EQ(waiting.attempt, Attempt(1));
  EXPECT_EQ(std::get<UntilTime>(waiting.wait).until, kNow + Duration(5000));
}

// In the first version a sleep ended with `step_completed`.
TEST_F(EventCodec, AJournalOfTheFirstVersionWithASleepIsFolded) {
  const auto sleeping = ProjectBuilder().sleep_step("s", {}, "5s").build();
  const WorkflowDefinition& w = sleeping->workflows.at("w");
  std::vector<JournalEntry> journal = {
      encode(RunCreated{.workflow = "w", .definition = "d0", .input = Payload("{}")}, 1, kNow, w),
      {.seq = 2,
       .at = kNow,
       .type = "step_sleeping",
       .step = "s",
       .item = {},
       .attempt = {},
       .data = R"({"until":"2023-11-14T22:13:25.123Z"})"}};
  const RunId id = RunId::make(kNow, 1, 1);
  EXPECT_EQ(fold(id, sleeping, journal).value()->next_wakeup(), kNow + Duration(5000));
  journal.push_back(encode(StepCompleted{StepIndex(0), Payload(), std::nullopt}, 3, kNow, w));
  journal.push_back(encode(RunCompleted{Payload("{}")}, 4, kNow, w));
  EXPECT_EQ(fold(id, sleeping, journal).value()->status(), "completed");
}

// A damaged journal is an error, whatever is missing.
TEST_F(EventCodec, AnEntryWithoutItsMembersIsRefused) {
  for (const char* type : {"task_waiting", "task_routed", "approval_decided", "signal_received",
                           "event_delivered", "event_published", "state_changed", "run_forked"}) {
    for (const char* data : {"{}", R"({"for":"person"})", R"({"for":"event"})", R"({"for":"moon"})"}) {
      const JournalEntry entry{
          .seq = 2, .at = kNow, .type = type, .step = "a", .item = {}, .attempt = 1, .data = data};
      EXPECT_NE(complaint(entry), "") << type << " " << data;
    }
  }
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
