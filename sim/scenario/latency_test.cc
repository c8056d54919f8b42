// Draws, latencies and arrival times: the same on every machine, and distributed as they say.

#include "sim/scenario/latency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace ganglion::scenario {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kSamples = 100'000;

std::vector<std::int64_t> sorted_samples(const Latency& latency) {
  const Draws draws(7);
  std::vector<std::int64_t> samples;
  for (std::uint64_t i = 0; i < kSamples; ++i) samples.push_back(sample(latency, draws.word("x", i)).count());
  std::ranges::sort(samples);
  return samples;
}

TEST(Draws, are_the_same_words_everywhere) {
  const Draws draws(42);
  EXPECT_EQ(draws.word("latency"), 1373488221374239715u);
  EXPECT_EQ(draws.word("latency", 3), 2968248251032735497u);
  EXPECT_EQ(draws.at("worker", 2).word("crash"), 3614746350384087208u);
}

TEST(Draws, of_one_name_say_nothing_about_another) {
  const Draws draws(1);
  EXPECT_NE(draws.word("a"), draws.word("b"));
  EXPECT_NE(draws.word("a"), Draws(2).word("a"));
  EXPECT_NE(draws.word("a", 0), draws.word("a", 1));
  EXPECT_NE(draws.at("a").word("b"), draws.at("b").word("a"));
  EXPECT_EQ(draws.at("a", 5).word("b"), draws.at("a", 5).word("b"));
}

TEST(Draws, between_two_numbers_reach_both) {
  EXPECT_EQ(between(3, 5, 0), 3);
  EXPECT_EQ(between(3, 5, ~std::uint64_t{0}), 5);
  EXPECT_EQ(between(-2, -2, 12345), -2);
  EXPECT_EQ(unit_of(0), 0.0);
  EXPECT_LT(unit_of(~std::uint64_t{0}), 1.0);
}

TEST(Chance, happens_never_at_0_and_always_at_1) {
  EXPECT_FALSE(Chance(0).happens(0));
  EXPECT_TRUE(Chance(1).happens(~std::uint64_t{0}));
  EXPECT_TRUE(Chance(0.5).happens(std::uint64_t{1} << 62));
  EXPECT_FALSE(Chance(0.5).happens(std::uint64_t{1} << 63));
}

TEST(Latency, of_one_value_is_that_value) {
  EXPECT_EQ(sample(FixedLatency{milliseconds(80)}, 99), milliseconds(80));
}

TEST(Latency, between_two_bounds_takes_every_value) {
  const auto samples = sorted_samples(UniformLatency{milliseconds(10), milliseconds(12)});
  EXPECT_EQ(samples.front(), 10);
  EXPECT_EQ(samples.back(), 12);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(samples, 11)), kSamples / 3.0, kSamples / 100.0);
}

TEST(Latency, of_percentiles_goes_through_both) {
  const auto samples = sorted_samples(LogNormalLatency{milliseconds(80), milliseconds(900)});
  EXPECT_NEAR(static_cast<double>(samples[kSamples / 2]), 80, 1);
  EXPECT_NEAR(static_cast<double>(samples[kSamples * 99 / 100]), 900, 30);
  // As a log-normal distribution has it: the same factor below the median as above it.
  EXPECT_NEAR(static_cast<double>(samples[kSamples / 100]), 80.0 * 80 / 900, 1);
  EXPECT_NEAR(static_cast<double>(samples[kSamples * 84 / 100]), 80 * std::pow(900.0 / 80, 0.9945 / 2.3263),
              5);
}

TEST(Latency, of_equal_percentiles_is_one_value) {
  const auto samples = sorted_samples(LogNormalLatency{milliseconds(5), milliseconds(5)});
  EXPECT_EQ(samples.front(), 5);
  EXPECT_EQ(samples.back(), 5);
}

TEST(Latency, is_never_longer_than_the_longest) {
  const LogNormalLatency wild{milliseconds(1), kMaxSpan};
  for (const std::uint64_t word : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3},
                                   ~std::uint64_t{0}, ~std::uint64_t{1}}) {
    EXPECT_LE(sample(wild, word), kMaxSpan);
    EXPECT_GE(sample(wild, word), Duration(0));
  }
}

