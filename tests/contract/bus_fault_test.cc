// What a bus makes of a real broker that is killed, stopped, or short of memory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "contract/bus_servers.h"

namespace ganglion::testing {
namespace {

using std::chrono::milliseconds;

const std::string kQueue = "queue";
constexpr BusTimings kPatient{.patience = milliseconds(120'000), .silence = milliseconds(5'000)};

class BusFaults : public ::testing::TestWithParam<BusServerKind> {
 protected:
  std::unique_ptr<Bus> connect(BusTimings timings) {
    return server_.connect(loop_, server_.process().port(), prefix_, timings);
  }

  BusTimings impatient() const {
    return {.patience = GetParam().least_patience, .silence = milliseconds(3'000)};
  }

  // A queue that survives a kill. RabbitMQ 3.10 writes down a moment after it has answered which log is
  // whose.
  void declare_for_good(BusDriver& driver) {
    ASSERT_TRUE(driver.declare(kQueue));
    if (GetParam().name == "rabbitmq") turn_until([] { return false; }, milliseconds(2'000));
  }

  // Whether it became true in time.
  bool turn_until(const std::function<bool()>& condition, milliseconds time) {
    bool over = false;
    const TimerId timer = loop_.clock().at(loop_.clock().now() + time, [&over] { over = true; });
    loop_.run_until([&] { return over || condition(); });
    loop_.clock().cancel(timer);
    return condition();
  }

  BusServer& server_ = GetParam().server();
  const std::string prefix_ = fresh_prefix();
  TestLoop loop_;
};

// Publishes messages with numbers, some at a time, and keeps those that were confirmed.
class Publishing {
 public:
  Publishing(Bus& bus, std::string prefix) : bus_(bus), prefix_(std::move(prefix)) {
    for (int i = 0; i < kAtATime; ++i) publish_next();
  }

  void stop() { stopped_ = true; }
  bool at_rest() const { return on_their_way_ == 0; }
  const std::set<std::string>& confirmed() const { return confirmed_; }

 private:
  static constexpr int kAtATime = 20;

  void publish_next() {
    if (stopped_) return;
    ++on_their_way_;
    const std::string id = prefix_ + std::to_string(++last_);
    bus_.publish(kQueue, bus_message(id), [this, id](const Result<void>& result) {
      --on_their_way_;
      if (result) confirmed_.insert(id);
      publish_next();
    });
  }

  Bus& bus_;
  const std::string prefix_;
  int last_ = 0;
  int on_their_way_ = 0;
  bool stopped_ = false;
  std::set<std::string> confirmed_;
};

TEST_P(BusFaults, NothingConfirmedIsLostWhenTheBrokerIsKilled) {
  const auto publisher = connect(kPatient);
  const auto consumer = connect(kPatient);
  auto hoarder = connect(kPatient);
  BusDriver driver(loop_, *publisher);
  declare_for_good(driver);
  driver.publish_all(kQueue, {"hoarded"});
  Inbox hoard(loop_);
  hoarder->consume(kQueue, 1, hoard.consumer());
  EXPECT_FALSE(hoard.next().redelivered);
  std::map<std::string, bool> seen;  // whether the last delivery was marked
  consumer->consume(kQueue, 10, [&](Delivery delivery) {
    seen[delivery.message.id] = delivery.redelivered;
    consumer->acknowledge(delivery.tag);
  });
  Publishing before(*publisher, "before");
  loop_.run_until([&] { return before.confirmed().size() >= 100 && seen.size() >= 50; });
  server_.process().kill();
  hoarder.reset();
  server_.process().start();

  Publishing after(*publisher, "after");
  loop_.run_until([&] { return after.confirmed().size() >= 100; });
  before.stop();
  after.stop();
  loop_.run_until([&] { return before.at_rest() && after.at_rest(); });
  const auto is_seen = [&](const std::string& id) { return seen.contains(id); };
  loop_.run_until([&] {
    return std::ranges::all_of(before.confirmed(), is_seen) &&
           std::ranges::all_of(after.confirmed(), is_seen) && is_seen("hoarded");
  });
  EXPECT_TRUE(seen["hoarded"]);
}

TEST_P(BusFaults, APublicationIsAnsweredInTimeThoughTheBrokerIsGone) {
  const auto bus = connect(impatient());
  BusDriver driver(loop_, *bus);
  declare_for_good(driver);
  server_.process().kill();
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(driver.publish(kQueue, bus_message("m1")).error().code, "unavailable");
  EXPECT_EQ(driver.depth(kQueue).error().code, "unavailable");
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(10'000));
  server_.process().start();
  while (!driver.publish(kQueue, bus_message("m2"))) continue;
  Inbox inbox(loop_);
  bus->consume(kQueue, 1, inbox.consumer());
  EXPECT_THAT(inbox.next().message.id, ::testing::AnyOf("m1", "m2"));
}

TEST_P(BusFaults, APublicationIsAnsweredInTimeThoughTheBrokerHangs) {
  const auto bus = connect(impatient());
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare(kQueue));
  Inbox inbox(loop_);
  bus->consume(kQueue, 100, inbox.consumer());
  server_.process().pause();
  EXPECT_EQ(driver.publish(kQueue, bus_message("m1")).error().code, "unavailable");
  EXPECT_EQ(driver.depth(kQueue).error().code, "unavailable");
  server_.process().resume();
  while (!driver.publish(kQueue, bus_message("m2"))) continue;
  while (inbox.next().message.id != "m2") continue;
}

// A broker that hangs longer than `silence` is given up, and found again.
TEST_P(BusFaults, EverythingGoesOnAfterABrokerThatHungForLong) {
  const auto bus = connect(impatient());
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare(kQueue));
  Inbox inbox(loop_);
  bus->consume(kQueue, 100, inbox.consumer());
  int lost = 0;
  ASSERT_TRUE(driver.listen("t", [](const BusMessage&) {}, [&] { ++lost; }));
  server_.process().pause();
  turn_until([] { return false; }, 2 * impatient().silence);
  server_.process().resume();
  loop_.run_until([&] { return lost == 1; });
  while (!driver.publish(kQueue, bus_message("m1"))) continue;
  while (inbox.next().message.id != "m1") continue;
}

TEST_P(BusFaults, ABrokerThatIsShortOfMemoryTakesNothingAndGivesWhatItHas) {
  const auto bus = connect(impatient());
  BusDriver driver(loop_, *bus);
  ASSERT_TRUE(driver.declare(kQueue));
  driver.publish_all(kQueue, numbered("m", 5));
  server_.starve();
  // RabbitMQ notices who publishes by a publication, and may have taken that.
  Result<void> refused;
  while (refused) refused = driver.publish(kQueue, bus_message("refused"));
  EXPECT_EQ(refused.error().code, "unavailable");
  std::set<std::string> seen;
  bus->consume(kQueue, 1, [&](Delivery delivery) {
    seen.insert(delivery.message.id);
    bus->acknowledge(delivery.tag);
  });
  loop_.run_until([&] { return seen.contains("m4"); });
  EXPECT_EQ(driver.publish(kQueue, bus_message("refused")).error().code, "unavailable");
  server_.feed();
  while (!driver.publish(kQueue, bus_message("taken"))) continue;
  loop_.run_until([&] { return seen.contains("taken"); });
}

INSTANTIATE_TEST_SUITE_P(Servers, BusFaults, ::testing::ValuesIn(installed_bus_servers()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace ganglion::testing
