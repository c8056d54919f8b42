#include "agents/agent_output.h"

#include <gtest/gtest.h>

namespace ganglion::agents {
namespace {

TEST(AgentOutput, OneJsonValueIsTakenByteForByteWithoutTheSpaceAroundIt) {
  EXPECT_EQ(read_output(" {\"a\": [1,  2.50]}\n"), Payload("{\"a\": [1,  2.50]}"));
  EXPECT_EQ(read_output("null"), Payload());
  EXPECT_EQ(read_output("\"é\""), Payload("\"é\""));
}

TEST(AgentOutput, AnythingElseIsInvalid) {
  const std::string deep = std::string(65, '[') + std::string(65, ']');
  for (const std::string& bytes :
       {std::string(), std::string(" \n"), std::string("hello"), std::string("{} {}"),
        std::string("{\"a\":1"), std::string("[1,]"), std::string("\"\xFF\""), deep}) {
    const auto output = read_output(bytes);
    ASSERT_FALSE(output) << bytes;
    EXPECT_EQ(output.error().code, "invalid_output");
  }
}

TEST(AgentOutput, DepthUpToTheBoundIsTaken) {
  EXPECT_TRUE(read_output(std::string(64, '[') + std::string(64, ']')));
}

TEST(AgentOutput, ReadableTextIsValidUtf8WithoutControls) {
  EXPECT_EQ(readable("gr\xC3\xBC\xC3\x9F\n\tok"), "grüß\n\tok");
  EXPECT_EQ(readable("\xFF\xC3"), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(readable("\x1B[31mred"), "?[31mred");
  EXPECT_EQ(readable("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
  EXPECT_EQ(readable("\xF0\x9F\x90\x9D"), "\xF0\x9F\x90\x9D");
}

TEST(AgentOutput, ATailKeepsTheEndAndSaysThatItWasCut) {
  Tail tail(4);
  tail.append("ab");
  EXPECT_EQ(tail.text(), "ab");
  tail.append("cdef\n");
  EXPECT_EQ(tail.text(), "…def");
  tail.append(std::string(100, 'x'));
  EXPECT_EQ(tail.text(), "…xxxx");
}

TEST(AgentOutput, ATailIsNotCutInsideACharacter) {
  Tail tail(4);
  tail.append("ab\xE2\x82\xAC\xE2\x82\xAC");  // two euro signs; the cut falls into the first
  EXPECT_EQ(tail.text(), "…\xE2\x82\xAC");
}

}  // namespace
}  // namespace ganglion::agents
