#include "base/rare.h"

#include <gtest/gtest.h>

#include <string>

namespace ganglion {
namespace {

TEST(Rare, ReadsAsADefaultUntilSomebodyWrites) {
  Rare<std::string> rare;
  EXPECT_FALSE(rare.is_present());
  EXPECT_EQ(*rare, "");
  EXPECT_EQ(rare.if_present(), nullptr);
  rare.edit() = "x";
  EXPECT_TRUE(rare.is_present());
  EXPECT_EQ(rare->size(), 1u);
  EXPECT_EQ(*rare.if_present(), "x");
}

TEST(Rare, CopiesTheValue) {
  const Rare<std::string> first(std::string("x"));
  Rare<std::string> second = first;
  second.edit() = "y";
  EXPECT_EQ(*first, "x");
  second = first;
  EXPECT_EQ(*second, "x");
  second = Rare<std::string>();
  EXPECT_FALSE(second.is_present());
}

TEST(Rare, TakesAPointersRoom) {
  EXPECT_EQ(sizeof(Rare<std::string>), sizeof(void*));
}

}  // namespace
}  // namespace ganglion
