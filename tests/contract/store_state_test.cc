// What the state of a session promises.

#include <gmock/gmock.h>

#include "contract/store_contract.h"
#include "core/workflow.h"

namespace ganglion::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class State : public StoreContract {
 protected:
  // Every key with "value@version".
  std::map<std::string, std::string> entries(const std::string& session,
                                             std::optional<std::uint64_t> version = {}) {
    std::map<std::string, std::string> entries;
    const StateSnapshot snapshot = driver_.read_state(session, version).value();
    if (version) {
      EXPECT_EQ(snapshot.version, *version);
    }
    for (const auto& [key, entry] : snapshot.entries)
      entries[key] = std::string(entry.value.bytes()) + "@" + std::to_string(entry.version);
    return entries;
  }

  std::uint64_t set(const std::string& session, const std::string& key, std::optional<std::string> value) {
    return driver_.write_state(session, state_write(key, std::move(value))).value();
  }

  std::optional<StateEntry> conflict(const StateOutcome& outcome) {
    EXPECT_FALSE(outcome);
    return std::get<StateConflict>(outcome.error()).current;
  }

  std::string refusal(const StateOutcome& outcome) {
    EXPECT_FALSE(outcome);
    return std::get<Error>(outcome.error()).code;
  }

  // The commit's session state version.
  std::optional<std::uint64_t> commit(std::uint64_t run, StateCommit state) {
    Commit start = start_of(run_number(run));
    start.state = std::move(state);
    return std::get<Committed>(driver_.commit(std::move(start))).state_version;
  }
};

INSTANTIATE_TEST_SUITE_P(Adapters, State, ::testing::ValuesIn(store_adapters()),
                         [](const auto& info) { return info.param.name; });

TEST_P(State, ACommitThatWasDecidedOnAnotherVersionChangesNothing) {
  // Given a session at version 2 …
  set("s", "a", "1");
  set("s", "a", "2");
  const auto start = [](std::uint64_t run, std::uint64_t expected) {
    Commit commit = start_of(run_number(run));
    commit.state = StateCommit{"s", {state_write("a", "3")}, expected};
    return commit;
  };
  const auto at_two = ::testing::VariantWith<StateMoved>(::testing::Field(&StateMoved::actual_version, 2u));

  // … when commits come that were decided on others …
  EXPECT_THAT(driver_.commit(start(1, 1)), at_two);
  EXPECT_THAT(driver_.commit(start(1, 3)), at_two);

  // … then neither the run nor the state is there, and the next one at version 2 is taken.
  EXPECT_EQ(driver_.find_run(run_number(1)).error().code, "not_found");
  EXPECT_THAT(entries("s"), ElementsAre(Pair("a", "2@2")));
  EXPECT_TRUE(is_committed(driver_.commit(start(1, 2))));
  EXPECT_THAT(entries("s"), ElementsAre(Pair("a", "3@3")));
  // A session that was never written is at version 0.
  Commit first = start_of(run_number(2));
  first.state = StateCommit{"new", {state_write("a", "1")}, 0};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(first))));
}

TEST_P(State, ASessionThatNothingWasWrittenToIsEmptyAtVersionZero) {
  EXPECT_EQ(driver_.read_state("s").value(), StateSnapshot());
  EXPECT_EQ(driver_.read_state("s", 0).value(), StateSnapshot());
  EXPECT_EQ(driver_.read_state("s", 1).error().code, "not_found");
  EXPECT_THAT(driver_.expire_state(Timestamp(1'900'000'000'000)), IsEmpty());
}

TEST_P(State, EveryWriteMakesTheNextVersionOfItsSessionAlone) {
  EXPECT_EQ(set("s", "a", "1"), 1u);
  EXPECT_EQ(set("s", "b", "2"), 2u);
  EXPECT_EQ(set("t", "a", "9"), 1u);
  EXPECT_EQ(set("s", "a", "3"), 3u);
  EXPECT_EQ(set("s", "b", std::nullopt), 4u);
  EXPECT_EQ(set("s", "b", std::nullopt), 5u) << "also where there is nothing to remove";
  EXPECT_THAT(entries("s"), ElementsAre(Pair("a", "3@3")));
  EXPECT_THAT(entries("t"), ElementsAre(Pair("a", "9@1")));
}

TEST_P(State, EarlierVersionsNeverChange) {
  set("s", "a", "1");
  set("s", "b", "2");
  set("s", "a", "3");
  set("s", "b", std::nullopt);
  set("s", "b", "5");
  EXPECT_THAT(entries("s", 0), IsEmpty());
  EXPECT_THAT(entries("s", 1), ElementsAre(Pair("a", "1@1")));
  EXPECT_THAT(entries("s", 2), ElementsAre(Pair("a", "1@1"), Pair("b", "2@2")));
  EXPECT_THAT(entries("s", 3), ElementsAre(Pair("a", "3@3"), Pair("b", "2@2")));
  EXPECT_THAT(entries("s", 4), ElementsAre(Pair("a", "3@3")));
  EXPECT_THAT(entries("s", 5), ElementsAre(Pair("a", "3@3"), Pair("b", "5@5")));
  EXPECT_EQ(driver_.read_state("s", 6).error().code, "not_found");
}

