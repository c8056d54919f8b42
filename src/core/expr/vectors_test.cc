#include "core/expr/vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

namespace ganglion::expr {
namespace {

// What the subset leaves out of the conformance vectors, and why. A vector of this list that passes is a
// failure too: then it no longer belongs here.
const std::map<std::string, std::string>& left_out() {
  static const std::string kNamedZone =
      "named time zones need the zone database; offsets from UTC are supported";
  static const std::map<std::string, std::string> kLeftOut = {
      {"timestamps/timestamp_selectors_tz/getDate", kNamedZone},
      {"timestamps/timestamp_selectors_tz/getDayOfMonth_name_pos", kNamedZone},
      {"timestamps/timestamp_selectors_tz/getDayOfMonth_name_neg", kNamedZone},
      {"timestamps/timestamp_selectors_tz/getMinutes", kNamedZone},
  };
  return kLeftOut;
}

std::filesystem::path data_folder() {
  if (const char* folder = std::getenv("GANGLION_DATA")) return folder;
  return std::filesystem::path(GANGLION_SOURCE_DIR) / ".." / "shared" / "data" / "cel";
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(Vectors, every_conformance_vector_passes_except_those_left_out_with_a_reason) {
  if (!std::filesystem::is_directory(data_folder())) {
    GTEST_SKIP() << "no conformance vectors at " << data_folder() << "; GANGLION_DATA may name their folder";
  }
  std::size_t passed = 0;
  std::vector<std::string> refused;
  for (const auto& file : std::filesystem::directory_iterator(data_folder())) {
    if (file.path().extension() != ".jsonl") continue;
    auto report = run_vectors(read_file(file.path()));
    ASSERT_TRUE(report) << file.path() << ": " << report.error().message;
    passed += report->passed;
    for (const VectorFailure& failure : report->failures) {
      refused.push_back(failure.id);
      EXPECT_TRUE(left_out().contains(failure.id))
          << failure.id << ": expected " << failure.expected << ", got " << failure.got;
    }
  }
  for (const auto& [id, reason] : left_out()) {
    EXPECT_THAT(refused, testing::Contains(id)) << "passes by now, or is gone: " << reason;
  }
  EXPECT_GT(passed, 0U);
}

TEST(Vectors, a_vector_of_an_error_passes_whatever_the_message) {
  auto report = run_vectors(R"({"id": "a", "expr": "1 / 0", "error": "something else"})"
                            "\n\n"
                            R"({"id": "b", "expr": "1 +", "error": "does not compile"})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->passed, 2U);
  EXPECT_EQ(report->failed, 0U);
}

TEST(Vectors, a_failure_names_what_was_expected_and_what_came) {
  auto report = run_vectors(R"({"id": "a", "expr": "1 + 1", "value": {"uint": 2}})");
  ASSERT_TRUE(report);
  ASSERT_EQ(report->failed, 1U);
  EXPECT_EQ(report->failures[0].id, "a");
  EXPECT_EQ(report->failures[0].expected, R"({"uint": 2})");
  EXPECT_EQ(report->failures[0].got, R"({"int": 2})");
}

TEST(Vectors, bindings_and_container_reach_the_expression) {
  auto report = run_vectors(
      R"({"id": "a", "expr": "y + 1u", "container": "x", "bindings": {"x.y": {"uint": 18446744073709551614}},)"
      R"( "value": {"uint": 18446744073709551615}})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->passed, 1U);
}

TEST(Vectors, a_line_that_is_no_vector_is_named) {
  auto report = run_vectors("{\"id\": \"a\", \"expr\": \"1\", \"value\": {\"int\": 1}}\nnonsense");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, "invalid_vector");
  EXPECT_THAT(report.error().message, testing::HasSubstr("line 2"));
}

}  // namespace
}  // namespace ganglion::expr
