#include "adapters/postgres/write_queue.h"

#include <gmock/gmock.h>

namespace ganglion::postgres {
namespace {

Write write_of_bytes(std::size_t bytes) {
  Write write;
  write.calls.push_back({nullptr, std::move(Params().add_bytes(std::string(bytes, 'x')))});
  return write;
}

Write alone() {
  Write write;
  write.alone = true;
  return write;
}

TEST(WriteQueue, AGroupHasABoundedNumberOfWritesAndBytes) {
  WriteQueue queue(kMaxQueuedBytes);
  for (std::size_t i = 0; i < kMaxGroupWrites + 1; ++i) queue.push(Write());
  EXPECT_EQ(queue.take_group().size(), kMaxGroupWrites);
  EXPECT_EQ(queue.take_group().size(), 1u);
  for (int i = 0; i < 3; ++i) queue.push(write_of_bytes(kMaxGroupBytes / 2));
  EXPECT_EQ(queue.take_group().size(), 2u);
}

TEST(WriteQueue, WhatMustBeAloneIs) {
  WriteQueue queue(kMaxQueuedBytes);
  queue.push(Write());
  queue.push(alone());
  queue.push(alone());
  queue.push(Write());
  for (int i = 0; i < 4; ++i) EXPECT_EQ(queue.take_group().size(), 1u);
  EXPECT_TRUE(queue.empty());
}

TEST(WriteQueue, WhatDoesNotFitIsRefusedInItsTurnAndGivesItsMemoryBack) {
  WriteQueue queue(10'000);
  queue.push(write_of_bytes(8'000));
  queue.push(write_of_bytes(8'000));
  queue.push(write_of_bytes(100));
  const std::vector<Write> group = queue.take_group();
  ASSERT_EQ(group.size(), 3u);
  EXPECT_EQ(group[0].refused, "");
  EXPECT_NE(group[1].refused, "");
  EXPECT_TRUE(group[1].calls.empty());
  EXPECT_EQ(group[2].refused, "");
}

TEST(WriteQueue, OneThatIsLargerThanAllowedFitsWhereNothingWaits) {
  WriteQueue queue(1'000);
  queue.push(write_of_bytes(8'000));
  EXPECT_EQ(queue.take_group().at(0).refused, "");
}

}  // namespace
}  // namespace ganglion::postgres
