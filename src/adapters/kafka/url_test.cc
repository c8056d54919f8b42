#include "adapters/kafka/url.h"

#include <gmock/gmock.h>

namespace ganglion::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string problem_with(std::string_view text) {
  const auto url = parse_url(text);
  return url ? "" : url.error().message;
}

TEST(KafkaUrl, NamesBrokersAndAPrefix) {
  const Url url = parse_url("kafka://one:19092,two,[::1]:3?prefix=test_1").value();
  EXPECT_THAT(url.hosts, ElementsAre(HostPort{"one", 19092}, HostPort{"two", 9092}, HostPort{"::1", 3}));
  EXPECT_EQ(url.prefix, "test_1");
  EXPECT_EQ(url.servers(), "one:19092,two:9092,[::1]:3");
  EXPECT_EQ(parse_url("kafka://one/").value().prefix, "ganglion");
}

TEST(KafkaUrl, SaysWhatIsWrong) {
  EXPECT_THAT(problem_with("kafka:one"), HasSubstr("kafka://"));
  EXPECT_THAT(problem_with("kafkas://one"), HasSubstr("TLS"));
  EXPECT_THAT(problem_with("kafka://one:x"), HasSubstr("port"));
  EXPECT_THAT(problem_with("kafka://one/topic"), HasSubstr("path"));
  EXPECT_THAT(problem_with("kafka://me:secret@one"), HasSubstr("log in"));
  EXPECT_THAT(problem_with("kafka://one?group=x"), HasSubstr("other than `prefix`"));
  EXPECT_THAT(problem_with("kafka://one?prefix=a.b"), HasSubstr("prefix"));
  EXPECT_NE(problem_with("kafka://"), "");
}

TEST(KafkaUrl, IsToldFromOthers) {
  EXPECT_TRUE(is_url("kafka://one"));
  EXPECT_FALSE(is_url("nats://one"));
}

}  // namespace
}  // namespace ganglion::kafka
