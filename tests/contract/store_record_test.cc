// What records promise.

#include <gmock/gmock.h>

#include "contract/store_contract.h"

namespace ganglion::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Record record(std::string id, std::int64_t at, RecordKind kind = RecordKind::approval,
              std::optional<RunId> run = {}) {
  return {.kind = kind, .id = std::move(id), .run = run, .at = Timestamp(at), .data = R"({"n":1})"};
}

class Records : public StoreContract {
 protected:
  std::vector<std::string> ids(RecordQuery query) {
    std::vector<std::string> ids;
    for (const Record& record : driver_.list_records(std::move(query)).value()) ids.push_back(record.id);
    return ids;
  }

  void put(Record record) { EXPECT_TRUE(driver_.put_record(std::move(record))); }
};

INSTANTIATE_TEST_SUITE_P(Adapters, Records, ::testing::ValuesIn(store_adapters()),
                         [](const auto& info) { return info.param.name; });

TEST_P(Records, ARecordComesBackAsItWasAndTheLastOneWithItsIdCounts) {
  const Record first = record("a/0/0/1", 5, RecordKind::dead_letter, run_number(1));
  Record second = record("a/0/0/1", 6, RecordKind::dead_letter);
  second.data = R"({"text":"Ω 漢字"})";
  put(first);
  EXPECT_EQ(driver_.find_record(RecordKind::dead_letter, first.id).value(), first);
  put(second);
  EXPECT_EQ(driver_.find_record(RecordKind::dead_letter, first.id).value(), second);
  EXPECT_THAT(ids({.kind = RecordKind::dead_letter}), ElementsAre(first.id));
}

TEST_P(Records, KindsAreKeptApart) {
  put(record("x", 1, RecordKind::approval));
  put(record("x", 2, RecordKind::dead_letter));
  EXPECT_EQ(driver_.find_record(RecordKind::approval, "x").value().at, Timestamp(1));
  EXPECT_EQ(driver_.remove_records(RecordKind::dead_letter, "x"), 1u);
  EXPECT_EQ(driver_.find_record(RecordKind::dead_letter, "x").error().code, "not_found");
  EXPECT_THAT(ids({.kind = RecordKind::approval}), ElementsAre("x"));
}

TEST_P(Records, RecordsAreListedNewestFirstInPages) {
  for (const auto& [id, at] : {std::pair("a", 30), {"b", 10}, {"c", 20}, {"d", 20}, {"e", 40}})
    put(record(id, at));
  EXPECT_THAT(ids({}), ElementsAre("e", "a", "d", "c", "b"));
  RecordQuery page{.kind = RecordKind::approval, .run = {}, .before = {}, .limit = 2};
  EXPECT_THAT(ids(page), ElementsAre("e", "a"));
  page.before = "a";
  EXPECT_THAT(ids(page), ElementsAre("d", "c"));
  page.before = "c";
  EXPECT_THAT(ids(page), ElementsAre("b"));
  page.before = "b";
  EXPECT_THAT(ids(page), IsEmpty());
  page.before = "gone";
  EXPECT_EQ(driver_.list_records(page).error().code, "not_found");
}

TEST_P(Records, AListingMayAskForOneRun) {
  put(record("a", 1, RecordKind::approval, run_number(1)));
  put(record("b", 2, RecordKind::approval, run_number(2)));
  put(record("c", 3, RecordKind::approval, run_number(1)));
  put(record("d", 4));
  RecordQuery query{.kind = RecordKind::approval, .run = run_number(1), .before = {}, .limit = 50};
  EXPECT_THAT(ids(query), ElementsAre("c", "a"));
  query.before = "c";
  EXPECT_THAT(ids(query), ElementsAre("a"));
}

TEST_P(Records, RemovingSaysHowManyThereWere) {
  for (int i = 0; i < 3; ++i) put(record("r" + std::to_string(i), i));
  put(record("x", 1, RecordKind::dead_letter));
  EXPECT_EQ(driver_.remove_records(RecordKind::approval, "r1"), 1u);
  EXPECT_EQ(driver_.remove_records(RecordKind::approval, "r1"), 0u);
  EXPECT_EQ(driver_.remove_records(RecordKind::approval, {}), 2u);
  EXPECT_EQ(driver_.remove_records(RecordKind::approval, {}), 0u);
  EXPECT_THAT(ids({}), IsEmpty());
  EXPECT_THAT(ids({.kind = RecordKind::dead_letter}), ElementsAre("x"));
}

TEST_P(Records, ACommitAddsReplacesAndRemovesRecords) {
  const RunId run = run_number(1);
  Commit start = start_of(run);
  start.records = {record("kept", 1), record("replaced", 2), record("removed", 3)};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
  EXPECT_THAT(ids({}), ElementsAre("removed", "replaced", "kept"));

  Commit next = append_to(run, 1);
  next.records = {record("replaced", 9, RecordKind::approval, run), record("moved", 4)};
  next.removed_records = {{RecordKind::approval, "removed"},
                          {RecordKind::approval, "moved"},
                          {RecordKind::approval, "never was"}};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(next))));
  EXPECT_THAT(ids({}), ElementsAre("replaced", "moved", "kept"));
  EXPECT_EQ(driver_.find_record(RecordKind::approval, "replaced").value().run, run);
}

}  // namespace
}  // namespace ganglion::testing
