// Random calls through a link: without faults it answers as the store behind it does, and with faults nothing
// that was acknowledged is missing, nothing that was refused is there, and nothing is done twice.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/sha256.h"
#include "contract/store_driver.h"
#include "sim/world/store_fixture.h"

namespace ganglion::sim {
namespace {

using testing::run_number;

// --- answers as text
// ----------------------------------------------------------------------------------------------------

std::string text(const std::string& value) {
  return value;
}
std::string text(bool value) {
  return value ? "yes" : "no";
}
std::string text(std::uint64_t value) {
  return std::to_string(value);
}
std::string text(Timestamp value) {
  return format_rfc3339(value);
}
std::string text(const RunRecord& record) {
  return record.id.text() + "=" + record.status + (record.ended_at ? "!" : "");
}
std::string text(const JournalEntry& entry) {
  return std::to_string(entry.seq) + entry.data;
}
std::string text(const Record& record) {
  return record.id + record.data;
}
std::string text(const TopicEvent& event) {
  return std::to_string(event.seq) + event.id;
}
std::string text(const Appended& event) {
  return std::to_string(event.seq) + (event.existed ? "again" : "");
}
std::string text(const ExpiredState& state) {
  return state.session + std::to_string(state.version);
}
std::string text(const CachedOutput& output) {
  return output.key;
}
std::string text(const StateSnapshot& state) {
  std::string all = "at " + std::to_string(state.version);
  for (const auto& [key, entry] : state.entries) {
    all += " " + key + "=" + std::string(entry.value.bytes()) + "@" + std::to_string(entry.version);
  }
  return all;
}

template <typename T>
std::string text(const std::vector<T>& values);

std::string text(const OpenRun& run) {
  return text(run.record) + text(run.journal);
}

template <typename T>
std::string text(const std::vector<T>& values) {
  std::string all = "[";
  for (const T& value : values) all += text(value) + ",";
  return all + "]";
}

template <typename T>
std::string text(const Result<T>& result) {
  if (!result) return result.error().code;
  if constexpr (std::is_void_v<T>) {
    return "done";
  } else {
    return text(*result);
  }
}

std::string text(const StateOutcome& outcome) {
  if (outcome) return "version " + std::to_string(*outcome);
  if (const auto* error = std::get_if<Error>(&outcome.error())) return error->code;
  const auto& current = std::get<StateConflict>(outcome.error()).current;
  return "conflict " + (current ? std::to_string(current->version) : "absent");
}

std::string text(const CommitOutcome& outcome) {
  if (const auto* done = std::get_if<Committed>(&outcome)) {
    return "committed " + text(done->event_seqs) + std::to_string(done->state_version.value_or(0));
  }
  if (const auto* conflict = std::get_if<VersionConflict>(&outcome)) {
    return "conflict " + std::to_string(conflict->actual_version);
  }
  if (const auto* taken = std::get_if<KeyTaken>(&outcome)) return "taken by " + taken->run.text();
  if (std::holds_alternative<StateMoved>(outcome)) return "state moved";
  return "unavailable";
}

// --- random calls
// -------------------------------------------------------------------------------------------------------

// One call of the port, drawn from `draw`; its answer goes to `told`. Few names, so that calls meet.
class RandomCalls {
 public:
  explicit RandomCalls(std::uint64_t seed) : draw_(seed) {}

  void next(Store& store, std::vector<std::string>& told) {
    const auto tell = [&told](const auto& answer) { told.push_back(text(answer)); };
    switch (draw_.below(4)) {
      case 0:
        return commit(store, tell);
      case 1:
        return write(store, tell);
      case 2:
        return read_of_runs(store, tell);
      default:
        return read(store, tell);
    }
  }

 private:
  std::uint64_t few(std::uint64_t most = 4) { return 1 + draw_.below(most); }
  RunId run() { return run_number(few()); }
  std::string name() { return std::string(1, static_cast<char>('a' + draw_.below(3))); }

  void commit(Store& store, auto tell) {
    const RunId id = run();
    const std::string data = "\"" + std::to_string(draw_.word()) + "\"";
    Commit commit = draw_.chance(0.3) ? testing::start_of(id, few()) : testing::append_to(id, few(8), data);
    if (draw_.chance(0.2)) commit = testing::end_of(id, few(8));
    if (commit.create && draw_.chance(0.5)) commit.claim = IdempotencyClaim{name(), "digest"};
    if (draw_.chance(0.3)) commit = testing::laden(std::move(commit), few());
    if (commit.state && draw_.chance(0.5)) commit.state->expected_version = draw_.below(3);
    store.commit(std::move(commit), tell);
  }

  void write(Store& store, auto tell) {
    const std::string blob = name();
    StateWrite entry = testing::state_write(name(), draw_.chance(0.7) ? std::optional("1") : std::nullopt);
    if (draw_.chance(0.5)) entry.expires_at = Timestamp(static_cast<std::int64_t>(few(100)));
    const Timestamp at(static_cast<std::int64_t>(few(100)));
    switch (draw_.below(8)) {
      case 0:
        return store.put_definition(name(), "source", tell);
      case 1:
        return store.put_setting(name(), std::to_string(few()), tell);
      case 2:
        return store.put_record({RecordKind::approval, name(), run(), at, "{}"}, tell);
      case 3:
        return store.remove_records(RecordKind::approval, name(), tell);
      case 4:
        return store.append_events(
            {testing::topic_event("t." + name(), name()), testing::topic_event("t." + name(), name())}, tell);
      case 5:
        return store.write_state(name(), std::move(entry), KeyVersion{few()}, tell);
      case 6:
        return store.put_blob(sha256_hex(blob), blob, at, tell);
      default:
        return draw_.chance(0.5) ? store.expire_state(at, 2, tell) : store.collect_garbage(at, at, 2, tell);
    }
  }