TEST(Latency, is_the_same_on_every_machine) {
  const LogNormalLatency latency{milliseconds(80), milliseconds(900)};
  std::vector<std::int64_t> samples;
  for (std::uint64_t i = 0; i < 8; ++i) samples.push_back(sample(latency, Draws(1).word("x", i)).count());
  EXPECT_THAT(samples, ElementsAre(36, 67, 122, 385, 50, 57, 19, 22));
}

TEST(BinaryLogarithm, is_exact_for_powers_and_near_for_others) {
  EXPECT_EQ(binary_logarithm(1), 0);
  EXPECT_EQ(binary_logarithm(1024), std::int64_t{10} << kFractionBits);
  EXPECT_EQ(binary_logarithm(std::uint64_t{1} << 63), std::int64_t{63} << kFractionBits);
  for (const std::uint64_t x : {3u, 7u, 900u, 123'456'789u}) {
    EXPECT_NEAR(std::ldexp(static_cast<double>(binary_logarithm(x)), -kFractionBits),
                std::log2(static_cast<double>(x)), 1e-6);
  }
}

TEST(Scaled, is_the_inverse_of_the_logarithm) {
  for (const std::uint64_t x : {3u, 900u, 123'456'789u}) {
    EXPECT_NEAR(static_cast<double>(scaled(1'000, binary_logarithm(x))), 1'000.0 * static_cast<double>(x),
                1.0 + static_cast<double>(x) / 100);
  }
  EXPECT_EQ(scaled(8, -(std::int64_t{3} << kFractionBits)), 1u);
  EXPECT_EQ(scaled(1, -(std::int64_t{200} << kFractionBits)), 0u);
  EXPECT_EQ(scaled(1, std::int64_t{200} << kFractionBits), std::uint64_t{1} << 62);
}

TEST(NormalQuantile, is_symmetric_and_grows_towards_the_edges) {
  const auto z = [](std::uint64_t word) {
    return std::ldexp(static_cast<double>(normal_quantile(word)), -kFractionBits);
  };
  const auto tail = [](double p) { return static_cast<std::uint64_t>(std::ldexp(p, 64)) << 1 | 1; };
  EXPECT_NEAR(z(tail(0.01)), 2.32635, 2e-3);
  EXPECT_NEAR(z(tail(0.1587)), 1.0, 2e-3);
  EXPECT_NEAR(z(tail(1e-6)), 4.7534, 2e-3);
  EXPECT_EQ(z(tail(0.01)), -z(tail(0.01) - 1));
  EXPECT_GT(z(1), 6.0);
  EXPECT_NEAR(z(~std::uint64_t{0}), 0.0, 1e-6);
}

TEST(Moments, of_a_rate_come_as_often_as_it_says_and_at_random) {
  const auto times = moments(Rate{milliseconds(200)}, hours(1), 1'000'000, Draws(3));
  EXPECT_NEAR(static_cast<double>(times.size()), 18'000, 400);
  EXPECT_TRUE(std::ranges::is_sorted(times));
  EXPECT_LT(times.back(), hours(1));
  // Of a Poisson process 1/e of the gaps are longer than the average.
  int longer = 0;
  for (std::size_t i = 1; i < times.size(); ++i)
    longer += times[i] - times[i - 1] > milliseconds(200) ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(longer) / static_cast<double>(times.size()), 0.3679, 0.02);
}

TEST(Moments, of_a_rate_of_nothing_never_come) {
  EXPECT_THAT(moments(Rate{}, hours(1), 10, Draws(3)), IsEmpty());
}

TEST(Moments, are_at_most_as_many_as_asked_for) {
  EXPECT_THAT(moments(Rate{std::chrono::nanoseconds(1'000)}, hours(1), 5, Draws(3)), SizeIs(5));
  EXPECT_THAT(moments(Every{milliseconds(1)}, hours(1), 5, Draws(3)), SizeIs(5));
}

TEST(Moments, of_a_clock_begin_at_0) {
  EXPECT_THAT(moments(Every{seconds(20)}, minutes(1), 10, Draws(3)),
              ElementsAre(seconds(0), seconds(20), seconds(40)));
}

TEST(Moments, at_given_times_end_with_the_simulation) {
  EXPECT_THAT(moments(AtTimes{{seconds(0), seconds(10), minutes(1)}}, minutes(1), 10, Draws(3)),
              ElementsAre(seconds(0), seconds(10)));
}

}  // namespace
}  // namespace ganglion::scenario