TEST_P(State, ACommitWritesItsKeysAtOneVersionAndSaysWhich) {
  set("s", "a", "0");
  set("s", "c", "0");
  EXPECT_EQ(commit(1, {"s",
                       {state_write("a", "1"), state_write("b", "2"), state_write("c", std::nullopt),
                        state_write("never was", std::nullopt)}}),
            3u);
  EXPECT_THAT(entries("s"), ElementsAre(Pair("a", "1@3"), Pair("b", "2@3")));
  EXPECT_THAT(entries("s", 2), ElementsAre(Pair("a", "0@1"), Pair("c", "0@2")));
  EXPECT_EQ(commit(2, {"new", {state_write("x", "1")}}), 1u);
}

TEST_P(State, OfTwoWritesOfAKeyInOneCommitTheLaterCounts) {
  set("s", "a", "0");
  EXPECT_EQ(commit(1, {"s",
                       {state_write("a", "1"), state_write("a", "2"), state_write("b", "1"),
                        state_write("b", std::nullopt)}}),
            2u);
  EXPECT_THAT(entries("s"), ElementsAre(Pair("a", "2@2")));
  EXPECT_THAT(entries("s", 1), ElementsAre(Pair("a", "0@1")));
}

TEST_P(State, AWriteMayDemandThatTheKeyIsAbsent) {
  EXPECT_EQ(driver_.write_state("s", state_write("a", "1"), KeyAbsent()), 1u);
  EXPECT_EQ(conflict(driver_.write_state("s", state_write("a", "2"), KeyAbsent())),
            (StateEntry{Payload("1"), 1, {}}));
  EXPECT_EQ(set("s", "a", std::nullopt), 2u) << "the write that was not made took no version";
  EXPECT_EQ(driver_.write_state("s", state_write("a", "3"), KeyAbsent()), 3u);
}

TEST_P(State, AWriteMayDemandTheVersionAtWhichTheKeyWasWritten) {
  EXPECT_EQ(conflict(driver_.write_state("s", state_write("a", "1"), KeyVersion{1})), std::nullopt);
  // No key was ever written at it.
  EXPECT_EQ(conflict(driver_.write_state("s", state_write("a", "1"), KeyVersion{0})), std::nullopt);
  EXPECT_EQ(driver_.read_state("s").value().version, 0u);
  set("s", "a", "1");
  set("s", "b", "1");
  EXPECT_EQ(conflict(driver_.write_state("s", state_write("a", "2"), KeyVersion{2})),
            (StateEntry{Payload("1"), 1, {}}));
  EXPECT_EQ(driver_.write_state("s", state_write("a", "2"), KeyVersion{1}), 3u);
  EXPECT_EQ(conflict(driver_.write_state("s", state_write("a", std::nullopt), KeyVersion{1}))->version, 3u);
  EXPECT_EQ(driver_.write_state("s", state_write("a", std::nullopt), KeyVersion{3}), 4u);
  EXPECT_THAT(entries("s"), ElementsAre(Pair("b", "1@2")));
}

TEST_P(State, OfTwoConditionalWritesThatWaitTogetherOneWins) {
  int won = 0;
  int answered = 0;
  for (int i = 0; i < 5; ++i) {
    store_->write_state("s", state_write("lock", std::to_string(i)), KeyAbsent(), [&](StateOutcome outcome) {
      won += outcome ? 1 : 0;
      ++answered;
    });
  }
  loop_.run_until([&] { return answered == 5; });
  EXPECT_EQ(won, 1);
  EXPECT_THAT(entries("s"), ElementsAre(Pair("lock", "0@1")));
}

TEST_P(State, OnlyTheLastVersionsCanStillBeRead) {
  set("s", "kept", "1");
  set("s", "turned", "0");
  std::uint64_t version = 2;
  std::size_t done = 0;
  for (; version < kStateHistory + 50; ++version) {
    store_->write_state("s", state_write("turned", std::to_string(version + 1)), AnyVersion(),
                        [&](StateOutcome outcome) { done += outcome ? 1 : 0; });
  }
  loop_.run_until([&] { return done == kStateHistory + 48; });
  const std::uint64_t oldest = version - kStateHistory + 1;
  EXPECT_THAT(entries("s"), ElementsAre(Pair("kept", "1@1"), Pair("turned", std::to_string(version) + "@" +
                                                                                std::to_string(version))));
  EXPECT_THAT(entries("s", oldest),
              ElementsAre(Pair("kept", "1@1"),
                          Pair("turned", std::to_string(oldest) + "@" + std::to_string(oldest))));
  EXPECT_EQ(driver_.read_state("s", oldest - 1).error().code, "gone");
  EXPECT_EQ(driver_.read_state("s", 0).error().code, "gone");
  EXPECT_EQ(driver_.read_state("s", version + 1).error().code, "not_found");
}

