#include "agents/worker/lines.h"

#include <gtest/gtest.h>

#include <vector>

namespace ganglion::agents {
namespace {

class LinesTest : public ::testing::Test {
 protected:
  std::vector<std::string> seen;
  Lines lines{8, [this](std::string_view line) { seen.emplace_back(line); }};
};

TEST_F(LinesTest, LinesComeWholeHoweverTheyArrive) {
  for (const char* piece : {"a", "b\nc", "\n\nd\r", "\n"}) lines.append(piece);
  EXPECT_EQ(seen, (std::vector<std::string>{"ab", "c", "", "d"}));
}

TEST_F(LinesTest, ALineThatIsTooLongIsCut) {
  lines.append("12345678\n123456789\n");
  lines.append(std::string(20, 'x'));
  lines.append("\n");
  EXPECT_EQ(seen, (std::vector<std::string>{"12345678", "12345678", "9", "xxxxxxxx", "xxxxxxxx", "xxxx"}));
}

TEST_F(LinesTest, TheLastLineNeedsNoEnd) {
  lines.append("ab\ncd");
  EXPECT_EQ(seen, (std::vector<std::string>{"ab"}));
  lines.finish();
  lines.finish();
  EXPECT_EQ(seen, (std::vector<std::string>{"ab", "cd"}));
}

TEST_F(LinesTest, LinesAreReadable) {
  lines.append("a\x1B\xFF\n");
  EXPECT_EQ(seen, (std::vector<std::string>{"a?\xEF\xBF\xBD"}));
}

}  // namespace
}  // namespace ganglion::agents
