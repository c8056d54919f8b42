// What cached outputs and blobs promise, and what collecting garbage may take away.

#include <gmock/gmock.h>

#include "base/sha256.h"
#include "contract/store_contract.h"

namespace ganglion::testing {
namespace {

CachedOutput cached(const std::string& name, std::string output, std::int64_t expires_at) {
  return {.key = sha256_hex(name),
          .output = Payload(std::move(output)),
          .at = Timestamp(10),
          .expires_at = Timestamp(expires_at)};
}

std::string reference_to(const std::string& digest) {
  return R"({"deep":[{"$ref":"sha256:)" + digest + R"("}]})";
}

class Blobs : public StoreContract {
 protected:
  std::string put(const std::string& content, std::int64_t at = 100) {
    EXPECT_TRUE(driver_.put_blob(sha256_hex(content), content, Timestamp(at)));
    return sha256_hex(content);
  }

  bool has(const std::string& digest) {
    const bool known = driver_.has_blob(digest).value();
    EXPECT_EQ(driver_.get_blob(digest).has_value(), known);
    return known;
  }

  // Whatever nothing refers to.
  std::uint64_t collect() { return driver_.collect_garbage(Timestamp(), Timestamp(1'000'000)); }
};

INSTANTIATE_TEST_SUITE_P(Adapters, Blobs, ::testing::ValuesIn(store_adapters()),
                         [](const auto& info) { return info.param.name; });

TEST_P(Blobs, ACommitsCachedOutputsAreFoundByKeyAndTheLastCounts) {
  EXPECT_EQ(driver_.find_cached(sha256_hex("a")).error().code, "not_found");
  Commit start = start_of(run_number(1));
  start.cached = {cached("a", "1", 500), cached("b", R"({"x":"Ω"})", 500)};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
  Commit next = append_to(run_number(1), 1);
  next.cached = {cached("a", "2", 900)};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(next))));
  EXPECT_EQ(driver_.find_cached(sha256_hex("a")).value(), cached("a", "2", 900));
  EXPECT_EQ(driver_.find_cached(sha256_hex("b")).value(), cached("b", R"({"x":"Ω"})", 500));
}

TEST_P(Blobs, CachedOutputsThatHaveExpiredAreForgotten) {
  Commit start = start_of(run_number(1));
  start.cached = {cached("a", "1", 100), cached("b", "2", 200), cached("c", "3", 300)};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
  EXPECT_EQ(driver_.collect_garbage(Timestamp(99), Timestamp()), 0u);
  EXPECT_EQ(driver_.collect_garbage(Timestamp(250), Timestamp(), 1), 1u);
  EXPECT_EQ(driver_.collect_garbage(Timestamp(250), Timestamp()), 1u);
  EXPECT_EQ(driver_.find_cached(sha256_hex("b")).error().code, "not_found");
  EXPECT_TRUE(driver_.find_cached(sha256_hex("c")));
}