TEST_P(State, ASessionHoldsABoundedNumberOfKeys) {
  StateCommit full{"s", {}};
  for (std::size_t n = 0; n < kMaxStateKeys; ++n)
    full.writes.push_back(state_write("k" + std::to_string(n), "0"));
  EXPECT_EQ(commit(1, std::move(full)), 1u);
  EXPECT_EQ(refusal(driver_.write_state("s", state_write("one more", "0"))), "too_large");
  EXPECT_EQ(driver_.read_state("s").value().version, 1u);
  EXPECT_EQ(set("s", "k7", "1"), 2u);
  EXPECT_EQ(set("s", "k8", std::nullopt), 3u);
  EXPECT_EQ(set("s", "one more", "0"), 4u);
  EXPECT_EQ(driver_.read_state("s").value().entries.size(), kMaxStateKeys);
}

TEST_P(State, ASessionHoldsABoundedNumberOfBytes) {
  const std::string half = '"' + std::string(kMaxStateBytes / 2 - 2, 'x') + '"';
  EXPECT_EQ(set("s", "a", half), 1u);
  EXPECT_EQ(set("s", "b", half), 2u);
  EXPECT_EQ(refusal(driver_.write_state("s", state_write("c", "1"))), "too_large");
  EXPECT_EQ(set("s", "a", "1"), 3u);
  EXPECT_EQ(set("s", "c", "1"), 4u);
  EXPECT_EQ(refusal(driver_.write_state("s", state_write("a", half))), "too_large");
  // Beyond its bounds, which a commit may bring it, a session may shrink.
  EXPECT_EQ(commit(1, {"s", {state_write("d", half), state_write("e", half)}}), 5u);
  EXPECT_EQ(refusal(driver_.write_state("s", state_write("c", "12"))), "too_large");
  EXPECT_EQ(set("s", "c", "2"), 6u);
  EXPECT_EQ(set("s", "d", std::nullopt), 7u);
}

TEST_P(State, KeysThatHaveExpiredAreRemovedAtANewVersion) {
  const auto expiring = [](const char* key, std::int64_t at) {
    StateWrite write = state_write(key, "1");
    write.expires_at = Timestamp(at);
    return write;
  };
  EXPECT_EQ(commit(1, {"s", {expiring("a", 100), expiring("b", 200), state_write("c", "1")}}), 1u);
  EXPECT_EQ(driver_.write_state("t", expiring("a", 100)), 1u);
  EXPECT_EQ(driver_.write_state("u", expiring("a", 300)), 1u);
  EXPECT_EQ(driver_.read_state("s").value().entries.at("a").expires_at, Timestamp(100));
  EXPECT_THAT(driver_.expire_state(Timestamp(99)), IsEmpty());

  const auto expired = driver_.expire_state(Timestamp(200));
  ASSERT_EQ(expired.size(), 2u);
  EXPECT_EQ(expired[0].session, "s");
  EXPECT_EQ(expired[0].version, 2u);
  EXPECT_EQ(expired[1].session, "t");
  EXPECT_EQ(expired[1].version, 2u);
  EXPECT_THAT(entries("s"), ElementsAre(Pair("c", "1@1")));
  EXPECT_THAT(entries("s", 1), ElementsAre(Pair("a", "1@1"), Pair("b", "1@1"), Pair("c", "1@1")));
  EXPECT_THAT(entries("u"), ElementsAre(Pair("a", "1@1")));
  EXPECT_THAT(driver_.expire_state(Timestamp(200)), IsEmpty());
}

TEST_P(State, AWriteSetsOrTakesTheTimeOfAKey) {
  StateWrite write = state_write("a", "1");
  write.expires_at = Timestamp(100);
  driver_.write_state("s", write);
  set("s", "a", "2");
  EXPECT_EQ(driver_.read_state("s").value().entries.at("a").expires_at, std::nullopt);
  EXPECT_THAT(driver_.expire_state(Timestamp(1000)), IsEmpty());
}

TEST_P(State, ExpiryIsBoundedAndTakesTheEarliestFirst) {
  for (int n = 1; n <= 5; ++n) {
    StateWrite write = state_write("k" + std::to_string(n), "1");
    write.expires_at = Timestamp(100 - n);
    driver_.write_state("s", write);
  }
  EXPECT_EQ(driver_.expire_state(Timestamp(1000), 2).size(), 1u);
  EXPECT_THAT(entries("s"), ElementsAre(Pair("k1", "1@1"), Pair("k2", "1@2"), Pair("k3", "1@3")));
  EXPECT_EQ(driver_.expire_state(Timestamp(1000), 2).at(0).version, 7u);
  EXPECT_THAT(entries("s"), ElementsAre(Pair("k1", "1@1")));
}

}  // namespace
}  // namespace ganglion::testing
