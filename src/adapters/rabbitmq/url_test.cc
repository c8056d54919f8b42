#include "adapters/rabbitmq/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "adapters/rabbitmq/names.h"

namespace ganglion::rabbitmq {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(RabbitUrl, AHostIsEnough) {
  const Url url = parse_url("amqp://example.org").value();
  EXPECT_THAT(url.hosts, ElementsAre(HostPort{"example.org", 5672}));
  EXPECT_EQ(url.user, "guest");
  EXPECT_EQ(url.virtual_host, "/");
  EXPECT_EQ(url.prefix, "");
}

TEST(RabbitUrl, SaysEverythingElseAsWell) {
  const Url url = parse_url("amqp://me%40home:p%3aw@a:1,[::1]:2/v%2fh?prefix=test").value();
  EXPECT_THAT(url.hosts, ElementsAre(HostPort{"a", 1}, HostPort{"::1", 2}));
  EXPECT_EQ(url.user, "me@home");
  EXPECT_EQ(url.password, "p:w");
  EXPECT_EQ(url.virtual_host, "v/h");
  EXPECT_EQ(url.prefix, "test");
}

TEST(RabbitUrl, NamesInTheBrokerAreBareOrHaveThePrefixBeforeThem) {
  const Names bare(parse_url("amqp://a").value());
  EXPECT_EQ(bare.queue("agent:coder"), "agent:coder");
  EXPECT_EQ(bare.dead_letters("agent:coder"), "agent:coder.dead");
  EXPECT_EQ(bare.topics(), "ganglion.topics");
  const Names apart(parse_url("amqp://a?prefix=test").value());
  EXPECT_EQ(apart.queue("agent:coder"), "test.agent:coder");
  EXPECT_EQ(apart.topics(), "test.ganglion.topics");
}

TEST(RabbitUrl, WhatIsWrongIsSaidWithoutThePassword) {
  for (const auto& [text, problem] : std::vector<std::pair<std::string, std::string>>{
           {"amqps://me:secret@a", "amqps:// is not supported"},
           {"http://me:secret@a", "doesn't begin with amqp://"},
           {"amqp://me:secret@", "names no host"},
           {"amqp://me:secret@a:0", "has a port that is no number"},
           {"amqp://me:secret%@a", "has a % that is not followed"},
           {"amqp://:secret@a", "has no user"},
           {"amqp://me:secret@a/b/c", "write its slashes as %2f"},
           {"amqp://me:secret@a?heartbeat=1", "a parameter other than `prefix`"},
           {"amqp://me:secret@a?prefix=a*b", "has a prefix that is not of"},
           {"amqp://me:secret@a?prefix=amq.b", "or is RabbitMQ's"}}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, "unknown_bus");
    EXPECT_THAT(url.error().message, HasSubstr(problem));
    EXPECT_THAT(url.error().message, Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace ganglion::rabbitmq
