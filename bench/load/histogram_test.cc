#include "bench/load/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace ganglion::bench {
namespace {

using namespace std::chrono_literals;
using Duration = Histogram::Duration;

TEST(Histogram, KnowsNothingWhileItIsEmpty) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.quantile(0.99), Duration::zero());
  EXPECT_EQ(histogram.mean(), Duration::zero());
}

TEST(Histogram, IsWrongByLessThanOnePerCentFromNanosecondsToAnHour) {
  for (double value = 1; value < 3.6e12; value *= 1.037) {
    Histogram histogram;
    const Duration recorded(static_cast<std::int64_t>(value));
    histogram.record(recorded);
    histogram.record(1h);  // so that the quantile is a bucket's and not the largest value
    const double found = static_cast<double>(histogram.quantile(0.5).count());
    EXPECT_NEAR(found, static_cast<double>(recorded.count()),
                0.005 * static_cast<double>(recorded.count()) + 1e-9);
  }
}

TEST(Histogram, GivesTheQuantilesThatASortedListGives) {
  Histogram histogram;
  std::vector<double> sorted;
  for (int i = 1; i <= 10'000; ++i) {
    const Duration value(static_cast<std::int64_t>(std::exp(i / 700.0) * 1000));
    histogram.record(value);
    sorted.push_back(static_cast<double>(value.count()));
  }
  for (const double of : {0.001, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const double exact = sorted[static_cast<std::size_t>(std::ceil(of * 10'000)) - 1];
    EXPECT_NEAR(static_cast<double>(histogram.quantile(of).count()), exact, exact * 0.01) << of;
  }
  EXPECT_EQ(histogram.quantile(1), histogram.max());
}

TEST(Histogram, TakesWhatIsBeyondItsEndsAsTheEnds) {
  Histogram histogram;
  histogram.record(-5ns);
  EXPECT_EQ(histogram.quantile(1), 0ns);
  histogram.record(100h);
  EXPECT_GT(histogram.max(), 73min);
  EXPECT_LT(histogram.max(), 74min);
}

TEST(Histogram, ComesBackFromItsTextAndAddsUp) {
  Histogram histogram;
  for (int i = 0; i < 1000; ++i) histogram.record(i * 1ms);
  auto read = Histogram::from_text(histogram.text());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->text(), histogram.text());
  read->add(histogram);
  EXPECT_EQ(read->count(), 2000u);
  EXPECT_EQ(read->quantile(0.5), histogram.quantile(0.5));
  EXPECT_EQ(read->mean(), histogram.mean());
}

TEST(Histogram, RefusesATextThatIsNone) {
  for (const char* text : {"", "x", "1", "1 2 99999 1", "1 2 3", "1 2 3 x", "1 2 -1 1"}) {
    EXPECT_FALSE(Histogram::from_text(text)) << text;
  }
}

}  // namespace
}  // namespace ganglion::bench
