#include "host/outage_count.h"

#include <gtest/gtest.h>

namespace ganglion::host {
namespace {

TEST(OutageCount, SaysOnceASecondHowManyTimesItWas) {
  OutageCount outage;
  const Timestamp begin{};
  EXPECT_EQ(outage.another(begin), 1);
  for (int i = 1; i < 1'000; ++i) EXPECT_EQ(outage.another(begin + Duration(i)), std::nullopt);
  EXPECT_EQ(outage.another(begin + Duration(1'000)), 1'000);
  EXPECT_EQ(outage.another(begin + Duration(5'000)), 1);
}

}  // namespace
}  // namespace ganglion::host
