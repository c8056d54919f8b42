#include "adapters/kafka/words.h"

#include <gmock/gmock.h>

namespace ganglion::kafka {
namespace {

TEST(KafkaWords, AreReadAsTheyWereWritten) {
  const Entry entry{
      .session = "4f1c09d2a8e37b60",
      .number = 17,
      .words = {word::Hello{}, word::Inherit{"00ff"},
                word::Declare{"agent:coder", 3, {.max_length = 5, .max_deliveries = 2}},
                word::Want{"agent:coder", 12, 5}, word::Done{"agent:coder", 12, {{40, 44}, {47, 47}}},
                word::Remove{"agent:coder", 12}, word::Leave{}}};
  EXPECT_EQ(text_of(entry),
            "ganglion 1 4f1c09d2a8e37b60 17\nhello\ninherit 00ff\ndeclare agent:coder 3 5 2 900000\n"
            "want agent:coder 12 5\ndone agent:coder 12 40-44 47\nremove agent:coder 12\nleave");
  EXPECT_EQ(read_entry(text_of(entry)), entry);
}

TEST(KafkaWords, ThatAreNoneAreNotRead) {
  for (const std::string_view text :
       {"", "ganglion 2 00ff 1", "ganglion 1 00FF 1", "ganglion 1 00ff", "ganglion 1 00ff 1\nfly",
        "ganglion 1 00ff 1\nwant a 1 0", "ganglion 1 00ff 1\nwant a b 1",
        "ganglion 1 00ff 1\nwant a 1 99999999", "ganglion 1 00ff 1\ndone a 1 5-4",
        "ganglion 1 00ff 1\ndone a/b 1 5", "ganglion 1 00ff 1\nhello you",
        "ganglion 1 00ff 1\ndeclare a 1 2 3", "ganglion 1 00ff 1\nremove a 9999999999999999999"})
    EXPECT_EQ(read_entry(text), std::nullopt) << text;
}

}  // namespace
}  // namespace ganglion::kafka
