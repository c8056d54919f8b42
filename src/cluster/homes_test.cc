#include "cluster/homes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace ganglion::cluster {
namespace {

using ::testing::Each;
using ::testing::Pair;

constexpr int kKeys = 6'000;

Member coordinator(const std::string& id, std::vector<std::string> domains = {}) {
  return {.id = id, .coordinates = true, .domains = std::move(domains)};
}

Homes homes_of(const std::vector<Member>& live, Strategy strategy = Strategy::mesh) {
  Homes homes;
  homes.update(live, strategy);
  return homes;
}

std::map<std::string, int> shares(const Homes& homes, const std::string& domain = "default") {
  std::map<std::string, int> shares;
  for (int key = 0; key < kKeys; ++key) ++shares[homes.of_run(static_cast<std::uint16_t>(key), domain)];
  return shares;
}

TEST(Homes, SharesRunsOutEvenly) {
  const auto all = shares(homes_of({coordinator("A"), coordinator("B"), coordinator("C")}));
  EXPECT_EQ(all.size(), 3u);
  EXPECT_THAT(all, Each(Pair(::testing::_,
                             ::testing::AllOf(::testing::Gt(kKeys / 4), ::testing::Lt(kKeys * 5 / 12)))));
}

TEST(Homes, MoveOnlyTheShareOfWhoeverComesOrGoes) {
  const Homes before = homes_of({coordinator("A"), coordinator("B"), coordinator("C")});
  const Homes after = homes_of({coordinator("A"), coordinator("C")});
  for (int key = 0; key < kKeys; ++key) {
    const std::string& home = before.of_run(static_cast<std::uint16_t>(key), "default");
    if (home != "B") EXPECT_EQ(after.of_run(static_cast<std::uint16_t>(key), "default"), home);
  }
}

TEST(Homes, AreTheEarliestMemberWhereOneIsToHaveAll) {
  EXPECT_EQ(shares(homes_of({coordinator("A"), coordinator("B")}, Strategy::centralized)),
            (std::map<std::string, int>{{"A", kKeys}}));
}

TEST(Homes, OfADomainAreThoseThatServeIt) {
  const Homes homes = homes_of({coordinator("A", {"default"}), coordinator("B", {"review"})});
  EXPECT_EQ(shares(homes, "review"), (std::map<std::string, int>{{"B", kKeys}}));
  EXPECT_EQ(shares(homes, "default"), (std::map<std::string, int>{{"A", kKeys}}));
  EXPECT_EQ(homes.of_run(1, "billing"), "");
}

TEST(Homes, NobodyIsHomeWhereNobodyCoordinates) {
  const Homes homes = homes_of({Member{.id = "A", .performs = true}});
  EXPECT_EQ(homes.of_run(1, "default"), "");
  EXPECT_EQ(homes.of_duty("events"), "");
}

TEST(Homes, OfAnAgentWithLimitsIsOneOfThoseThatTakeIt) {
  const Homes homes =
      homes_of({Member{.id = "A", .performs = true}, Member{.id = "B", .performs = true, .takes = {"scan"}}});
  EXPECT_EQ(homes.of_agent("scan"), "B");
  EXPECT_EQ(homes.of_agent("lint"), "");
}

}  // namespace
}  // namespace ganglion::cluster
