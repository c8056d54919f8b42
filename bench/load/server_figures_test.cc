#include "bench/load/server_figures.h"

#include <gtest/gtest.h>

#include <vector>

#include "bench/load/usage_error.h"

namespace ganglion::bench {
namespace {

TEST(ServerFigures, ReadsMetricsByTheirWholeNames) {
  const std::string text =
      "# HELP ganglion_store_syncs_total Fsyncs.\n# TYPE ganglion_store_syncs_total counter\n"
      "ganglion_store_syncs_total_of_old 1\nganglion_store_syncs_total 1234\n"
      "ganglion_agent_queued_tasks{agent=\"a\"} 7\nprocess_cpu_seconds_total 1.5e2";
  EXPECT_EQ(metric(text, "ganglion_store_syncs_total"), 1234);
  EXPECT_EQ(metric(text, "process_cpu_seconds_total"), 150);
  EXPECT_FALSE(metric(text, "ganglion_agent_queued_tasks"));
  EXPECT_FALSE(metric("", "x"));
  const ServerFigures figures = figures_in(text);
  EXPECT_EQ(figures.syncs, 1234);
  EXPECT_FALSE(figures.groups);
}

TEST(ServerFigures, OfSeveralAreTheirSumButForMemory) {
  const std::vector<ServerFigures> both = {
      {.syncs = 1, .groups = {}, .cpu_seconds = 2, .resident_bytes = 300},
      {.syncs = 4, .groups = 5, .cpu_seconds = 6, .resident_bytes = 200}};
  const ServerFigures sum = sum_of(both);
  EXPECT_EQ(sum.syncs, 5);
  EXPECT_FALSE(sum.groups);
  EXPECT_EQ(sum.cpu_seconds, 8);
  EXPECT_EQ(sum.resident_bytes, 300);
}

TEST(ServerAddress, ComesFromAUrl) {
  const ServerAddress address = address_of("http://example.org:7420/");
  EXPECT_EQ(address.host, "example.org");
  EXPECT_EQ(address.port, 7420);
  for (const char* url :
       {"", "https://a:1", "http://a", "http://:1", "http://a:0", "http://a:x", "http://a:99999"}) {
    EXPECT_THROW(address_of(url), UsageError) << url;
  }
}

}  // namespace
}  // namespace ganglion::bench
