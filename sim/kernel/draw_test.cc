#include "sim/kernel/draw.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace ganglion::sim {
namespace {

using ::testing::ElementsAre;

// What every machine, compiler and optimisation must give; worked out apart from this code.
TEST(DrawTest, its_numbers_are_the_same_everywhere) {
  EXPECT_EQ(mix(0), 0xE220A8397B1DCDAFu);  // the first number of SplitMix64 with seed 0, as published
  EXPECT_EQ(mix(1), 0x910A2DEC89025CC1u);
  EXPECT_EQ(mix(1, 2), 0xBCD9DBB49673066Bu);
  EXPECT_EQ(mix_text(""), 0xC3817C016BA4FF30u);
  EXPECT_EQ(mix_text("engine-1.crash"), 0x9FFB9CA41F3E8DCEu);
  EXPECT_EQ(mix_text("\xC3\xA9"), 0x6E2411EB685090BAu) << "a char may be signed";
  Draw words(42), below(42), between(42), unit(42);
  EXPECT_EQ(words.word(), 0xF34FE9248C9342E5u);
  EXPECT_EQ(words.word(), 0x725395388690AE46u);
  std::vector<std::uint64_t> digits;
  for (int i = 0; i < 10; ++i) digits.push_back(below.below(10));
  EXPECT_THAT(digits, ElementsAre(9, 4, 9, 2, 9, 7, 0, 9, 9, 6));
  std::vector<std::int64_t> numbers;
  for (int i = 0; i < 8; ++i) numbers.push_back(between.between(std::int64_t{-5}, std::int64_t{5}));
  EXPECT_THAT(numbers, ElementsAre(5, -1, 5, -2, 5, 3, -5, 5));
  EXPECT_EQ(unit.unit(), 0x1.e69fd24919268p-1);
  EXPECT_EQ(unit.unit(), 0x1.c94e54e21a42ap-2);
}

TEST(DrawTest, a_copy_goes_on_as_the_original_does) {
  Draw draw(3);
  draw.word();
  Draw copy = draw;
  EXPECT_EQ(draw.word(), copy.word());
  EXPECT_NE(Draw(3).word(), Draw(4).word());
}

TEST(DrawTest, numbers_stay_within_their_bounds_and_reach_both_ends) {
  Draw draw(5);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7'000; ++i) ++seen.at(draw.below(7));
  for (const int count : seen) EXPECT_GT(count, 800);
  bool least = false, most = false;
  for (int i = 0; i < 1'000; ++i) {
    const std::int64_t number = draw.between(std::int64_t{-2}, std::int64_t{2});
    ASSERT_TRUE(number >= -2 && number <= 2);
    least = least || number == -2;
    most = most || number == 2;
  }
  EXPECT_TRUE(least && most);
  EXPECT_EQ(draw.below(1), 0u);
  EXPECT_EQ(draw.between(SimTime(9), SimTime(9)), SimTime(9));
}

TEST(DrawTest, the_widest_bounds_are_no_overflow) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  Draw draw(5);
  bool negative = false, positive = false;
  for (int i = 0; i < 100; ++i) {
    const std::int64_t number = draw.between(kLeast, kMost);
    negative = negative || number < 0;
    positive = positive || number > 0;
    EXPECT_LE(draw.between(kLeast, std::int64_t{0}), 0);
    EXPECT_GE(draw.between(std::int64_t{0}, kMost), 0);
  }
  EXPECT_TRUE(negative && positive);
}

TEST(DrawTest, a_unit_is_at_least_0_and_below_1) {
  Draw draw(6);
  double sum = 0;
  for (int i = 0; i < 10'000; ++i) {
    const double unit = draw.unit();
    ASSERT_TRUE(unit >= 0 && unit < 1);
    sum += unit;
  }
  EXPECT_NEAR(sum / 10'000, 0.5, 0.02);
  // The largest word of all, as unit() makes a number of it.
  EXPECT_LT(static_cast<double>(std::numeric_limits<std::uint64_t>::max() >> 11) * 0x1.0p-53, 1.0);
}

TEST(DrawTest, what_is_certain_happens_and_what_is_impossible_does_not) {
  Draw draw(7);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(draw.chance(1));
    EXPECT_FALSE(draw.chance(0));
  }
}

}  // namespace
}  // namespace ganglion::sim
