#include "sim/kernel/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ganglion::sim {
namespace {

using ::testing::ElementsAre;

std::uint64_t hash_of(SimTime at, std::string_view who, std::string_view what, std::string_view details) {
  Timeline timeline;
  timeline.run_until(at);
  Trace trace(timeline);
  trace.add(who, what, details);
  return trace.hash();
}

// Worked out apart from this code.
TEST(TraceTest, its_hash_is_the_same_everywhere) {
  Timeline timeline;
  Trace trace(timeline);
  EXPECT_EQ(trace.hash(), 0u);
  trace.add("engine-1", "starts");
  timeline.run_until(SimTime(1'500));
  trace.add("engine-1", "serves", "3");
  EXPECT_EQ(trace.hash(), 0xC420341458ECD83Cu);
}

TEST(TraceTest, everything_of_a_step_counts) {
  const std::uint64_t hash = hash_of(SimTime(5), "a", "b", "c");
  EXPECT_EQ(hash, hash_of(SimTime(5), "a", "b", "c"));
  EXPECT_NE(hash, hash_of(SimTime(6), "a", "b", "c"));
  EXPECT_NE(hash, hash_of(SimTime(5), "x", "b", "c"));
  EXPECT_NE(hash, hash_of(SimTime(5), "a", "x", "c"));
  EXPECT_NE(hash, hash_of(SimTime(5), "a", "b", "x"));
  EXPECT_NE(hash, hash_of(SimTime(5), "ab", "", "c"));
  EXPECT_NE(hash, hash_of(SimTime(5), "b", "a", "c"));
}

TEST(TraceTest, the_order_of_steps_counts) {
  Timeline timeline;
  Trace one(timeline), other(timeline);
  one.add("a", "x");
  one.add("b", "y");
  other.add("b", "y");
  other.add("a", "x");
  EXPECT_NE(one.hash(), other.hash());
}

TEST(TraceTest, whoever_reads_it_gets_the_lines_and_changes_nothing) {
  Timeline timeline;
  std::vector<std::string> lines;
  Trace read(timeline,
             [&](SimTime at, std::string_view who, std::string_view what, std::string_view details) {
               lines.push_back(format_sim_time(at) + " " + std::string(who) + " " + std::string(what) + " " +
                               std::string(details));
             });
  Trace unread(timeline);
  timeline.run_until(SimTime(20));
  for (Trace* trace : {&read, &unread}) trace->add("engine-1", "serves", "3");
  EXPECT_THAT(lines, ElementsAre("0.000020 s engine-1 serves 3"));
  EXPECT_EQ(read.hash(), unread.hash());
  EXPECT_TRUE(read.is_read());
  EXPECT_FALSE(unread.is_read());
}

}  // namespace
}  // namespace ganglion::sim
