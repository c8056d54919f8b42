#include "bench/load/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/property_tree/xml_parser.hpp>
#include <sstream>

namespace ganglion::bench {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Row row(std::string workload, int clients, Histogram::Duration latency, std::uint64_t runs) {
  Row row;
  row.workload = std::move(workload);
  row.clients = clients;
  row.seconds = 2;
  row.runs = runs;
  row.tasks = 3 * runs;
  row.run.record(latency);
  return row;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// Whether an XML parser takes it.
bool is_xml(const std::string& text) {
  std::istringstream in(text);
  boost::property_tree::ptree tree;
  boost::property_tree::read_xml(in, tree);
  return tree.count("svg") == 1;
}

TEST(Plot, HasAxesWithUnitsALegendAndAPointForEachFigure) {
  const std::string svg = plot_svg({row("pipeline", 1, 1ms, 100), row("pipeline", 64, 8ms, 5000)});
  EXPECT_TRUE(is_xml(svg));
  for (const char* text : {">milliseconds<", ">runs and steps a second<", ">clients (closed loop)<", ">p50<",
                           ">p99.9<", ">runs<", ">steps<", ">64<", ">pipeline: latency of a run<"}) {
    EXPECT_THAT(svg, HasSubstr(text));
  }
  EXPECT_EQ(count(svg, "<circle"), 2u * (4 + 2));
  EXPECT_THAT(svg, HasSubstr("<title>steps: 7500</title>"));
}

TEST(Plot, OfAnOpenLoopGoesByTheRate) {
  Row open = row("pipeline", 500, 1ms, 100);
  open.rate = 250;
  const std::string svg = plot_svg({open});
  EXPECT_TRUE(is_xml(svg));
  EXPECT_THAT(svg, HasSubstr(">runs started a second (open loop)<"));
  EXPECT_THAT(svg, HasSubstr(">250<"));
}

TEST(Plot, HasTwoPanelsForEachWorkloadAndEscapesTheirNames) {
  const std::string svg = plot_svg({row("a<b>&\"c", 1, 1ms, 1), row("other", 1, 1ms, 1)});
  EXPECT_TRUE(is_xml(svg));
  EXPECT_EQ(count(svg, "<g "), 4u);
  EXPECT_THAT(svg, HasSubstr("a&lt;b&gt;&amp;&quot;c"));
}

TEST(Plot, OfNothingMeasuredHasNoPointBesideIt) {
  Row idle;
  idle.workload = "idle";
  idle.clients = 1;
  idle.seconds = 1;
  const std::string svg = plot_svg({idle});
  EXPECT_TRUE(is_xml(svg));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(Plot, HasTicksThatHoldAllValues) {
  EXPECT_THAT(powers_of_ten(1, 500), ElementsAre(1, 10, 100, 1000));
  EXPECT_THAT(powers_of_ten(100, 100), ElementsAre(100, 1000));
  EXPECT_THAT(powers_of_ten(0.03, 0.2), ElementsAre(0.01, 0.1, 1));
  EXPECT_THAT(even_ticks(34'385), ElementsAre(0, 10'000, 20'000, 30'000, 40'000));
  EXPECT_THAT(even_ticks(0), ElementsAre(0, 0.5, 1));
  for (double high = 0.001; high < 1e7; high *= 1.3) {
    const auto ticks = even_ticks(high);
    EXPECT_GE(ticks.back(), high);
    EXPECT_LE(ticks.size(), 7u);
    EXPECT_GE(ticks.size(), 3u);
  }
}

TEST(Row, HasItsFiguresSideBySide) {
  Row full = row("pipeline", 64, 8ms, 5000);
  full.cpu_ms_per_step = 0.0412;
  const RowTable table = table_of({row("pipeline", 1, 900us, 100), full});
  EXPECT_THAT(table.header, ElementsAre("pipeline", "1 client", "64 clients"));
  for (const auto& line : table.lines) EXPECT_EQ(line.size(), 3u);
  EXPECT_THAT(table.lines, testing::Contains(ElementsAre("steps/s", "150", "7,500")));
  EXPECT_THAT(table.lines, testing::Contains(ElementsAre("server: CPU a step", "-", "0.0412 ms")));
  EXPECT_THAT(row_json(full), HasSubstr(R"("cpu_ms_per_step":0.041)"));
}

}  // namespace
}  // namespace ganglion::bench
