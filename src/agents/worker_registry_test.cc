#include "agents/worker_registry.h"

#include <gtest/gtest.h>

namespace ganglion::agents {
namespace {

const AttemptToken kToken{RunId::make(Timestamp(1), 2, 3), StepIndex(0), ItemIndex(0), Attempt(1)};

TEST(WorkerRegistry, AWorkerBelongsToAnIdThatItEqualsOrGoesOnFromWithADash) {
  EXPECT_TRUE(belongs_to("python-1", "python-1"));
  EXPECT_TRUE(belongs_to("python-1-a", "python-1"));
  EXPECT_FALSE(belongs_to("python-12", "python-1"));
  EXPECT_FALSE(belongs_to("python", "python-1"));
}

TEST(WorkerRegistry, KnowsWhatAWorkerAndItsPartsHold) {
  WorkerRegistry workers;
  AttemptToken other = kToken;
  other.attempt = Attempt(2);
  workers.took("a-1", kToken, Timestamp(0));
  workers.took("a-1-x", other, Timestamp(0));
  workers.took("a-10", kToken, Timestamp(0));
  EXPECT_EQ(workers.held_by("a-1"), (std::vector{kToken, other}));
  workers.released("a-1", kToken);
  EXPECT_EQ(workers.held_by("a-1"), std::vector{other});
}

TEST(WorkerRegistry, AWorkerIsListedForItsAgentsUntilItIsNotSeenForLong) {
  WorkerRegistry workers;
  workers.polled("w-1", {"a", "b"}, Timestamp(0));
  EXPECT_EQ(workers.workers_of("b", Timestamp(0)).size(), 1U);
  EXPECT_TRUE(workers.workers_of("c", Timestamp(0)).empty());
  EXPECT_TRUE(workers.workers_of("b", Timestamp(0) + WorkerRegistry::kForgetAfter + Duration(1)).empty());
}

TEST(WorkerRegistry, IsBoundedByTheWorkersSeenLatelyAndKeepsThoseThatHoldSomething) {
  WorkerRegistry workers;
  workers.took("busy", kToken, Timestamp(0));
  Timestamp now(0);
  for (int at = 0; at < 10'000; ++at) {
    now = now + WorkerRegistry::kForgetAfter;
    workers.polled("w-" + std::to_string(at), {"a"}, now);
  }
  EXPECT_LT(workers.size(), 100U);
  EXPECT_EQ(workers.held_by("busy").size(), 1U);
}

}  // namespace
}  // namespace ganglion::agents
