#include "adapters/redis/url.h"

#include <gmock/gmock.h>

namespace ganglion::redis {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(RedisUrl, NamesOneServer) {
  const Url url = parse_url("redis://example.org").value();
  EXPECT_EQ(url.topology, Topology::single);
  EXPECT_THAT(url.addresses, ElementsAre(Address{"example.org", 6379}));
  EXPECT_EQ(url.database, 0u);
  EXPECT_EQ(url.base_key(), "{ganglion}");
  EXPECT_EQ(url.password, std::nullopt);
}

TEST(RedisUrl, MayHaveCredentialsPortDatabaseAndPrefix) {
  const Url url = parse_url("redis://us%3aer:p%40ss:word@[::1]:7000/3?prefix=team-a").value();
  EXPECT_THAT(url.addresses, ElementsAre(Address{"::1", 7000}));
  EXPECT_EQ(url.user, "us:er");
  EXPECT_EQ(url.password, "p@ss:word");
  EXPECT_EQ(url.database, 3u);
  EXPECT_EQ(url.base_key(), "{team-a}");
  EXPECT_EQ(parse_url("redis://:secret@h").value().user, std::nullopt);
  EXPECT_EQ(parse_url("redis://:secret@h").value().password, "secret");
}

TEST(RedisUrl, NamesSentinelsAndTheirMaster) {
  const Url url = parse_url("redis+sentinel://a,b:1000/main/2").value();
  EXPECT_EQ(url.topology, Topology::sentinel);
  EXPECT_THAT(url.addresses, ElementsAre(Address{"a", 26379}, Address{"b", 1000}));
  EXPECT_EQ(url.master, "main");
  EXPECT_EQ(url.database, 2u);
}

TEST(RedisUrl, NamesNodesOfACluster) {
  const Url url = parse_url("redis+cluster://a:1,b:2?prefix=p").value();
  EXPECT_EQ(url.topology, Topology::cluster);
  EXPECT_THAT(url.addresses, ElementsAre(Address{"a", 1}, Address{"b", 2}));
  EXPECT_EQ(url.prefix, "p");
}

TEST(RedisUrl, ThatIsWrongIsRefusedWithoutRepeatingIt) {
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"redis:localhost", "has no ://"},
           {"redis://:secret@", "names no host"},
           {"redis://:secret@a:0", "has a port that is no number"},
           {"redis://:secret@a:99999", "has a port that is no number"},
           {"redis://:se%cret@a", "has a %"},
           {"redis://:secret@a,b", "names several hosts"},
           {"redis://:secret@a/x", "has a database that is no number"},
           {"redis://:secret@a?prefix={x}", "has a prefix"},
           {"redis://:secret@a?prefix=", "has a prefix"},
           {"redis://:secret@a?pool=3", "has a parameter other than"},
           {"redis+sentinel://:secret@a", "doesn't say by which name"},
           {"redis+cluster://:secret@a/1", "which a cluster doesn't have"},
           {"redis+unix://:secret@a", "has an unknown scheme"},
           {"rediss://:secret@a", "rediss:// is not supported"}}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, "unknown_store");
    EXPECT_THAT(url.error().message, AllOf(HasSubstr(why), Not(HasSubstr("secret")))) << text;
  }
}

TEST(RedisUrl, IsToldByItsScheme) {
  for (const char* ours : {"redis://x", "rediss://x", "redis+sentinel://x/y", "redis:x"})
    EXPECT_TRUE(is_url(ours));
  for (const char* other : {"sqlite:redis", "memory:", "redistribute://x"}) EXPECT_FALSE(is_url(other));
}

}  // namespace
}  // namespace ganglion::redis
