// A master that sentinels watch, and a cluster, both real.

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <utility>

#include "adapters/redis/store.h"
#include "adapters/redis/testing/committing_runs.h"
#include "adapters/redis/testing/redis_fixture.h"
#include "base/asio/asio.h"

namespace ganglion::redis {
namespace {

using ganglion::testing::append_to;
using ganglion::testing::is_committed;
using ganglion::testing::RedisServer;
using ganglion::testing::run_number;
using ganglion::testing::start_of;
using ganglion::testing::StoreDriver;
using testing::CommittingRuns;
using ::testing::Contains;
using ::testing::HasSubstr;

constexpr std::uint64_t kRuns = 20;

// --- sentinels
// -----------------------------------------------------------------------------------------------------

// A master, its replica, and one sentinel that alone decides.
class Watched {
 public:
  Watched()
      : replica_({.arguments = {"--replicaof", "127.0.0.1", std::to_string(master_.port())}}),
        sentinel_({.sentinel = {"sentinel monitor main 127.0.0.1 " + std::to_string(master_.port()) + " 1",
                                "sentinel down-after-milliseconds main 300",
                                "sentinel failover-timeout main 2000"}}) {
    // It looks more often than every ten seconds.
    sentinel_.command({"SENTINEL", "DEBUG", "info-period", "100", "ping-period", "100", "publish-period",
                       "100", "election-timeout", "500", "slave-reconf-timeout", "500",
                       "min-link-reconnect-period", "100"});
  }

  // The replica has everything, and the sentinel knows it.
  bool settled() const {
    master_.command({"SET", "marker", "1"});
    const std::string replicas = sentinel_.command({"SENTINEL", "REPLICAS", "main"});
    return replica_.command({"GET", "marker"}) == "1" && replicas.contains("master-link-status\nok");
  }

  std::string url() const { return "redis+sentinel://" + sentinel_.address() + "/main"; }
  RedisServer& master() { return master_; }
  RedisServer& replica() { return replica_; }