  void read_of_runs(Store& store, auto tell) {
    RunQuery older;
    older.before = run();
    older.limit = 2;
    switch (draw_.below(5)) {
      case 0:
        return store.read_journal(run(), draw_.below(3), 5, tell);
      case 1:
        return store.find_run(run(), tell);
      case 2:
        return store.list_runs(older, tell);
      case 3:
        return store.read_open_runs(run(), 2, tell);
      default:
        return store.last_time(tell);
    }
  }

  void read(Store& store, auto tell) {
    switch (draw_.below(9)) {
      case 0:
        return store.get_definition(name(), tell);
      case 1:
        return store.get_setting(name(), tell);
      case 2:
        return store.list_records({.kind = RecordKind::approval, .limit = 2}, tell);
      case 3:
        return store.find_record({RecordKind::approval, name()}, tell);
      case 4:
        return store.read_events({.after = draw_.below(4), .limit = 3}, tell);
      case 5:
        return store.last_event(tell);
      case 6:
        return store.read_state(draw_.chance(0.5) ? "s" : name(), std::nullopt, tell);
      case 7:
        return store.find_cached(sha256_hex(std::to_string(few())), tell);
      default:
        return draw_.chance(0.5) ? store.get_blob(sha256_hex(name()), tell)
                                 : store.has_blob(sha256_hex(name()), tell);
    }
  }

  Draw draw_;
};

TEST(StoreLinkModelTest, without_faults_a_link_answers_as_the_store_behind_it_does) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    StoreWorld world(seed);
    StoreProcess process(world), direct(world);
    const auto plain = make_memory_store(direct.clock);
    RandomCalls calls(seed), same_calls(seed);
    std::vector<std::string> told, expected;
    Draw pace(mix(seed));
    for (int i = 0; i < 150; ++i) {
      calls.next(*process.link, told);
      same_calls.next(*plain, expected);
      if (pace.chance(0.3)) world.run(SimTime(pace.between(std::int64_t{0}, std::int64_t{600})));
    }
    world.run(SimTime(1'000'000));
    ASSERT_EQ(told, expected) << "seed " << seed;
  }
}

// --- with faults
// -------------------------------------------------------------------------------------------------------

// A process that starts runs and publishes events while everything goes wrong, and keeps what it was told.
class Diary {
 public:
  explicit Diary(std::uint64_t seed) : world_(seed), process_(world_), draw_(mix(seed)) {
    process_.faults.lost_answer = 0.1;
    process_.faults.refused = 0.1;
  }

  void live(std::uint64_t calls) {
    for (std::uint64_t n = 1; n <= calls; ++n) {
      process_.link->commit(testing::start_of(run_number(n)), [this, n](const CommitOutcome& outcome) {
        outcome_[n] = text(outcome);
        order_.push_back(n);
      });
      process_.link->append_events({testing::topic_event("t", std::to_string(n))},
                                   [this, n](const Result<std::vector<Appended>>& outcome) {
                                     appended_[n] = outcome ? text(*outcome) : "unavailable";
                                     if (outcome && outcome->front().existed) twice_.insert(n);
                                   });
      misfortune();
      world_.run(SimTime(draw_.between(std::int64_t{0}, std::int64_t{20'000})));
    }
    world_.server.set(StoreServer::State::up);
    process_.link->mend();
    world_.run(SimTime(2'000'000));
  }

  void check(std::uint64_t calls) {
    ASSERT_EQ(order_.size(), calls) << "every call is answered, once";
    EXPECT_TRUE(std::ranges::is_sorted(order_));
    for (std::uint64_t n = 1; n <= calls; ++n) {
      EXPECT_EQ(world_.entries(run_number(n)), outcome_[n].starts_with("committed") ? 1u : 0u)
          << n << " " << outcome_[n];
      ++seen_[outcome_[n].substr(0, 9)];
    }
    EXPECT_TRUE(twice_.empty()) << "an event was appended twice";
    const auto last = world_.server.ask<Result<std::uint64_t>>(
        [](Store& store, auto answer) { store.last_event(std::move(answer)); });
    EXPECT_EQ(*last, calls - static_cast<std::uint64_t>(std::ranges::count(
                                 appended_, "unavailable", [](const auto& entry) { return entry.second; })));
  }

  const std::map<std::string, int>& seen() const { return seen_; }
  std::size_t happened() const { return world_.fate.events().size(); }

 private:
  void misfortune() {
    if (draw_.chance(0.05)) world_.server.set(StoreServer::State::down);
    if (draw_.chance(0.05)) world_.server.set(StoreServer::State::full);
    if (draw_.chance(0.15)) world_.server.set(StoreServer::State::up);
    if (draw_.chance(0.05)) process_.link->cut();
    if (draw_.chance(0.15)) process_.link->mend();
  }

  StoreWorld world_;
  StoreProcess process_;
  Draw draw_;
  std::map<std::uint64_t, std::string> outcome_, appended_;
  std::vector<std::uint64_t> order_;
  std::set<std::uint64_t> twice_;
  std::map<std::string, int> seen_;
};

TEST(StoreLinkModelTest, with_faults_what_was_acknowledged_is_there_and_nothing_else) {
  std::map<std::string, int> seen;
  std::size_t happened = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Diary diary(seed);
    diary.live(60);
    diary.check(60);
    for (const auto& [outcome, count] : diary.seen()) seen[outcome] += count;
    happened += diary.happened();
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_GT(seen["committed"], 500);
  EXPECT_GT(seen["unavailab"], 500);
  EXPECT_GT(happened, 100u);
}

}  // namespace
}  // namespace ganglion::sim
