#include "adapters/nats/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace ganglion::nats {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(NatsUrl, AHostIsEnough) {
  const Url url = parse_url("nats://example.org").value();
  EXPECT_EQ(url.host, (HostPort{"example.org", 4222}));
  EXPECT_EQ(url.user, "");
  EXPECT_EQ(url.token, "");
  EXPECT_EQ(url.prefix, "ganglion");
}

TEST(NatsUrl, SaysEverythingElseAsWell) {
  const Url url = parse_url("nats://me%40home:p%3aw@[::1]:2?prefix=test").value();
  EXPECT_EQ(url.host, (HostPort{"::1", 2}));
  EXPECT_EQ(url.user, "me@home");
  EXPECT_EQ(url.password, "p:w");
  EXPECT_EQ(url.prefix, "test");
}

TEST(NatsUrl, OneWordAloneIsAToken) {
  const Url url = parse_url("nats://secret@a").value();
  EXPECT_EQ(url.token, "secret");
  EXPECT_EQ(url.user, "");
}

TEST(NatsUrl, WhatIsWrongIsSaidWithoutThePassword) {
  for (const auto& [text, problem] : std::vector<std::pair<std::string, std::string>>{
           {"tls://me:secret@a", "tls:// is not supported"},
           {"http://me:secret@a", "doesn't begin with nats://"},
           {"nats://me:secret@", "names no host"},
           {"nats://me:secret@a:0", "has a port that is no number"},
           {"nats://me:secret@a,b", "names several hosts"},
           {"nats://me:secret%@a", "has a % that is not followed"},
           {"nats://:secret@a", "has no user"},
           {"nats://me:secret@a/b", "has a path"},
           {"nats://me:secret@a?ping=1", "a parameter other than `prefix`"},
           {"nats://me:secret@a?prefix=a.b", "has a prefix that is not of"}}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, "unknown_bus");
    EXPECT_THAT(url.error().message, HasSubstr(problem));
    EXPECT_THAT(url.error().message, Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace ganglion::nats
