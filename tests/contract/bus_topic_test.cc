// What everybody hears who listens.

#include <gmock/gmock.h>

#include "contract/bus_contract.h"

namespace ganglion::testing {
namespace {

using ::testing::ElementsAre;

// What somebody has heard.
struct Ear {
  std::vector<std::string> ids;
  Bus::Listener listener() {
    return [this](const BusMessage& message) { ids.push_back(message.id); };
  }
};

TEST_P(BusContract, EverybodyHearsWhatIsSaidOnATopic) {
  const auto other = broker_->connect();
  BusDriver other_driver(loop_, *other);
  Ear here;
  Ear there;
  Ear elsewhere;
  EXPECT_TRUE(driver_.listen("runs.ended", here.listener()));
  EXPECT_TRUE(other_driver.listen("runs.ended", there.listener()));
  EXPECT_TRUE(other_driver.listen("runs", elsewhere.listener()));
  bus().broadcast("runs.ended", bus_message("one"));
  bus().broadcast("runs", bus_message("two"));
  other->broadcast("runs.ended", bus_message("three"));
  loop_.run_until([&] { return here.ids.size() == 2 && there.ids.size() == 2 && elsewhere.ids.size() == 1; });
  EXPECT_THAT(here.ids, ::testing::UnorderedElementsAre("one", "three"));
  EXPECT_THAT(elsewhere.ids, ElementsAre("two"));
}

TEST_P(BusContract, TopicsMayHaveColons) {
  Ear domain;
  Ear other;
  EXPECT_TRUE(driver_.listen("members:billing.eu", domain.listener()));
  EXPECT_TRUE(driver_.listen("members:billing", other.listener()));
  bus().broadcast("members:billing", bus_message("one"));
  bus().broadcast("members:billing.eu", bus_message("two"));
  loop_.run_until([&] { return !domain.ids.empty() && !other.ids.empty(); });
  EXPECT_THAT(domain.ids, ElementsAre("two"));
  EXPECT_THAT(other.ids, ElementsAre("one"));
}

TEST_P(BusContract, WhatIsSaidOnATopicComesAsItWasSaid) {
  BusMessage message = bus_message("one");
  message.body += std::string("\0\xff\r\n", 4);
  std::vector<BusMessage> heard;
  EXPECT_TRUE(driver_.listen("t", [&](const BusMessage& said) { heard.push_back(said); }));
  bus().broadcast("t", message);
  loop_.run_until([&] { return !heard.empty(); });
  EXPECT_THAT(heard, ElementsAre(message));
}

TEST_P(BusContract, ATopicKeepsNothingForThoseWhoComeLater) {
  Ear first;
  EXPECT_TRUE(driver_.listen("t", first.listener()));
  bus().broadcast("t", bus_message("one"));
  loop_.run_until([&] { return first.ids.size() == 1; });
  Ear second;
  EXPECT_TRUE(driver_.listen("t", second.listener()));
  bus().broadcast("t", bus_message("two"));
  loop_.run_until([&] { return !second.ids.empty() && first.ids.size() == 2; });
  EXPECT_THAT(second.ids, ElementsAre("two"));
}

TEST_P(BusContract, WhoWasCutOffIsToldThatSomethingMayBeLostAndHearsAgain) {
  const auto remote = broker_->connect();
  BusDriver remote_driver(loop_, *remote);
  Ear ear;
  int lost = 0;
  EXPECT_TRUE(remote_driver.listen("t", ear.listener(), [&] { ++lost; }));
  EXPECT_EQ(lost, 0);
  broker_->cut();
  bus().broadcast("t", bus_message("unheard"));
  broker_->mend();
  loop_.run_until([&] { return lost == 1; });
  bus().broadcast("t", bus_message("heard"));
  loop_.run_until([&] { return !ear.ids.empty() && ear.ids.back() == "heard"; });
  EXPECT_EQ(lost, 1);
}

}  // namespace
}  // namespace ganglion::testing
