#include "coordinator/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/memory/store.h"
#include "ports/testing/virtual_clock.h"

namespace ganglion {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class EventLogTest : public ::testing::Test {
 protected:
  EventLogTest() {
    here.open([](const Result<void>&) {});
    there.open([](const Result<void>&) {});
    here.follow([this](const std::vector<TopicEvent>& events) {
      for (const TopicEvent& event : events) heard.push_back(event.seq);
    });
    clock.run();
  }
  void append(EventLog& log, const std::string& id) {
    log.append({{.id = id, .source = "test", .topic = "t", .time = clock.now(), .data = Payload("1")}},
               [](const Result<std::vector<Appended>>& result) { EXPECT_TRUE(result); });
    clock.run();
  }

  testing::VirtualClock clock;
  memory::Store store{clock};
  EventLog here{store, clock};
  EventLog there{store, clock};  // of another process
  std::vector<std::uint64_t> heard;
};

TEST_F(EventLogTest, WhatOthersHaveWrittenAndNobodyHasToldOfIsFoundByLooking) {
  append(there, "a");
  append(there, "b");
  EXPECT_THAT(heard, IsEmpty());
  here.look();
  clock.run();
  EXPECT_THAT(heard, ElementsAre(1, 2));
  here.look();
  append(here, "c");
  EXPECT_THAT(heard, ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace ganglion
