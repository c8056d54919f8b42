#include "adapters/system/os_random.h"

#include <gtest/gtest.h>

#include <set>

namespace ganglion {
namespace {

TEST(OsRandom, NeverRepeatsItselfAcrossRefillsAndInstances) {
  OsRandom one;
  OsRandom other;
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(one.next());
    seen.insert(other.next());
  }
  EXPECT_EQ(seen.size(), 2000u);
}

TEST(OsRandom, EveryBitIsSometimesSetAndSometimesNot) {
  OsRandom random;
  std::uint64_t ever_set = 0;
  std::uint64_t always_set = ~std::uint64_t{0};
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t value = random.next();
    ever_set |= value;
    always_set &= value;
  }
  EXPECT_EQ(ever_set, ~std::uint64_t{0});
  EXPECT_EQ(always_set, 0u);
}

}  // namespace
}  // namespace ganglion
