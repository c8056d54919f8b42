#include "sim/world/store_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <vector>

namespace ganglion::sim {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

constexpr std::size_t kMost = 4;

class StoreThreadTest : public ::testing::Test {
 protected:
  void write(WorkTime work = 10us, WorkTime sync = 100us) {
    thread_->write(work, sync, [this] { written_.push_back(timeline_.now().count()); });
  }
  void read(WorkTime work = 20us) {
    thread_->read(work, [this] { read_.push_back(timeline_.now().count()); });
  }
  void run(SimTime by) { timeline_.run_until(timeline_.now() + by); }

  Timeline timeline_;
  std::optional<StoreThread> thread_{std::in_place, timeline_, kMost};
  std::vector<std::int64_t> written_, read_;
};

TEST_F(StoreThreadTest, writes_that_wait_share_one_sync) {
  write();
  timeline_.at(SimTime(50), [this] {
    write();
    write();
  });
  run(SimTime(1'000));
  EXPECT_THAT(written_, ElementsAre(110, 230, 230));
  EXPECT_EQ(thread_->groups(), 2u);
  EXPECT_EQ(thread_->worked(), 230us);
  EXPECT_EQ(thread_->synced(), 200us);
}

TEST_F(StoreThreadTest, a_group_has_a_bound) {
  for (std::size_t i = 0; i < kMost + 1; ++i) write();
  run(SimTime(1'000));
  EXPECT_THAT(written_, ElementsAre(140, 140, 140, 140, 250));
}

TEST_F(StoreThreadTest, reads_are_answered_between_two_groups_one_after_the_other) {
  write();
  timeline_.at(SimTime(50), [this] {
    write();
    read();
    read();
  });
  run(SimTime(1'000));
  EXPECT_THAT(read_, ElementsAre(130, 150));
  EXPECT_THAT(written_, ElementsAre(110, 260));
}

TEST_F(StoreThreadTest, at_saturation_it_makes_a_full_group_in_the_time_of_one) {
  constexpr int kWrites = 4'000;
  for (int i = 0; i < kWrites; ++i) write(10us, 60us);
  run(SimTime(kWrites / 4 * 100));
  EXPECT_EQ(written_.size(), static_cast<std::size_t>(kWrites));
  EXPECT_EQ(written_.back(), kWrites / 4 * 100);
}

TEST_F(StoreThreadTest, it_may_end_while_something_waits) {
  write();
  write();
  run(SimTime(10));
  thread_.reset();
  run(SimTime(1'000));
  EXPECT_TRUE(written_.empty());
}

}  // namespace
}  // namespace ganglion::sim
