#include "cluster/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ganglion::cluster {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const RunId kRun = RunId::make(Timestamp(1'700'000'000'000), 7, 9);

Task task() {
  return {.token = {kRun, StepIndex(1), ItemIndex(2), Attempt(3)},
          .iteration = 4,
          .agent = "scan",
          .definition = "d1",
          .workflow = "main",
          .step = "each",
          .mapped = true,
          .input = Payload(R"({"a": [1, "x\n"]})"),
          .timeout = Duration(1'500),
          .session_id = "s",
          .traceparent = "00-1-2-01",
          .priority = -2,
          .fairness_key = "tenant t",
          .fallback_follows = true,
          .state_version = 8,
          .scheduled_at = Timestamp(1'700'000'000'123)};
}

TEST(Messages, ATaskComesOutAsItWentIn) {
  const Task before = task();
  const auto after = read_task(task_message(before));
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->token, before.token);
  EXPECT_EQ(after->iteration, before.iteration);
  EXPECT_EQ(after->agent, before.agent);
  EXPECT_EQ(after->definition, before.definition);
  EXPECT_EQ(after->workflow, before.workflow);
  EXPECT_EQ(after->step, before.step);
  EXPECT_EQ(after->mapped, before.mapped);
  EXPECT_EQ(after->input, before.input);
  EXPECT_EQ(after->timeout, before.timeout);
  EXPECT_EQ(after->session_id, before.session_id);
  EXPECT_EQ(after->traceparent, before.traceparent);
  EXPECT_EQ(after->priority, before.priority);
  EXPECT_EQ(after->fairness_key, before.fairness_key);
  EXPECT_EQ(after->fallback_follows, before.fallback_follows);
  EXPECT_EQ(after->state_version, before.state_version);
  EXPECT_EQ(after->scheduled_at, before.scheduled_at);
}

TEST(Messages, AReaderIgnoresWhatALaterVersionAdds) {
  std::string json = task_message(task());
  json.insert(1, R"("new":{"of":"later"},)");
  EXPECT_TRUE(read_task(json));
}

TEST(Messages, WhatIsNoTaskIsMalformed) {
  for (const char* json :
       {"", "null", "[]", "{}", "{", R"({"token":"x"})", R"({"token":7})", "{\"token\":\"\xff\"}"}) {
    const auto read = read_task(json);
    ASSERT_FALSE(read) << json;
    EXPECT_EQ(read.error().code, "malformed");
  }
}

TEST(Messages, AReportComesOutAsItWentIn) {
  TaskReport before{
      .token = task().token,
      .outcome = TaskSuccess{.output = Payload(R"({"n": 1})"),
                             .usage = Payload(R"({"tokens":3})"),
                             .events = {{.topic = "file.new", .version = 2, .data = Payload("[1]")}},
                             .state = {{.key = "case.a", .value = Payload("1"), .expires_at = {}},
                                       {.key = "case.b", .value = {}, .expires_at = {}}}},
      .worker = "w-1",
      .started_at = Timestamp(1'700'000'000'001),
      .queued_at = Timestamp(1'700'000'000'000),
      .work = Duration(12)};
  const auto after = read_report(report_message(before));
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->token, before.token);
  EXPECT_EQ(after->worker, "w-1");
  EXPECT_EQ(after->started_at, before.started_at);
  EXPECT_EQ(after->queued_at, before.queued_at);
  EXPECT_EQ(after->work, before.work);
  EXPECT_FALSE(after->by_engine);
  const auto& success = std::get<TaskSuccess>(after->outcome);
  EXPECT_EQ(success.output.bytes(), R"({"n": 1})");
  EXPECT_EQ(success.usage->bytes(), R"({"tokens":3})");
  ASSERT_EQ(success.events.size(), 1u);
  EXPECT_EQ(success.events[0].topic, "file.new");
  EXPECT_EQ(success.events[0].version, 2u);
  ASSERT_EQ(success.state.size(), 2u);
  EXPECT_EQ(success.state[0].value->bytes(), "1");
  EXPECT_FALSE(success.state[1].value);
}

TEST(Messages, AFailureKeepsWhetherItMayBeRepeated) {
  const TaskReport before{.token = task().token,
                          .outcome = TaskFailure{"worker_lost", "it \"died\"", false, {}},
                          .worker = {},
                          .started_at = {},
                          .by_engine = true};
  const auto after = read_report(report_message(before));
  ASSERT_TRUE(after) << after.error().message;
  const auto& failure = std::get<TaskFailure>(after->outcome);
  EXPECT_EQ(failure.code, "worker_lost");
  EXPECT_EQ(failure.message, "it \"died\"");
  EXPECT_FALSE(failure.retryable);
  EXPECT_TRUE(after->by_engine);
}

TEST(Messages, ListsKeepTheirItems) {
  const auto items = read_list(list_message({run_message({kRun, "main"}), "[1,2]", "\"a,b\""}));
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 3u);
  EXPECT_EQ(read_run(items->front())->run, kRun);
  EXPECT_EQ(items->back(), "\"a,b\"");
  EXPECT_THAT(split(join({"a", "b"})), ElementsAre("a", "b"));
  EXPECT_THAT(split(""), IsEmpty());
}

}  // namespace
}  // namespace ganglion::cluster
