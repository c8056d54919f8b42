#include "adapters/sqlite/log_seal.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ganglion::sqlite {
namespace {

TEST(LogSeal, IsReadAsItWasWritten) {
  const LogSeal seal{.salts = 0x1234'5678'9abc'def0, .frames = 77};
  const auto read = LogSeal::parse(seal.bytes());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->salts, seal.salts);
  EXPECT_EQ(read->frames, seal.frames);
}

TEST(LogSeal, AnyBitThatIsWrongMakesItNone) {
  auto bytes = LogSeal{.salts = 5, .frames = 7}.bytes();
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= static_cast<char>(1U << bit % 8);
    EXPECT_FALSE(LogSeal::parse(bytes)) << bit;
    bytes[bit / 8] ^= static_cast<char>(1U << bit % 8);
  }
}

TEST(LogSeal, OneThatIsTornBetweenTwoIsNone) {
  const auto before = LogSeal{.salts = 5, .frames = 7}.bytes();
  const auto after = LogSeal{.salts = 5, .frames = 300}.bytes();
  for (std::size_t arrived = 1; arrived < before.size(); ++arrived) {
    auto torn = before;
    std::copy_n(after.begin(), arrived, torn.begin());
    if (torn != before && torn != after) EXPECT_FALSE(LogSeal::parse(torn)) << arrived;
  }
}

TEST(LogSeal, ALogWithoutAHeaderKeepsNothing) {
  const ReadLog zeros = [](std::span<char> to, std::uint64_t) {
    std::fill(to.begin(), to.end(), '\0');
    return true;
  };
  EXPECT_FALSE(keeps(zeros, LogSeal{.salts = 5, .frames = 7}));
}

}  // namespace
}  // namespace ganglion::sqlite
