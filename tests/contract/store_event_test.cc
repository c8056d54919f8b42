// What the event log promises.

#include <gmock/gmock.h>

#include "contract/store_contract.h"

namespace ganglion::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

EventQuery newest(std::string pattern, std::uint32_t limit = 50) {
  return {.pattern = std::move(pattern), .before = {}, .after = {}, .limit = limit};
}
EventQuery oldest(std::string pattern, std::uint64_t after, std::uint32_t limit = 50) {
  return {.pattern = std::move(pattern), .before = {}, .after = after, .limit = limit};
}

class Events : public StoreContract {
 protected:
  std::vector<std::uint64_t> seqs(EventQuery query) {
    std::vector<std::uint64_t> seqs;
    for (const TopicEvent& event : driver_.read_events(std::move(query))) seqs.push_back(event.seq);
    return seqs;
  }

  // Appends one event on each topic.
  void append(std::initializer_list<const char*> topics) {
    std::vector<TopicEvent> events;
    for (const char* topic : topics) events.push_back(topic_event(topic, "e" + std::to_string(++appended_)));
    driver_.append_events(std::move(events));
  }

  int appended_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Adapters, Events, ::testing::ValuesIn(store_adapters()),
                         [](const auto& info) { return info.param.name; });

TEST_P(Events, AnEmptyLogHasNoEvent) {
  EXPECT_EQ(driver_.last_event(), 0u);
  EXPECT_THAT(driver_.read_events({}), IsEmpty());
  EXPECT_THAT(driver_.append_events({}), IsEmpty());
}

TEST_P(Events, EveryFieldOfAnEventComesBackAsItWas) {
  TopicEvent full = topic_event("orders.paid", "1", R"({"text":"Ω 漢字","n":1e400})");
  full.seq = 77;  // is ignored
  full.version = 3;
  full.time = Timestamp(-5);
  full.subject = "";
  full.run = run_number(1);
  full.step = "pay";
  full.cause = 4'000'000'000;
  full.hops = 16;
  const TopicEvent bare = topic_event("x", "");
  driver_.append_events({full, bare});
  const std::vector<TopicEvent> events = driver_.read_events(oldest("**", 0));
  ASSERT_EQ(events.size(), 2u);
  full.seq = 1;
  EXPECT_EQ(events[0], full);
  EXPECT_EQ(events[1].subject, std::nullopt);
  EXPECT_EQ(events[1].seq, 2u);
  EXPECT_EQ(driver_.last_event(), 2u);
}

TEST_P(Events, ASourceNamesAnEventOnce) {
  const TopicEvent first = topic_event("orders", "1", "\"first\"");
  TopicEvent elsewhere = first;
  elsewhere.source = "other";
  TopicEvent again = topic_event("orders", "1", "\"again\"");
  const auto appended = driver_.append_events({first, elsewhere, again});
  ASSERT_EQ(appended.size(), 3u);
  EXPECT_EQ(appended[0].seq, 1u);
  EXPECT_FALSE(appended[0].existed);
  EXPECT_EQ(appended[1].seq, 2u);
  EXPECT_FALSE(appended[1].existed);
  EXPECT_EQ(appended[2].seq, 1u);
  EXPECT_TRUE(appended[2].existed);
  EXPECT_TRUE(driver_.append_events({again}).at(0).existed);

  const auto events = driver_.read_events(oldest("**", 0));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].data.bytes(), "\"first\"");
}

TEST_P(Events, WhatACommitPublishesHasTheSeqsThatItIsTold) {
  driver_.append_events({topic_event("orders", "old")});
  Commit start = start_of(run_number(1));
  start.published = {topic_event("orders", "new"), topic_event("orders", "old"), topic_event("orders", "new"),
                     topic_event("bills", "x")};
  const CommitOutcome outcome = driver_.commit(std::move(start));
  const auto* committed = std::get_if<Committed>(&outcome);
  ASSERT_NE(committed, nullptr);
  EXPECT_THAT(committed->event_seqs, ElementsAre(2, 1, 2, 3));
  EXPECT_THAT(seqs(oldest("**", 0)), ElementsAre(1, 2, 3));
}

TEST_P(Events, PatternsFindWordsAndTails) {
  append({"orders", "orders.paid", "orders.paid.late", "bills.paid", "orders.open"});
  EXPECT_THAT(seqs(newest("**")), ElementsAre(5, 4, 3, 2, 1));
  EXPECT_THAT(seqs(newest("orders.paid")), ElementsAre(2));
  EXPECT_THAT(seqs(newest("orders.*")), ElementsAre(5, 2));
  EXPECT_THAT(seqs(newest("orders.**")), ElementsAre(5, 3, 2));
  EXPECT_THAT(seqs(newest("*.paid")), ElementsAre(4, 2));
  EXPECT_THAT(seqs(oldest("*.paid", 0)), ElementsAre(2, 4));
  EXPECT_THAT(seqs(newest("*")), ElementsAre(1));
  EXPECT_THAT(seqs(newest("nothing")), IsEmpty());
  EXPECT_THAT(seqs(newest("nothing.*")), IsEmpty());
}

TEST_P(Events, CursorsLeadBothWays) {
  append({"a", "b", "a", "b", "a"});
  EventQuery back = newest("**", 2);
  EXPECT_THAT(seqs(back), ElementsAre(5, 4));
  back.before = 4;
  EXPECT_THAT(seqs(back), ElementsAre(3, 2));
  back.before = 1;
  EXPECT_THAT(seqs(back), IsEmpty());
  back.before = 0;
  EXPECT_THAT(seqs(back), IsEmpty());
  EXPECT_THAT(seqs(oldest("**", 3, 1)), ElementsAre(4));
  EXPECT_THAT(seqs(oldest("a", 1)), ElementsAre(3, 5));
  EXPECT_THAT(seqs(oldest("**", 5)), IsEmpty());
  EXPECT_THAT(seqs(oldest("**", UINT64_MAX)), IsEmpty());
  EXPECT_THAT(seqs(newest("**", 0)), IsEmpty());
  EventQuery between = oldest("**", 1);
  between.before = 4;
  EXPECT_THAT(seqs(between), ElementsAre(2, 3));
}

TEST_P(Events, APatternFindsAFewEventsAmongThousands) {
  std::vector<TopicEvent> events;
  for (int n = 1; n <= 3000; ++n)
    events.push_back(topic_event(n == 2 || n == 1500 ? "rare.case" : "common.case", std::to_string(n)));
  driver_.append_events(std::move(events));
  EXPECT_THAT(seqs(newest("rare.*")), ElementsAre(1500, 2));
  EXPECT_THAT(seqs(oldest("rare.*", 0)), ElementsAre(2, 1500));
  EXPECT_THAT(seqs(newest("rare.*", 1)), ElementsAre(1500));
  EXPECT_EQ(seqs(newest("**", 2000)).size(), 2000u);
}

TEST_P(Events, LargeEventsAllComeInSomePage) {
  for (int n = 0; n < 12; ++n) {
    driver_.append_events(
        {topic_event("a", std::to_string(n), '"' + std::string(1 << 20, static_cast<char>('a' + n)) + '"')});
  }
  std::vector<std::uint64_t> seen;
  for (std::uint64_t after = 0;; after = seen.back()) {
    const auto page = seqs(oldest("**", after, 100));
    if (page.empty()) break;
    seen.insert(seen.end(), page.begin(), page.end());
  }
  EXPECT_THAT(seen, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
}

}  // namespace
}  // namespace ganglion::testing