 private:
  RedisServer master_{{.arguments = {"--repl-diskless-sync-delay", "0"}}};
  RedisServer replica_;
  RedisServer sentinel_;
};

class RedisSentinel : public testing::RedisTest {};

TEST_F(RedisSentinel, AFailoverIsFollowed) {
  Watched watched;
  wait_until([&] { return watched.settled(); });
  Options patient = options(watched.url());
  patient.patience = std::chrono::minutes(1);
  const auto store = open(std::move(patient));
  EXPECT_THAT(store->weaker_promises(), Contains(HasSubstr("a failover may lose")));
  CommittingRuns runs(loop_, *store, kRuns);
  runs.commit(200);
  // Nothing is on its way when the master dies, and the replica has all of it.
  runs.finish();
  wait_until([&] { return watched.settled(); });
  watched.master().process().kill();

  EXPECT_TRUE(is_committed(StoreDriver(loop_, *store).commit(start_of(run_number(1'000)))));
  EXPECT_EQ(watched.replica().command({"ROLE"}).substr(0, 6), "master");
  runs.expect_exactly_what_was_acknowledged();
  EXPECT_EQ(fatal_, std::nullopt);
}

TEST_F(RedisSentinel, AFailoverThatLosesWhatWasAcknowledgedEndsTheProcess) {
  Watched watched;
  wait_until([&] { return watched.settled(); });
  const auto store = open(watched.url());
  StoreDriver driver(loop_, *store);
  EXPECT_TRUE(is_committed(driver.commit(start_of(run_number(1)))));
  wait_until([&] { return watched.settled(); });
  // When the replica is cut off and stands still while a commit is acknowledged, and then takes the master's
  // place …
  watched.replica().process().pause();
  watched.master().command({"CLIENT", "KILL", "TYPE", "replica"});
  EXPECT_TRUE(is_committed(driver.commit(append_to(run_number(1), 1))));
  watched.master().process().kill();
  watched.replica().process().resume();
  // … then that is noticed without any further write.
  wait_for_fatal();
  EXPECT_THAT(*fatal_, HasSubstr("has lost writes"));
}

// --- a cluster
// ------------------------------------------------------------------------------------------------------

RedisServer node() {
  return RedisServer({.arguments = {"--cluster-enabled", "yes", "--cluster-node-timeout", "1000"}});
}

class Cluster {
 public:
  Cluster() {
    constexpr std::array<std::pair<const char*, const char*>, 3> kSlots = {
        {{"0", "5460"}, {"5461", "10922"}, {"10923", "16383"}}};
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i].command({"CLUSTER", "ADDSLOTSRANGE", kSlots[i].first, kSlots[i].second});
      nodes_[i].command({"CLUSTER", "MEET", "127.0.0.1", std::to_string(nodes_[0].port()),
                         std::to_string(nodes_[0].bus_port())});
    }
  }

  bool settled() const {
    return std::ranges::all_of(nodes_, [](const RedisServer& node) {
      const std::string info = node.command({"CLUSTER", "INFO"});
      return info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3") &&
             info.contains("cluster_slots_ok:16384");
    });
  }

  std::string url() const { return "redis+cluster://" + nodes_[0].address() + "," + nodes_[1].address(); }
  RedisServer& node(std::size_t i) { return nodes_[i]; }
  std::string id(std::size_t i) const { return nodes_[i].command({"CLUSTER", "MYID"}); }

 private:
  std::array<RedisServer, 3> nodes_ = {redis::node(), redis::node(), redis::node()};
};

class RedisCluster : public testing::RedisTest {};

TEST_F(RedisCluster, TheNodeOfOurSlotIsFoundAndFollowedWhenItMoves) {
  Cluster cluster;
  wait_until([&] { return cluster.settled(); });
  const auto store = open(cluster.url());
  CommittingRuns runs(loop_, *store, kRuns);
  runs.commit(200);

  // When the slot moves to the first node, key after key, under commits …
  const std::string slot = cluster.node(0).command({"CLUSTER", "KEYSLOT", "{ganglion}"});
  std::size_t from = 0;
  while (cluster.node(from).command({"CLUSTER", "COUNTKEYSINSLOT", slot}) == "0") ++from;
  const std::size_t to = (from + 1) % 3;
  RedisServer& source = cluster.node(from);
  RedisServer& target = cluster.node(to);
  EXPECT_EQ(target.command({"CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.id(from)}), "OK");
  EXPECT_EQ(source.command({"CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.id(to)}), "OK");
  for (;;) {
    const std::string key = source.command({"CLUSTER", "GETKEYSINSLOT", slot, "1"});
    if (key.empty()) break;
    source.command({"MIGRATE", "127.0.0.1", std::to_string(target.port()), key, "0", "5000"});
    loop_.context().poll();
  }
  for (std::size_t i : {to, from})
    cluster.node(i).command({"CLUSTER", "SETSLOT", slot, "NODE", cluster.id(to)});

  // … then they go on there, and none was made in part or lost.
  runs.commit(200);
  runs.finish();
  runs.expect_exactly_what_was_acknowledged();
  EXPECT_NE(target.command({"CLUSTER", "COUNTKEYSINSLOT", slot}), "0");
  EXPECT_EQ(fatal_, std::nullopt);
}

TEST_F(RedisCluster, AClusterThatIsDownIsWaitedFor) {
  Cluster cluster;
  wait_until([&] { return cluster.settled(); });
  const auto store = open(cluster.url());
  CommittingRuns runs(loop_, *store, kRuns);
  runs.commit(100);
  // When a node is away, the others refuse, too, since nobody has its slots.
  const std::string slot = cluster.node(0).command({"CLUSTER", "KEYSLOT", "{ganglion}"});
  std::size_t ours = 0;
  while (cluster.node(ours).command({"CLUSTER", "COUNTKEYSINSLOT", slot}) == "0") ++ours;
  cluster.node((ours + 1) % 3).process().kill();
  wait_until([&] {
    loop_.context().poll();
    return cluster.node(ours).command({"GET", "{ganglion}:x"}).starts_with("-CLUSTERDOWN");
  });
  cluster.node((ours + 1) % 3).process().start();
  runs.commit(100);
  runs.finish();
  runs.expect_exactly_what_was_acknowledged();
}

}  // namespace
}  // namespace ganglion::redis
