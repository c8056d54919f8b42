#include "bench/load/row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/load/own_server.h"

namespace ganglion::bench {
namespace {

using namespace std::chrono_literals;

Row row_of(std::string strategy, int coordinators) {
  Row row;
  row.workload = "pipeline";
  row.strategy = std::move(strategy);
  row.coordinators = coordinators;
  row.clients = 500;
  row.seconds = 2;
  row.runs = 2'000;
  row.tasks = 6'000;
  row.run.record(10ms);
  row.peaks_mib = std::vector<double>(static_cast<std::size_t>(coordinators), 20);
  return row;
}

TEST(StrategyTable, HasALineForEachRowAndDashesWhereNobodyDied) {
  std::vector<Row> rows = {row_of("mesh", 1), row_of("mesh", 3)};
  rows[1].recovery = Recovery{.in_flight = 1'250,
                              .acknowledged = 4'000,
                              .lost = 0,
                              .failed = 0,
                              .noticed_after = 1'100ms,
                              .going_on_after = 1'250ms};
  const RowTable table = strategy_table(rows);
  ASSERT_EQ(table.lines.size(), 2u);
  for (const auto& line : table.lines) EXPECT_EQ(line.size(), table.header.size());
  EXPECT_EQ(table.lines[0].back(), "-");
  EXPECT_THAT(table.lines[0], testing::Contains("3,000"));
  EXPECT_THAT(table.lines[1], testing::IsSupersetOf({"1,250", "1.10 s", "1.25 s", "0", "20 · 20 · 20"}));
  EXPECT_THAT(row_json(rows[1]), testing::HasSubstr(R"("recovery":{"in_flight":1250,)"));
  EXPECT_THAT(row_json(rows[1]), testing::HasSubstr(R"("peaks_mib":[20.0,20.0,20.0])"));
  EXPECT_EQ(rows[0].title(), "mesh, 1 coordinator: pipeline");
}

TEST(Placed, IsAPrefixOrASchemaBesideWhatTheUrlHas) {
  EXPECT_EQ(placed("redis://a:1", "x"), "redis://a:1?prefix=x");
  EXPECT_EQ(placed("amqp://a/v", "x"), "amqp://a/v?prefix=x");
  EXPECT_EQ(placed("postgres://a/b?sslmode=disable", "x"), "postgres://a/b?sslmode=disable&schema=x");
  EXPECT_NE(fresh_place(), fresh_place());
}

}  // namespace
}  // namespace ganglion::bench
