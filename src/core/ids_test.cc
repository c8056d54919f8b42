#include "core/ids.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <set>
#include <string>
#include <tuple>

namespace ganglion {
namespace {

constexpr std::int64_t kMaxUlidTime = (std::int64_t{1} << 48) - 1;

TEST(RunId, MatchesTheTimeOfTheUlidSpecification) {
  EXPECT_EQ(RunId::make(Timestamp(1'469'918'176'385), 0, 0).text(), "01ARYZ6S410000000000000000");
  EXPECT_EQ(RunId::make(Timestamp(kMaxUlidTime), 0xffff, std::numeric_limits<std::uint64_t>::max()).text(),
            "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
}

TEST(RunId, EveryRandomBitShows) {
  std::set<std::string> seen;
  for (int bit = 0; bit < 16; ++bit) {
    seen.insert(RunId::make(Timestamp(0), static_cast<std::uint16_t>(1 << bit), 0).text());
  }
  for (int bit = 0; bit < 64; ++bit)
    seen.insert(RunId::make(Timestamp(0), 0, std::uint64_t{1} << bit).text());
  EXPECT_EQ(seen.size(), 80u);
}

RC_GTEST_PROP(RunId, SortsByTimeThenEntropyAndIsReadBack, ()) {
  const auto time = rc::gen::inRange<std::int64_t>(0, kMaxUlidTime);
  const auto a =
      std::tuple(*time, *rc::gen::arbitrary<std::uint16_t>(), *rc::gen::arbitrary<std::uint64_t>());
  const auto b =
      std::tuple(*time, *rc::gen::arbitrary<std::uint16_t>(), *rc::gen::arbitrary<std::uint64_t>());
  const auto make = [](const auto& t) {
    return RunId::make(Timestamp(std::get<0>(t)), std::get<1>(t), std::get<2>(t));
  };
  RC_ASSERT((make(a) < make(b)) == (a < b));
  RC_ASSERT(RunId::parse(make(a).text()) == make(a));
}

TEST(RunId, RefusesWhatIsNone) {
  for (const char* text :
       {"", "01ARYZ6S41000000000000000", "01ARYZ6S4100000000000000000", "81ARYZ6S410000000000000000",
        "01aryz6s410000000000000000", "01ARYZ6S41000000000000000U", "01ARYZ6S41000000000000000I",
        "01ARYZ6S41 000000000000000", "-1ARYZ6S410000000000000000"}) {
    EXPECT_FALSE(RunId::parse(text)) << text;
  }
}

RC_GTEST_PROP(AttemptToken, WhatIsWrittenIsReadBack, ()) {
  const RunId run = RunId::make(Timestamp(*rc::gen::inRange<std::int64_t>(0, kMaxUlidTime)), 7, 9);
  const AttemptToken token{run, StepIndex(*rc::gen::arbitrary<std::uint32_t>()),
                           ItemIndex(*rc::gen::arbitrary<std::uint32_t>()),
                           Attempt(*rc::gen::inRange<std::uint32_t>(1, 1'000'000))};
  RC_ASSERT(AttemptToken::parse(token.text()) == token);
}

TEST(AttemptToken, TheIdempotencyKeyIsTheSameForEveryAttempt) {
  const RunId run = RunId::make(Timestamp(1'469'918'176'385), 0, 0);
  const AttemptToken first{run, StepIndex(2), ItemIndex(7), Attempt(1)};
  const AttemptToken second{run, StepIndex(2), ItemIndex(7), Attempt(2)};
  EXPECT_EQ(first.text(), "01ARYZ6S410000000000000000/2/7/1");
  EXPECT_EQ(second.text(), "01ARYZ6S410000000000000000/2/7/2");
  EXPECT_EQ(first.idempotency_key(), "01ARYZ6S410000000000000000/2/7");
  EXPECT_EQ(first.idempotency_key(), second.idempotency_key());
}

TEST(AttemptToken, RefusesWhatIsNone) {
  const std::string run = "01ARYZ6S410000000000000000";
  for (const std::string& text :
       {std::string(), run, run + "/1/2", run + "/1/2/3/4", run + "/1/2/0", run + "/-1/2/3", run + "/1/2/",
        run + "/01/2/3", run + "/1/+2/3", run + "/1/2/4294967296", run + "/1/2/3 ", "x" + run + "/1/2/3"}) {
    EXPECT_FALSE(AttemptToken::parse(text)) << text;
  }
}

}  // namespace
}  // namespace ganglion
