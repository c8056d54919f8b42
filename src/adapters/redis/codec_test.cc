#include "adapters/redis/codec.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "adapters/redis/commit_codec.h"

namespace ganglion::redis {
namespace {

RC_GTEST_PROP(RedisCodec, EveryEntryComesBackAsItWas, ()) {
  JournalEntry entry{.seq = *rc::gen::arbitrary<std::uint64_t>(),
                     .at = Timestamp(*rc::gen::arbitrary<std::int64_t>()),
                     .type = *rc::gen::arbitrary<std::string>(),
                     .step = {},
                     .item = {},
                     .attempt = {},
                     .data = *rc::gen::arbitrary<std::string>()};
  if (*rc::gen::arbitrary<bool>()) entry.step = *rc::gen::arbitrary<std::string>();
  if (*rc::gen::arbitrary<bool>()) entry.item = *rc::gen::arbitrary<std::uint32_t>();
  if (*rc::gen::arbitrary<bool>()) entry.attempt = *rc::gen::arbitrary<std::uint32_t>();
  RC_ASSERT(unpack_entry(pack_entry(entry), entry.seq) == entry);
}

// Whoever writes to the same Redis may have written anything.
RC_GTEST_PROP(RedisCodec, BytesOfOthersAreReadWithoutHarm, (const std::vector<std::uint8_t>& random)) {
  const std::string bytes(random.begin(), random.end());
  unpack_entry(bytes, 1);
  unpack_event(bytes, 1);
  unpack_record(RecordKind::approval, "r", bytes);
  unpack_state_entry(bytes);
  unpack_output("k", bytes);
  Unpacker run(bytes);
  unpack_run(run);
  Unpacker entries(bytes);
  unpack_entries(entries, 1);
  unpack_outcome(Unpacker(bytes));
  Unpacker(bytes).raw();
}

RC_GTEST_PROP(RedisCodec, AnEntryThatIsCutOffIsNoEntry, (const std::string& data)) {
  const std::string packed = pack_entry(
      {.seq = 1, .at = Timestamp(1), .type = "x", .step = "s", .item = 1, .attempt = 2, .data = data});
  const auto size = *rc::gen::inRange<std::size_t>(0, packed.size());
  RC_ASSERT(!unpack_entry(std::string_view(packed).substr(0, size), 1));
}

TEST(RedisCodec, PatternsOfTopicsBecomePatternsOfLua) {
  EXPECT_EQ(lua_pattern("orders.*.late-1"), "^orders%.[^.]+%.late%-1$");
  EXPECT_EQ(lua_pattern("orders.**"), "^orders%..+$");
}

}  // namespace
}  // namespace ganglion::redis
