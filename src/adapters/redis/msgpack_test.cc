#include "adapters/redis/msgpack.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace ganglion::redis {
namespace {

TEST(Msgpack, NumbersComeBackAsTheyWere) {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{127}, std::int64_t{128}, std::int64_t{65'536},
        std::int64_t{4'294'967'295}, std::int64_t{4'294'967'296}, std::int64_t{-1}, std::int64_t{-32},
        std::int64_t{-33}, std::int64_t{-5'000'000'000}, std::numeric_limits<std::int64_t>::max(),
        std::numeric_limits<std::int64_t>::min()}) {
    const std::string packed = Packer().integer(value).take();
    Unpacker bytes(packed);
    EXPECT_EQ(bytes.integer(), value);
    EXPECT_TRUE(bytes.intact() && bytes.at_end());
  }
}

// As Redis' Lua packs them, in as few bytes as it can.
TEST(Msgpack, ShortNumbersOfOthersAreRead) {
  for (const auto& [packed, value] :
       std::vector<std::pair<std::string, std::int64_t>>{{std::string("\xcc\xff", 2), 255},
                                                         {std::string("\xcd\x01\x00", 3), 256},
                                                         {std::string("\xd0\x80", 2), -128},
                                                         {std::string("\xd1\xff\x00", 3), -256},
                                                         {std::string("\xd2\xff\xff\x00\x00", 5), -65'536}}) {
    EXPECT_EQ(Unpacker(packed).integer(), value);
  }
}

TEST(Msgpack, TextsOfEveryLengthComeBackAsTheyWere) {
  for (const std::size_t size : {0, 1, 31, 32, 255, 256, 65'535, 65'536, 1'000'000}) {
    const std::string text(size, '\xc1');
    const std::string packed = Packer().text(text).take();
    Unpacker bytes(packed);
    EXPECT_EQ(bytes.text(), text);
    EXPECT_TRUE(bytes.at_end());
  }
}

TEST(Msgpack, RawTakesOneWholeValue) {
  const std::string first = Packer().array(3).text("x").nil().array(20).raw(std::string(20, '\x01')).take();
  const std::string packed = first + Packer().map(1).text("k").boolean(true).number(7).take();
  Unpacker bytes(packed);
  EXPECT_EQ(bytes.raw(), first);
  bytes.raw();
  EXPECT_EQ(bytes.number(), 7u);
  EXPECT_TRUE(bytes.intact());
}

TEST(Msgpack, WhatIsOfAnotherKindOrCutOffIsNotIntact) {
  const std::string text = Packer().text("hello").take();
  Unpacker wrong(text);
  EXPECT_EQ(wrong.number(), 0u);
  EXPECT_FALSE(wrong.intact());
  EXPECT_EQ(wrong.text(), "");
  for (std::size_t size = 0; size < text.size(); ++size) {
    Unpacker cut(std::string_view(text).substr(0, size));
    EXPECT_EQ(cut.text(), "");
    EXPECT_FALSE(cut.intact());
  }
  const std::string deep(100, '\x91');
  Unpacker nested(deep);
  nested.raw();
  EXPECT_FALSE(nested.intact());
}

}  // namespace
}  // namespace ganglion::redis