TEST_P(Blobs, ABlobComesBackByteForByte) {
  std::string bytes;
  for (int i = 0; i < 100'000; ++i) bytes += static_cast<char>(i * 7);
  for (const std::string& content : {bytes, std::string(), std::string("\0x\0", 3)}) {
    const std::string digest = put(content);
    EXPECT_EQ(driver_.get_blob(digest).value(), content);
    EXPECT_EQ(put(content), digest) << "a second time changes nothing";
    EXPECT_EQ(driver_.get_blob(digest).value(), content);
  }
  EXPECT_EQ(driver_.get_blob(sha256_hex("other")).error().code, "not_found");
}

TEST_P(Blobs, OldBlobsThatNothingRefersToAreCollectedFewAtATime) {
  for (int i = 0; i < 5; ++i) put(std::to_string(i), 100 + i);
  EXPECT_EQ(driver_.collect_garbage(Timestamp(), Timestamp(100)), 0u);
  EXPECT_EQ(driver_.collect_garbage(Timestamp(), Timestamp(104), 3), 3u);
  EXPECT_EQ(driver_.collect_garbage(Timestamp(), Timestamp(104), 3), 1u);
  EXPECT_TRUE(has(sha256_hex("4")));
  EXPECT_FALSE(has(sha256_hex("3")));
}

TEST_P(Blobs, WritingABlobAgainMakesItYoung) {
  const std::string digest = put("x", 100);
  put("x", 300);
  put("x", 200);
  EXPECT_EQ(driver_.collect_garbage(Timestamp(), Timestamp(300)), 0u);
  EXPECT_EQ(driver_.collect_garbage(Timestamp(), Timestamp(301)), 1u);
  EXPECT_FALSE(has(digest));
}

TEST_P(Blobs, ABlobOfAJournalStaysForEver) {
  const std::string digest = put("x");
  Commit start = start_of(run_number(1));
  start.blobs = {digest};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
  EXPECT_TRUE(is_committed(driver_.commit(end_of(run_number(1), 1))));
  EXPECT_EQ(collect(), 0u);
  EXPECT_TRUE(has(digest));
}

TEST_P(Blobs, ABlobOfAnEventStaysForEver) {
  const std::string appended = put("x");
  const std::string published = put("y");
  driver_.append_events({topic_event("a", "1", reference_to(appended))});
  Commit start = start_of(run_number(1));
  start.published = {topic_event("a", "2", reference_to(published))};
  EXPECT_TRUE(is_committed(driver_.commit(std::move(start))));
  EXPECT_EQ(collect(), 0u);
}

TEST_P(Blobs, ABlobOfARecordStaysWhileTheRecordSaysSo) {
  const std::string first = put("x");
  const std::string second = put("y");
  Record record{
      .kind = RecordKind::dead_letter, .id = "r", .run = {}, .at = Timestamp(1), .data = reference_to(first)};
  EXPECT_TRUE(driver_.put_record(record));
  record.id = "r2";
  EXPECT_TRUE(driver_.put_record(record));
  EXPECT_EQ(collect(), 1u);
  EXPECT_FALSE(has(second));

  put("y");
  record.data = reference_to(second);
  EXPECT_TRUE(driver_.put_record(record));
  EXPECT_EQ(collect(), 0u) << "the other record still refers to the first";
  EXPECT_EQ(driver_.remove_records(RecordKind::dead_letter, "r"), 1u);
  EXPECT_EQ(collect(), 1u);
  EXPECT_FALSE(has(first));
  EXPECT_TRUE(has(second));
  EXPECT_EQ(driver_.remove_records(RecordKind::dead_letter, {}), 1u);
  EXPECT_EQ(collect(), 1u);
  EXPECT_FALSE(has(second));
}

TEST_P(Blobs, ABlobOfAStateValueStaysWhileSomeVersionShowsIt) {
  const std::string live = put("live");
  const std::string past = put("past");
  driver_.write_state("s", state_write("live", reference_to(live)));
  driver_.write_state("s", state_write("past", reference_to(past)));
  driver_.write_state("s", state_write("past", std::nullopt));
  EXPECT_EQ(collect(), 0u);
  std::size_t done = 0;
  for (std::uint64_t version = 3; version < kStateHistory + 1; ++version)
    store_->write_state("s", state_write("n", "1"), AnyVersion(), [&](StateOutcome) { ++done; });
  loop_.run_until([&] { return done == kStateHistory - 2; });
  // Version 2 is the oldest that can be read, and shows it.
  EXPECT_TRUE(driver_.read_state("s", 2));
  EXPECT_EQ(collect(), 0u);
  driver_.write_state("s", state_write("n", "1"));
  EXPECT_EQ(collect(), 1u);
  EXPECT_FALSE(has(past));
  EXPECT_TRUE(has(live));
}

TEST_P(Blobs, AReferenceCountsAlsoWhereTheBlobComesLater) {
  const std::string digest = sha256_hex("late");
  driver_.write_state("s", state_write("k", reference_to(digest)));
  EXPECT_EQ(driver_.get_blob(digest).error().code, "not_found");
  EXPECT_EQ(collect(), 0u);
  put("late");
  EXPECT_EQ(collect(), 0u);
  EXPECT_TRUE(has(digest));
}

TEST_P(Blobs, OnlyAReferenceInItsFormKeepsABlob) {
  const std::string digest = put("x");
  const std::string quoted = R"({"text":"{\"$ref\":\"sha256:)" + digest + R"(\"}"})";
  for (const std::string& text :
       {"\"sha256:" + digest + '"', R"({"$ref":")" + digest + R"("})",
        R"({"ref":"sha256:)" + digest + R"("})", R"({"$ref":"sha256:)" + digest + R"(0"})", quoted})
    driver_.append_events({topic_event("a", sha256_hex(text), text)});
  EXPECT_EQ(collect(), 1u);

  put("x");
  driver_.append_events({topic_event("a", "spaced", "{ \"$ref\" :\n \"sha256:" + digest + "\" }")});
  EXPECT_EQ(collect(), 0u);
}

}  // namespace
}  // namespace ganglion::testing
