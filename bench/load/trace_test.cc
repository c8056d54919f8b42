#include "bench/load/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ganglion::bench {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string span(const std::string& id, const std::string& start, const std::string& end,
                 const std::string& input, const std::string& output, const std::string& parent = "null") {
  return R"({"span_id":")" + id + R"(","parent_span_id":)" + parent + R"(,"start_time":"2026-02-25T10:00:)" +
         start + R"(","end_time":"2026-02-25T10:00:)" + end + R"(","attributes":{"gen_ai.input.messages":")" +
         input + R"(","gen_ai.output.text":")" + output + R"("}})";
}

std::string trace(const std::string& spans) {
  return R"({"spans":[)" + spans + "]}";
}

TEST(Trace, OfABranchThatJoinsHasItsShape) {
  const std::string left = "the left branch says yes", right = "the right branch says no";
  const auto calls = read_trace(
      trace(span("d", "05.500000", "06.000000",
                 R"([{\"role\":\"user\",\"content\":\")" + left + " " + right + R"(\"}])", "end") +
            "," + span("a", "00.000000", "01.500000", "ask", "short") + "," +
            span("c", "02.500", "05", "", right) + "," + span("b", "02.000000", "04.000000", "short", left)));
  ASSERT_TRUE(calls) << calls.error().message;
  ASSERT_EQ(calls->size(), 4u);
  EXPECT_EQ((*calls)[0].name, "a");
  EXPECT_EQ((*calls)[0].took, 1500ms);
  EXPECT_THAT((*calls)[0].needs, IsEmpty());
  EXPECT_THAT((*calls)[1].needs, ElementsAre(0));
  EXPECT_THAT((*calls)[1].quotes, IsEmpty());  // "short" may stand anywhere by chance
  EXPECT_THAT((*calls)[2].needs, ElementsAre(0));
  EXPECT_THAT((*calls)[3].needs, ElementsAre(1, 2));
  EXPECT_THAT((*calls)[3].quotes, ElementsAre(1, 2));
  EXPECT_EQ((*calls)[3].output_bytes, 3u);
  EXPECT_EQ(shortest_replay(*calls), 1500ms + 2500ms + 500ms);
}

TEST(Trace, HasWhatACallQuotesFromFurtherBackAmongItsNeeds) {
  const std::string first = "what the very first call answered";
  const auto calls =
      read_trace(trace(span("a", "00", "01", "", first) + "," + span("b", "02", "03", "", "b") + "," +
                       span("c", "04", "05", first, "c")));
  ASSERT_TRUE(calls);
  EXPECT_THAT((*calls)[2].needs, ElementsAre(0, 1));
  EXPECT_THAT((*calls)[2].quotes, ElementsAre(0));
}

TEST(Trace, LeavesOutTheSpansThatHoldOthers) {
  const auto calls = read_trace(
      trace(span("whole", "00", "09", "", "") + "," + span("part", "01", "02", "", "", R"("whole")")));
  ASSERT_TRUE(calls);
  ASSERT_EQ(calls->size(), 1u);
  EXPECT_EQ(calls->front().name, "part");
}

TEST(Trace, OfInstantsStaysInOrder) {
  const auto calls = read_trace(trace(span("a", "01", "01", "", "") + "," + span("b", "01", "01", "", "")));
  ASSERT_TRUE(calls);
  EXPECT_THAT((*calls)[0].needs, IsEmpty());
  EXPECT_THAT((*calls)[1].needs, ElementsAre(0));
}

TEST(Trace, ThatIsNoneSaysWhatIsWrong) {
  const auto message = [](const std::string& text) {
    const auto read = read_trace(text);
    return read ? std::string("none") : read.error().message;
  };
  EXPECT_THAT(message("{"), HasSubstr("not JSON"));
  EXPECT_THAT(message("[]"), HasSubstr("\"spans\""));
  EXPECT_THAT(message(R"({"spans":[1]})"), HasSubstr("object"));
  EXPECT_THAT(message(R"({"spans":[]})"), HasSubstr("no call"));
  EXPECT_THAT(message(R"({"spans":[{"span_id":"a"}]})"), HasSubstr("span 1 needs start_time"));
  EXPECT_THAT(message(trace(span("a", "02", "01", "", ""))), HasSubstr("ends before"));
  std::string many = span("a", "01", "02", "", "");
  for (std::size_t i = 0; i < kMaxTraceCalls; ++i) many += "," + span("a", "01", "02", "", "");
  EXPECT_THAT(message(trace(many)), HasSubstr("at most 500"));
}

}  // namespace
}  // namespace ganglion::bench
