#include "core/retry.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ganglion {
namespace {

const AttemptToken kToken{RunId::make(Timestamp(1), 2, 3), StepIndex(0), ItemIndex(0), Attempt(1)};

TEST(Retry, AnExponentialPauseDoublesUpToItsMaximum) {
  const RetryPolicy policy{.max_attempts = 9,
                           .backoff = Backoff::exponential,
                           .initial = Duration(200),
                           .max = Duration(1000),
                           .jitter = 0};
  EXPECT_EQ(retry_pause(policy, 1, kToken), Duration(200));
  EXPECT_EQ(retry_pause(policy, 2, kToken), Duration(400));
  EXPECT_EQ(retry_pause(policy, 3, kToken), Duration(800));
  EXPECT_EQ(retry_pause(policy, 4, kToken), Duration(1000));
  EXPECT_EQ(retry_pause(policy, 1000, kToken), Duration(1000));
}

RC_GTEST_PROP(Retry, JitterOnlyLengthensAndStaysInItsShare, ()) {
  const auto failures = *rc::gen::inRange<std::uint32_t>(1, 1000);
  RetryPolicy policy{.max_attempts = 1000,
                     .backoff = Backoff::exponential,
                     .initial = Duration(*rc::gen::inRange(0, 5000)),
                     .max = Duration(*rc::gen::inRange(0, 60'000)),
                     .jitter = 0};
  const Duration minimum = retry_pause(policy, failures, kToken);
  policy.jitter = 0.5;
  const Duration pause = retry_pause(policy, failures, kToken);
  RC_ASSERT(pause >= minimum);
  RC_ASSERT(pause.count() <= minimum.count() * 3 / 2 + 1);
  RC_ASSERT(pause == retry_pause(policy, failures, kToken));
}

}  // namespace
}  // namespace ganglion
