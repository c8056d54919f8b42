#include "cluster/run_consumer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/memory/broker.h"
#include "adapters/memory/bus.h"
#include "adapters/memory/store.h"
#include "agents/pool_fixture.h"

namespace ganglion::cluster {
namespace {

using agents::token_of;
using ::testing::ElementsAre;

class RunConsumerTest : public agents::PoolTest {
 protected:
  Result<void> publish(std::uint32_t item) {
    const TaskReport report{.token = token_of(item),
                            .outcome = TaskFailure{"timeout", "too late", true},
                            .worker = {},
                            .started_at = clock.now()};
    return broker.publish(queue,
                          {.id = {}, .type = kReportType, .reply_to = {}, .body = report_message(report)});
  }

  const std::string queue = coordinator_queue("default");
  memory::Broker broker;
  memory::Bus bus{broker, clock};
  memory::Store store{clock};
  std::vector<AttemptToken> reported;
  RunConsumer consumer{{.bus = bus,
                        .clock = clock,
                        .store = store,
                        .report =
                            [this](TaskReport report, const std::string&, TaskReports::Completion done) {
                              reported.push_back(report.token);
                              done(Verdict::accepted);
                            },
                        .take_up = [](RunNotice, auto heard) { heard(true); },
                        .began = [this](const TaskReport&) { return clock.now(); },
                        .problem = [](const Error& error) { ADD_FAILURE() << error.message; }}};
};

TEST_F(RunConsumerTest, AReportIsPassedOnAndAcknowledged) {
  consumer.serve("default");
  clock.run();
  ASSERT_TRUE(publish(1));
  clock.run();
  EXPECT_THAT(reported, ElementsAre(token_of(1)));
  bus.cut();
  bus.mend();
  clock.run();
  EXPECT_THAT(reported, ElementsAre(token_of(1)));
}

TEST_F(RunConsumerTest, AQueueThatSomebodyHasRemovedIsThereAgainAWhileLater) {
  consumer.serve("default");
  clock.run();
  broker.remove(queue);
  EXPECT_FALSE(publish(1));
  clock.advance(RunConsumerOptions().look_again + Duration(1'000));
  ASSERT_TRUE(publish(1));
  clock.run();
  EXPECT_THAT(reported, ElementsAre(token_of(1)));
}

}  // namespace
}  // namespace ganglion::cluster
